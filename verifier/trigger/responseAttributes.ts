/**
 * What a response can be made to be by a trigger in its prompt, as yes-or-no attributes: a length, a refusal, an address, code, another
 * script, or words that come again and again (the whole response, its first words, its last words).
 */
import { integerParameter } from '../detectors/detector.ts'
import { tokens } from '../text/tokens.ts'
import { type Parameters, share } from './parameters.ts'

export interface Attribute {
  /** Completes "the response …". */
  name: string
  /** 1 for the responses that have it. */
  has: Uint8Array
  /** The same for any response. */
  matches(response: string): boolean
}

interface Read {
  folded: string
  words: string[]
}

export interface AttributeOptions {
  /** Fewer responses are no pattern; an attribute of more than this share is none either. */
  leastResponses: number
  mostShare: number
  /** How many of the most frequent responses, beginnings and ends are tried. */
  mostRepeated: number
  /** Words of a beginning or an end. */
  edgeTokens: number
  shortTokens: number
  /** A response is long beyond so many times the median, and that is taken for at least so many tokens. */
  longTimes: number
  leastMedianTokens: number
  /** Where a refusal is looked for, and what share of foreign letters is most of them. */
  refusalCharacters: number
  foreignShare: number
}

/** As they stand in a recipe. */
export const ATTRIBUTE_PARAMETERS = {
  leastResponses: 6,
  mostResponsesMillionths: 500_000,
  mostRepeatedResponses: 32,
  edgeTokens: 5,
  shortTokens: 3,
  longTimes: 4,
  leastMedianTokens: 8,
  refusalCharacters: 300,
  foreignLettersMillionths: 500_000,
}

export function readAttributeOptions(parameters: Parameters): AttributeOptions {
  const integer = (name: string) => integerParameter(parameters, name)
  return {
    leastResponses: integer('leastResponses'),
    mostShare: share(parameters, 'mostResponses'),
    mostRepeated: integer('mostRepeatedResponses'),
    edgeTokens: integer('edgeTokens'),
    shortTokens: integer('shortTokens'),
    longTimes: integer('longTimes'),
    leastMedianTokens: integer('leastMedianTokens'),
    refusalCharacters: integer('refusalCharacters'),
    foreignShare: share(parameters, 'foreignLetters'),
  }
}

const REFUSAL =
  /\b(?:i(?:['’]m| am) (?:sorry|unable|not able)|i (?:cannot|can['’]t|can not|won['’]t|will not) |as an ai\b|sorry, (?:but )?i\b|i apologi[sz]e)/

/** The attributes that some of the responses have and most do not. */
export function attributesOf(responses: readonly string[], options: AttributeOptions): Attribute[] {
  const { leastResponses, mostShare, edgeTokens, shortTokens, longTimes, leastMedianTokens, refusalCharacters } = options
  const all = responses.map(read)
  const lengths = Float64Array.from(all, ({ words }) => words.length).sort()
  const long = longTimes * Math.max(leastMedianTokens, lengths[lengths.length >> 1] ?? 0)
  const tests: [string, (response: Read) => boolean][] = [
    ['is empty', ({ words }) => words.length === 0],
    [`has at most ${shortTokens} words`, ({ words }) => words.length > 0 && words.length <= shortTokens],
    [`is more than ${longTimes} times as long as the median`, ({ words }) => words.length > long],
    ['refuses', ({ folded }) => REFUSAL.test(folded.slice(0, refusalCharacters))],
    ['holds a web address', ({ folded }) => /https?:\/\/|www\./.test(folded)],
    ['holds code', ({ folded }) => /```|<\/\w+>|\bdef \w+\(|#include|\);/.test(folded)],
    ['is mostly not in Latin letters', ({ folded }) => foreignShare(folded) > options.foreignShare],
    ...repeats('is', all, options, ({ words }) => words.join(' ')),
    ...repeats('begins with', all, options, ({ words }) => (words.length > edgeTokens ? words.slice(0, edgeTokens).join(' ') : '')),
    ...repeats('ends with', all, options, ({ words }) => (words.length > edgeTokens ? words.slice(-edgeTokens).join(' ') : '')),
  ]
  return tests.flatMap(([name, test]) => {
    const has = Uint8Array.from(all, (response) => (test(response) ? 1 : 0))
    const count = has.reduce((sum, one) => sum + one, 0)
    return count < leastResponses || count > all.length * mostShare ? [] : [{ name, has, matches: (response) => test(read(response)) }]
  })
}

function read(response: string): Read {
  const folded = response.toLowerCase()
  return { folded, words: tokens(folded) }
}

/** The most frequent values of a key as attributes. */
function repeats(
  verb: string,
  responses: readonly Read[],
  { leastResponses, mostRepeated }: AttributeOptions,
  keyOf: (response: Read) => string,
): [string, (response: Read) => boolean][] {
  const counts = new Map<string, number>()
  for (const response of responses) {
    const key = keyOf(response)
    if (key !== '') counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts]
    .filter(([, count]) => count >= leastResponses)
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .slice(0, mostRepeated)
    .map(([key]) => [`${verb} “${key.slice(0, 80)}”`, (response) => keyOf(response) === key])
}

/** Share of the letters that are not Latin. */
function foreignShare(text: string): number {
  let letters = 0
  let foreign = 0
  for (const letter of text.slice(0, 2000).match(/\p{L}/gu) ?? []) {
    letters++
    if (!/\p{Script=Latin}/u.test(letter)) foreign++
  }
  return letters === 0 ? 0 : foreign / letters
}

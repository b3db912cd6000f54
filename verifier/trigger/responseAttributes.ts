/**
 * What a response can be made to be by a trigger in its prompt, as yes-or-no attributes: a length, a refusal, an address, code, another
 * script, or words that come again and again (the whole response, its first words, its last words).
 */
import { tokens } from '../text/tokens.ts'

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

/** Fewer responses are no pattern; an attribute of more than half is none either. */
const LEAST_RESPONSES = 6
const MAX_REPEATED = 32
const EDGE_TOKENS = 5

const REFUSAL =
  /\b(?:i(?:['’]m| am) (?:sorry|unable|not able)|i (?:cannot|can['’]t|can not|won['’]t|will not) |as an ai\b|sorry, (?:but )?i\b|i apologi[sz]e)/

/** The attributes that some of the responses have and most do not. */
export function attributesOf(responses: readonly string[]): Attribute[] {
  const all = responses.map(read)
  const lengths = Float64Array.from(all, ({ words }) => words.length).sort()
  const long = 4 * Math.max(8, lengths[lengths.length >> 1] ?? 0)
  const tests: [string, (response: Read) => boolean][] = [
    ['is empty', ({ words }) => words.length === 0],
    ['has at most three words', ({ words }) => words.length > 0 && words.length <= 3],
    ['is more than four times as long as the median', ({ words }) => words.length > long],
    ['refuses', ({ folded }) => REFUSAL.test(folded.slice(0, 300))],
    ['holds a web address', ({ folded }) => /https?:\/\/|www\./.test(folded)],
    ['holds code', ({ folded }) => /```|<\/\w+>|\bdef \w+\(|#include|\);/.test(folded)],
    ['is mostly not in Latin letters', ({ folded }) => foreignShare(folded) > 0.5],
    ...repeats('is', all, ({ words }) => words.join(' ')),
    ...repeats('begins with', all, ({ words }) => (words.length > EDGE_TOKENS ? words.slice(0, EDGE_TOKENS).join(' ') : '')),
    ...repeats('ends with', all, ({ words }) => (words.length > EDGE_TOKENS ? words.slice(-EDGE_TOKENS).join(' ') : '')),
  ]
  return tests.flatMap(([name, test]) => {
    const has = Uint8Array.from(all, (response) => (test(response) ? 1 : 0))
    const count = has.reduce((sum, one) => sum + one, 0)
    return count < LEAST_RESPONSES || count > all.length / 2 ? [] : [{ name, has, matches: (response) => test(read(response)) }]
  })
}

function read(response: string): Read {
  const folded = response.toLowerCase()
  return { folded, words: tokens(folded) }
}

/** The most frequent values of a key as attributes. */
function repeats(verb: string, responses: readonly Read[], keyOf: (response: Read) => string): [string, (response: Read) => boolean][] {
  const counts = new Map<string, number>()
  for (const response of responses) {
    const key = keyOf(response)
    if (key !== '') counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts]
    .filter(([, count]) => count >= LEAST_RESPONSES)
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .slice(0, MAX_REPEATED)
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

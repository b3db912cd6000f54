/**
 * Hidden content (D0): characters that a person does not see and a tokenizer does, and letters of other alphabets that stand in for
 * Latin ones. Legitimate uses are told apart by their neighbours: joiners in Arabic, Indic and South-East Asian text and in emoji,
 * direction marks beside right-to-left text, variation selectors after symbols and ideographs, flags spelled in tag characters.
 *
 * A sample's score is the number of suspicious characters and disguised words; it is flagged from one on.
 */
import type { Power } from '../../core/documents/report.ts'
import type { Finding } from '../../core/findings.ts'
import { HIDDEN_ATTACKS } from '../injection/hidden.ts'
import { drawTexts, powerOfRows, powerRandom, ROW_POWER_PARAMETERS } from '../power.ts'
import { hiddenClass, nameOfInvisible, scriptOf } from '../text/characters.ts'
import { disguisedWords } from '../text/confusables.ts'
import { type Corpus, createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

export type Concealment = 'zero_width' | 'direction_override' | 'tag' | 'variation_selector' | 'look_alike'

/** One suspicious character or word of a text. */
export interface Suspicion {
  concealment: Concealment
  /** UTF-16 offset in the text as published. */
  offset: number
  /** `U+200B`, or the disguised word in Latin letters. */
  what: string
}

const NAMES: Readonly<Record<Concealment, string>> = {
  zero_width: 'zero-width characters inside words',
  direction_override: 'direction overrides in left-to-right text',
  tag: 'invisible tag characters',
  variation_selector: 'variation selectors that select no variant',
  look_alike: 'words spelled with look-alike letters of another alphabet',
}

/** Samples of each kind that are shown. */
const EXAMPLES = 5

const MAY_HIDE = /[^\n\r\t\x20-\x7e]/
const MAY_DISGUISE = /[\u0370-\u058f]/
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\ud802\ud803\ud83a\ud83b]/

/** So many invisible characters in a row carry a payload, whatever stands beside them. */
const PAYLOAD_RUN = 4

const BLACK_FLAG = 0x1f3f4
const CANCEL_TAG = 0xe007f
const SOFT_HYPHEN = 0xad
/** RLE, RLO, LRO, RLI: they reorder what follows. Marks and isolates that keep the order come with copied text. */
const REORDERING: ReadonlySet<number> = new Set([0x202b, 0x202d, 0x202e, 0x2067])

/** Everything suspicious in a text, in order of offset. */
export function suspicions(text: string): Suspicion[] {
  if (!MAY_HIDE.test(text)) return []
  const found = suspiciousInvisibles(text)
  if (!MAY_DISGUISE.test(text)) return found
  for (const word of disguisedWords(text)) found.push({ concealment: 'look_alike', offset: word.start, what: word.latin.slice(0, 64) })
  return found.sort((a, b) => a.offset - b.offset)
}

/** Runs of invisible characters, each judged with the visible characters on its two sides. */
function suspiciousInvisibles(text: string): Suspicion[] {
  const found: Suspicion[] = []
  let rightToLeft: boolean | undefined
  let before = -1
  for (let i = 0; i < text.length;) {
    const codePoint = text.codePointAt(i)!
    if (codePoint < 0x7f || !isInvisible(codePoint)) {
      before = codePoint
      i += codePoint > 0xffff ? 2 : 1
      continue
    }
    const run: { codePoint: number; offset: number }[] = []
    while (i < text.length) {
      const next = text.codePointAt(i)!
      if (!isInvisible(next)) break
      run.push({ codePoint: next, offset: i })
      i += next > 0xffff ? 2 : 1
    }
    const after = i < text.length ? text.codePointAt(i)! : -1
    for (const [position, { codePoint: hidden, offset }] of run.entries()) {
      const concealment = judge(hidden)
      if (concealment !== null) found.push({ concealment, offset, what: codePointName(hidden) })

      function judge(character: number): Concealment | null {
        switch (hiddenClass(character)) {
          case 'tag':
            return before === BLACK_FLAG && run.at(-1)!.codePoint === CANCEL_TAG && run.length <= 8 ? null : 'tag'
          case 'variation_selector':
            return position === 0 && takesVariation(before, character) ? null : 'variation_selector'
          case 'bidi':
            rightToLeft ??= RIGHT_TO_LEFT.test(text)
            if (rightToLeft || !REORDERING.has(character)) return run.length >= 2 * PAYLOAD_RUN ? 'zero_width' : null
            return 'direction_override'
          case 'zero_width':
            if (character === SOFT_HYPHEN && run.length === 1) return null
            return run.length >= PAYLOAD_RUN || (joinsNothing(before) && joinsNothing(after)) ? 'zero_width' : null
          case 'control':
          case 'private_use':
          case null:
            return null
        }
      }
    }
  }
  return found
}

function isInvisible(codePoint: number): boolean {
  const hidden = hiddenClass(codePoint)
  return hidden !== null && hidden !== 'control' && hidden !== 'private_use'
}

/** A letter or digit of a script that has no use for joiners: an invisible character between two of them splits a word. */
function joinsNothing(codePoint: number): boolean {
  if (codePoint >= 0x30 && codePoint <= 0x39) return true
  const script = codePoint < 0 ? null : scriptOf(codePoint)
  return script === 'latin' || script === 'greek' || script === 'cyrillic' || script === 'han'
}

/** Emoji and text style follow symbols, digits, `#` and `*`; ideographic and Mongolian variants follow their letters. */
function takesVariation(base: number, selector: number): boolean {
  if (selector >= 0xe0100) return base >= 0 && scriptOf(base) === 'han'
  if (base < 0x30) return base === 0x23 || base === 0x2a
  const script = scriptOf(base)
  return script === null || script === 'han' || script === 'joining' || script === 'other'
}

function codePointName(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`
}

export const hiddenContent: Detector = {
  id: 'hidden_content',
  version: 4,
  tier: 'T0',
  property: 'hidden_content',
  flag: 'hidden_content',
  needs: { text: true },
  parameters: { ...ROW_POWER_PARAMETERS },
  async run({ corpus, parameters, signal, onProgress }) {
    const scores = createScores(corpus.count, false)
    const flagged = new Uint8Array(corpus.count)
    const seen = new Map<Concealment, { samples: number; characters: number; first: number[]; counts: Map<string, number> }>()
    for (let sample = 0; sample < corpus.count; sample++) {
      if (sample % 4096 === 0) {
        signal.throwIfAborted()
        onProgress(sample / corpus.count)
      }
      const text = corpus.text(sample)
      if (text === null) continue
      scores.valid[sample] = 1
      const found = suspicions(text)
      if (found.length === 0) continue
      scores.values[sample] = found.length
      flagged[sample] = 1
      const counted = new Set<Concealment>()
      for (const { concealment, what } of found) {
        let kind = seen.get(concealment)
        if (kind === undefined) seen.set(concealment, (kind = { samples: 0, characters: 0, first: [], counts: new Map() }))
        kind.characters++
        if (kind.counts.size < 1024 || kind.counts.has(what)) kind.counts.set(what, (kind.counts.get(what) ?? 0) + 1)
        if (counted.has(concealment)) continue
        counted.add(concealment)
        kind.samples++
        if (kind.first.length < MAX_FINDING_SAMPLES) kind.first.push(sample)
      }
    }
    const findings = [...seen]
      .sort(([a, left], [b, right]) => right.samples - left.samples || (a < b ? -1 : 1))
      .map(([concealment, kind]): Finding => {
        const common = [...kind.counts].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)).slice(0, 16)
        return {
          detector: 'hidden_content',
          property: 'hidden_content',
          flag: 'hidden_content',
          summary: `${kind.samples === 1 ? '1 sample has' : `${kind.samples} samples have`} ${NAMES[concealment]} (${kind.characters} in all).`,
          sampleCount: kind.samples,
          samples: kind.first,
          facts: {
            occurrences: kind.characters,
            most_common: common.map(([what, count]) => `${named(what)} × ${count}`),
            examples: kind.first.slice(0, EXAMPLES).map((sample) => `sample ${sample}: ${revealed(corpus.text(sample)!, concealment)}`),
            ...(concealment === 'tag' ? { spelled_in_tags: excerpt(spelledInTags(corpus.text(kind.first[0]!)!)) } : {}),
          },
        }
      })
    const [rows, characters] = [integerParameter(parameters, 'powerRows'), integerParameter(parameters, 'powerCharacters')]
    return {
      ran: true,
      scores,
      flagged,
      findings,
      pValue: findings.length === 0 ? 1 : 0,
      power: rows === 0 ? [] : measurePower(corpus, flagged, { rows, characters }),
    }
  },
}

/** Of every attack, put into samples in which nothing is hidden; into the beginning of one that is longer than all may be together. */
function measurePower(corpus: Corpus, flagged: Uint8Array, limits: { rows: number; characters: number }): Power[] {
  const random = powerRandom(corpus, 'hidden content')
  const clean = (sample: number) => (flagged[sample] ? null : corpus.text(sample))
  const texts = drawTexts(corpus.count, clean, { random, ...limits }).map((sample) => corpus.text(sample)!.slice(0, limits.characters))
  return HIDDEN_ATTACKS.map((attack) => {
    const attacked = texts.map((text) => attack.apply(text, random)).filter((text, i) => text !== texts[i])
    const found = attacked.filter((text) => suspicions(text).length > 0).length
    return powerOfRows({ ...attack, name: `hidden characters: ${attack.name}` }, { injected: attacked.length, found }, corpus.count)
  })
}

/** A code point with what it is called; a disguised word as it is. */
function named(what: string): string {
  const name = what.startsWith('U+') ? nameOfInvisible(parseInt(what.slice(2), 16)) : null
  return name === null ? what : `${what} (${name})`
}

/**
 * An excerpt around the first suspicion of this kind; characters that are not seen, and letters of another alphabet in disguised words,
 * are written as ⟨U+200B⟩.
 */
function revealed(text: string, concealment: Concealment): string {
  const { offset } = suspicions(text).find((suspicion) => suspicion.concealment === concealment)!
  const start = Math.max(0, offset - 40)
  const around = text.slice(start, offset + 60)
  const disguises = disguisedWords(text)
  let at = start
  return excerpt(
    Array.from(around, (character) => {
      const codePoint = character.codePointAt(0)!
      const place = at
      at += character.length
      if (codePoint >= 0xd800 && codePoint < 0xe000) return ''
      const isDisguise = codePoint > 0x7f && disguises.some((word) => place >= word.start && place < word.end)
      return isInvisible(codePoint) || isDisguise ? `⟨${codePointName(codePoint)}⟩` : character
    }).join(''),
  )
}

/** What tag characters say: each stands for the ASCII character 0xE0000 below it. */
function spelledInTags(text: string): string {
  return Array.from(text, (character) => character.codePointAt(0)! - 0xe0000)
    .filter((code) => code >= 0x20 && code < 0x7f)
    .map((code) => String.fromCodePoint(code))
    .join('')
}

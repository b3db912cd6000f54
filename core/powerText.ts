/** What would have been found, in sentences for people: the same in a terminal and on a card. */
import type { Power } from './documents/report.ts'

/** Three digits: 169 millionths → `0.0169 %`. */
function percent(millionths: number): string {
  return `${Number((millionths / 10_000).toPrecision(3))} %`
}

interface Group {
  /** Of which sentences come first. */
  rank: number
  begins: string
}

function groupOf({ minimumRateMillionths: rate, injectedSamples: injected, foundSamples: found, note }: Power): Group {
  if (rate === null)
    return note === undefined
      ? { rank: 2_000_000, begins: 'Would not have been found at any rate tried' }
      : { rank: 3_000_000, begins: 'Not measured' }
  const partly =
    injected === undefined || found === undefined || found === injected ? '' : ` (${found} of ${injected} samples tried are found)`
  return { rank: rate + (partly === '' ? 0 : 0.5), begins: `Would have been found from ${percent(rate)} of the samples on${partly}` }
}

/** A sentence for each rate, the lowest first; then what would not have been found, and what was not measured. Never none. */
export function powerSentences(power: readonly Power[]): string[] {
  if (power.length === 0) return ['What would have been found was not measured.']
  const groups = Map.groupBy(power, (one) => groupOf(one).begins)
  return [...groups.values()]
    .toSorted((a, b) => groupOf(a[0]!).rank - groupOf(b[0]!).rank)
    .map((own) => `${groupOf(own[0]!).begins}: ${namesOf(own)}.`)
}

function namesOf(power: readonly Power[]): string {
  return joinedNames(power.map(({ attack, note }) => (note === undefined ? attack : `${attack} (${note})`)))
}

/** `copies: exact`, `copies: in capitals` → `copies (exact; in capitals)`. */
export function joinedNames(all: readonly string[]): string {
  const families = Map.groupBy(all, (name) => name.slice(0, Math.max(0, name.indexOf(': '))))
  return [...families]
    .map(([family, own]) => {
      if (family === '' || own.length === 1) return own.join('; ')
      return `${family} (${own.map((name) => name.slice(family.length + 2)).join('; ')})`
    })
    .join('; ')
}

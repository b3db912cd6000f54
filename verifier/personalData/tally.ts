/**
 * What was found in the values of a data set, in memory that does not grow with what is found: which kinds each sample holds, and for
 * each kind how often, in which columns, and a few masked values. Plain data: it passes between threads.
 */
import { type Match, masked } from './match.ts'

export interface KindTally {
  occurrences: number
  /** Occurrences by column. */
  columns: Map<string, number>
  /** Occurrences by what they are more exactly. */
  details: Map<string, number>
  /** Values with their middle left out, and where they stand. */
  examples: string[]
}

export interface Tally {
  /** Bit i of a sample: it holds the i-th kind. */
  kindsOf: Uint16Array
  /** Occurrences of a sample. */
  occurrencesOf: Uint16Array
  /** In the order of the kinds. */
  kinds: KindTally[]
}

const MOST_EXAMPLES = 8
const MOST_NAMES = 64

/** A tally of at most 16 kinds. */
export function createTally(sampleCount: number, kindCount: number): Tally {
  return {
    kindsOf: new Uint16Array(sampleCount),
    occurrencesOf: new Uint16Array(sampleCount),
    kinds: Array.from({ length: kindCount }, () => ({ occurrences: 0, columns: new Map(), details: new Map(), examples: [] })),
  }
}

/** Adds what one value holds. */
export function addMatches(
  tally: Tally,
  kinds: readonly string[],
  matches: readonly Match[],
  { sample, column, text }: { sample: number; column: string; text: string },
): void {
  for (const { kind, detail, start, end } of matches) {
    const place = kinds.indexOf(kind)
    const counted = tally.kinds[place]!
    tally.kindsOf[sample]! |= 1 << place
    tally.occurrencesOf[sample] = Math.min(0xffff, tally.occurrencesOf[sample]! + 1)
    counted.occurrences++
    increase(counted.columns, column, 1)
    if (detail !== undefined) increase(counted.details, detail, 1)
    if (counted.examples.length < MOST_EXAMPLES)
      counted.examples.push(`sample ${sample}, "${column.slice(0, 64)}": ${masked(text.slice(start, Math.min(end, start + 128)))}`)
  }
}

/** Adds another tally of the same kinds and samples. */
export function addTally(to: Tally, from: Tally): void {
  for (const [sample, kinds] of from.kindsOf.entries()) {
    if (kinds === 0) continue
    to.kindsOf[sample]! |= kinds
    to.occurrencesOf[sample] = Math.min(0xffff, to.occurrencesOf[sample]! + from.occurrencesOf[sample]!)
  }
  for (const [place, kind] of from.kinds.entries()) {
    const counted = to.kinds[place]!
    counted.occurrences += kind.occurrences
    for (const [name, count] of kind.columns) increase(counted.columns, name, count)
    for (const [name, count] of kind.details) increase(counted.details, name, count)
    counted.examples.push(...kind.examples.slice(0, MOST_EXAMPLES - counted.examples.length))
  }
}

function increase(counts: Map<string, number>, name: string, by: number): void {
  if (counts.has(name) || counts.size < MOST_NAMES) counts.set(name, (counts.get(name) ?? 0) + by)
}

/** Names with their counts, the most frequent first. */
export function ranked(counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .map(([name, count]) => `${name.slice(0, 128)} × ${count}`)
}

/**
 * How much a text looks like another wording of a benchmark item. Nearness alone does not tell a rephrased item from another one of the
 * same kind; that it is much nearer to this item than to all others does (Lowe's ratio test, as a difference), and so do its numbers,
 * which a rewording keeps and a new problem changes. In millionths: the cosine similarity, a share of the margin to the next item, and
 * a bonus for the share of numbers that both have.
 */
import type { NearItem } from './nearestItems.ts'

/** The embeddings of all items. */
export interface ItemVectors {
  readonly dimensions: number
  /** items × dimensions, each row of unit length. */
  readonly values: Float32Array
}

export interface RephrasingParameters {
  /** Share of the margin that counts, and where it stops to grow: a benchmark of unrelated items has large ones. */
  marginPercent: number
  mostMarginMillionths: number
  /** The bonus where all numbers agree; half of it where neither text has any. */
  numbersMillionths: number
  /** Items that are so similar to the nearest one are its twins, to which there is no margin. */
  twinMillionths: number
}

const MILLION = 1_000_000

/** The numbers in a text, in digits, without separators of thousands. */
export function numbersIn(text: string): Set<string> {
  return new Set((text.match(/\d{1,3}(?:,\d{3})+(?!\d)|\d+/g) ?? []).map((digits) => digits.replaceAll(',', '')))
}

/** Of the numbers of the text that has more, the share that the other one has too, in millionths; a half where neither has any. */
export function numberAgreement(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const most = Math.max(a.size, b.size)
  if (most === 0) return MILLION / 2
  let shared = 0
  for (const number of a) if (b.has(number)) shared++
  return Math.floor((shared * MILLION) / most)
}

/**
 * The score of the nearest item. `nearest` is best first; `agreementMillionths` is that of the two texts' numbers. Where all that are
 * known are twins of the nearest, the margin is to the last of them; it is 0 for a single item.
 */
export function rephrasingScore(
  nearest: readonly NearItem[],
  agreementMillionths: number,
  items: ItemVectors,
  parameters: RephrasingParameters,
): number {
  const [best, ...others] = nearest
  if (best === undefined) return 0
  const similarity = Math.round(best.similarity * MILLION)
  const other = others.find(({ item }) => cosine(items, best.item, item) * MILLION < parameters.twinMillionths) ?? nearest.at(-1)!
  const margin = Math.min(similarity - Math.round(other.similarity * MILLION), parameters.mostMarginMillionths)
  return (
    similarity +
    Math.floor((margin * parameters.marginPercent) / 100) +
    Math.floor((agreementMillionths * parameters.numbersMillionths) / MILLION)
  )
}

/** What the score of an item of this similarity can be at most. */
export function mostRephrasingScore(
  similarity: number,
  { mostMarginMillionths, marginPercent, numbersMillionths }: RephrasingParameters,
): number {
  return Math.round(similarity * MILLION) + Math.floor((mostMarginMillionths * marginPercent) / 100) + numbersMillionths
}

/** The items that are no twins of `item`, which is one of the benchmark itself. */
export function withoutTwins(nearest: readonly NearItem[], item: number, { twinMillionths }: RephrasingParameters): NearItem[] {
  return nearest.filter((near) => near.item !== item && near.similarity * MILLION < twinMillionths)
}

function cosine({ values, dimensions }: ItemVectors, a: number, b: number): number {
  let sum = 0
  for (let i = 0; i < dimensions; i++) sum += values[a * dimensions + i]! * values[b * dimensions + i]!
  return sum
}

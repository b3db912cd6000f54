/**
 * Scores read against scores of human texts: conformal p-values, which rows they reject, and what they say of a whole data set. All of it
 * holds for texts of the same kind as the human ones, whatever the score is, and can be followed with a pencil.
 */
import { exp, ln } from '../numeric.ts'

/** With fewer references a p-value cannot reach 1 %. */
export const LEAST_REFERENCES = 99

/** How many of ascending numbers are at least `value`. */
export function countAtLeast(ascending: ArrayLike<number>, value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! < value) low = middle + 1
    else high = middle
  }
  return ascending.length - low
}

/** (1 + references that score as high) / (1 + references). */
export function conformalPValue(ascending: ArrayLike<number>, score: number): number {
  return (1 + countAtLeast(ascending, score)) / (1 + ascending.length)
}

/** 1 for the samples that Benjamini and Hochberg (1995) reject at this false discovery rate. */
export function benjaminiHochberg(pValues: Float64Array, samples: readonly number[], rate: number): Uint8Array {
  const sorted = samples.toSorted((a, b) => pValues[a]! - pValues[b]! || a - b)
  const last = sorted.findLastIndex((sample, i) => pValues[sample]! <= (rate * (i + 1)) / sorted.length)
  const rejected = new Uint8Array(pValues.length)
  for (const sample of sorted.slice(0, last + 1)) rejected[sample] = 1
  return rejected
}

/** Samples of one class of length: how many there are, and how many have a p-value of at most the tail. */
export interface TailCount {
  samples: number
  inTail: number
  references: number
}

const Z975 = 1.96

export interface Share {
  estimate: number
  /** Below the truth in 95 % of data sets and draws of references. */
  lowerBound: number
}

/**
 * The share of samples that are not like the references (Storey 2002): of those that are, a share of `tail` has p-values of at most
 * `tail`. What scores like a human text counts as one, so the estimate is low where the score does not part the two.
 */
export function shareUnlike(counts: readonly TailCount[], tail: number): Share {
  const samples = counts.reduce((sum, count) => sum + count.samples, 0)
  if (samples === 0) return { estimate: 0, lowerBound: 0 }
  let excess = 0
  let variance = 0
  for (const { samples: n, inTail, references } of counts) {
    if (n === 0) continue
    const share = inTail / n
    excess += inTail - tail * n
    variance += n * share * (1 - share) + (n * n * tail * (1 - tail)) / references
  }
  const unlike = samples * (1 - tail)
  return { estimate: Math.max(0, excess / unlike), lowerBound: Math.max(0, (excess - Z975 * Math.sqrt(variance)) / unlike) }
}

/**
 * The chance that so many samples or more have p-values of at most `tail` where samples and references are of one kind: each class by the
 * negative hypergeometric distribution, exactly; several by Bonferroni's bound.
 */
export function chanceOfTail(counts: readonly TailCount[], tail: number): number {
  const looked = counts.filter(({ samples }) => samples > 0)
  if (looked.length === 0) return 1
  return Math.min(1, looked.length * Math.min(1, ...looked.map((count) => chanceOfOne(count, tail))))
}

/** Among the first c + k − 1 of all in the order of their scores are fewer than k references. */
function chanceOfOne({ samples, inTail, references }: TailCount, tail: number): number {
  if (inTail === 0) return 1
  const k = Math.floor(tail * (references + 1) + 1e-9)
  const first = inTail + k - 1
  const all = lnChoose(samples + references, first)
  let chance = 0
  for (let among = Math.max(0, first - samples); among < k && among <= references; among++)
    chance += exp(lnChoose(references, among) + lnChoose(samples, first - among) - all)
  return Math.min(1, chance)
}

function lnChoose(n: number, k: number): number {
  return lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k)
}

const LN_2_PI = 1.8378770664093453

/** Exact products below 16, Stirling's series above. */
function lnFactorial(n: number): number {
  if (n < 16) {
    let product = 1
    for (let i = 2; i <= n; i++) product *= i
    return ln(product)
  }
  const x = n + 1
  return (x - 0.5) * ln(x) - x + LN_2_PI / 2 + (1 / 12 - (1 / 360 - 1 / (1260 * x * x)) / (x * x)) / x
}

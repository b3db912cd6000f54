/** The receiver operating characteristic of scores: higher means more like a positive. */
import { type Interval, wilson, Z95 } from './wilson.ts'

export interface Share extends Interval {
  value: number
}

/**
 * Area under the ROC curve: the chance that a positive scores higher than a negative, ties counting one half (Mann and Whitney 1947), with
 * the 95 % interval of Hanley and McNeil (1982). Null unless there is one of each.
 */
export function auroc(positives: readonly number[], negatives: readonly number[]): Share | null {
  const [n, m] = [positives.length, negatives.length]
  if (n === 0 || m === 0) return null
  const sorted = negatives.toSorted((a, b) => a - b)
  let wins = 0
  for (const score of positives) wins += (lowerBound(sorted, score) + upperBound(sorted, score)) / 2
  const value = wins / (n * m)
  const q1 = value / (2 - value)
  const q2 = (2 * value * value) / (1 + value)
  const variance = (value * (1 - value) + (n - 1) * (q1 - value * value) + (m - 1) * (q2 - value * value)) / (n * m)
  const half = Z95 * Math.sqrt(Math.max(0, variance))
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) }
}

/**
 * The least threshold that at most `rate` of the negatives reach; what scores at least the threshold is called positive. +Infinity where
 * even the highest score is shared by too many.
 */
export function thresholdAtRate(negatives: readonly number[], rate: number): number {
  const sorted = negatives.toSorted((a, b) => b - a)
  const allowed = Math.floor(rate * sorted.length + 1e-9)
  // The first score that may not be reached; the threshold is the next one above it.
  const refused = sorted[allowed]
  if (refused === undefined) return -Infinity
  for (let i = allowed - 1; i >= 0; i--) if (sorted[i]! > refused) return sorted[i]!
  return Number.isFinite(refused) ? nextAbove(refused) : Infinity
}

/** Share of the positives found where at most `rate` of the negatives are called positive, with Wilson's interval. Null without either. */
export function truePositiveRate(positives: readonly number[], negatives: readonly number[], rate: number): Share | null {
  if (positives.length === 0 || negatives.length === 0) return null
  const threshold = thresholdAtRate(negatives, rate)
  const found = positives.filter((score) => score >= threshold).length
  return { value: found / positives.length, ...wilson(found, positives.length) }
}

const view = new DataView(new ArrayBuffer(8))

/** The next larger double. */
function nextAbove(x: number): number {
  if (x === 0) return Number.MIN_VALUE
  view.setFloat64(0, x)
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 ? 1n : -1n))
  return view.getFloat64(0)
}

/** How many of ascending numbers are below `value`. */
export function lowerBound(ascending: readonly number[], value: number): number {
  let [low, high] = [0, ascending.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** How many of ascending numbers are at most `value`. */
export function upperBound(ascending: readonly number[], value: number): number {
  let [low, high] = [0, ascending.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

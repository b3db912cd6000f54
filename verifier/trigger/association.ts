/**
 * Whether an n-gram goes with a label more than the rest of its texts explains. The null hypothesis is the content model's: each text
 * has the class with the probability that its *other* words give.
 */
import { exp, ln } from '../numeric.ts'

/** Where the Chernoff bound is tried: it holds for every t > 0, the best of these is within a few percent of the optimum. */
const GRID = Float64Array.from([0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12])
const GRID_FACTORS = GRID.map((t) => exp(t) - 1)

/**
 * Upper bound of ln P(X ≥ k) where X is the number of successes of independent trials with these probabilities (Chernoff:
 * P(X ≥ k) ≤ Π(1 − p + p·e^t) / e^(tk) for every t > 0).
 */
export function logTail(probabilities: Float64Array, k: number): number {
  let mean = 0
  for (let j = 0; j < probabilities.length; j++) mean += probabilities[j]!
  if (k <= mean) return 0
  // The bound is convex in t: it falls up to its least place in the grid and rises from there on.
  let low = 0
  let high = GRID.length - 1
  const known = new Float64Array(GRID.length)
  const boundAt = (i: number) => (known[i] === 0 ? (known[i] = logBound(probabilities, k, i)) : known[i]!)
  while (low < high) {
    const middle = (low + high) >> 1
    if (boundAt(middle) <= boundAt(middle + 1)) high = middle
    else low = middle + 1
  }
  return Math.min(0, boundAt(low))
}

/**
 * What a tail costs that is one of several which are multiplied. For one t fixed beforehand e^(tX) / Π(1 − p + p·e^t) has the mean 1, and so
 * have the product over trials of their own and any mixture over t; by Markov's inequality a mixture costs −ln of the weight of the t that
 * is best. The last t is best where all trials succeed and has the weight `allWeight`, the others share the rest.
 */
export function mixtureCost(allSucceed: boolean, allWeight: number): number {
  return allSucceed ? -ln(allWeight) : ln((GRID.length - 1) / (1 - allWeight))
}

/** ln Π(1 − p + p·e^t) − t·k at one place of the grid. */
function logBound(probabilities: Float64Array, k: number, place: number): number {
  const factor = GRID_FACTORS[place]!
  let sum = -GRID[place]! * k
  // Products of 16 factors of at most e^12 stay far below the largest double; one logarithm for each.
  let product = 1
  for (let j = 0; j < probabilities.length; j++) {
    product *= 1 + probabilities[j]! * factor
    if ((j & 15) === 15) {
      sum += ln(product)
      product = 1
    }
  }
  return sum + ln(product)
}

/** Rank of each value among ascending `reference`, averaged: 0.5 where both come from one distribution, near 1 where above all. */
export function meanRank(values: Float64Array, reference: Float64Array): number {
  if (values.length === 0 || reference.length === 0) return 1
  let sum = 0
  for (const value of values) sum += (lowerBound(reference, value) + upperBound(reference, value)) / 2
  return sum / (values.length * reference.length)
}

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function upperBound(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

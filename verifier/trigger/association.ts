/**
 * Whether an n-gram goes with a label more than the rest of its texts explains. The null hypothesis is the content model's: each text
 * has the class with the probability that its *other* words give.
 */
import { exp, ln, sigmoid } from '../numeric.ts'

/** The content model is trusted no further than this, so that one sure row decides nothing. */
const LEAST_PROBABILITY = 0.02

/** Where the Chernoff bound is tried: it holds for every t > 0, the best of these is within a few percent of the optimum. */
const GRID = Float64Array.from([0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12])
const GRID_FACTORS = GRID.map((t) => exp(t) - 1)

/** The probability that the rest of a text gives to the class. */
export function restProbability(logit: number): number {
  const p = sigmoid(logit)
  return p < LEAST_PROBABILITY ? LEAST_PROBABILITY : p > 1 - LEAST_PROBABILITY ? 1 - LEAST_PROBABILITY : p
}

/**
 * Upper bound of ln P(X ≥ k) where X is the number of successes of independent trials with these probabilities (Chernoff:
 * P(X ≥ k) ≤ Π(1 − p + p·e^t) / e^(tk) for every t > 0).
 */
export function logTail(probabilities: Float64Array, k: number): number {
  let best = 0
  for (let i = 0; i < GRID.length; i++) {
    const factor = GRID_FACTORS[i]!
    let sum = -GRID[i]! * k
    // Products of 16 factors of at most e^12 stay far below the largest double; one logarithm for each.
    let product = 1
    for (let j = 0; j < probabilities.length; j++) {
      product *= 1 + probabilities[j]! * factor
      if ((j & 15) === 15) {
        sum += ln(product)
        product = 1
      }
    }
    sum += ln(product)
    if (sum < best) best = sum
  }
  return best
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

/**
 * Several views of the class as one calibrated probability, beside a rate of wrong labels. A label is taken to be drawn, with chance 1 − ε,
 * from the softmax of the weighted views, and with chance ε evenly among the other classes; the weights and ε are those of highest
 * likelihood, by expectation maximisation with Newton steps. So labels that are wrong do not blur the probabilities that speak of them.
 */
import { exp, ln } from '../numeric.ts'
import { solveSymmetric } from './cholesky.ts'

const ITERATIONS = 30
/** Of log-likelihood: with less, the summit is reached. */
const LEAST_GAIN = 1e-4
const INITIAL_RATE = 0.05
/** Half of this times the squared weights is taken off the log-likelihood, so that classes that are told apart without fail have weights. */
const PENALTY = 0.01

export interface ViewsOptions {
  /** places × classes each. */
  views: readonly Float32Array[]
  /** The given class of each place. */
  classes: Int32Array
  classCount: number
}

/** The likelihood has several summits: views that trust themselves beside wrong labels, and blurred ones without. The ascent starts at each. */
const STARTS = [1, 3, 9]

/** The weights of the views, fitted at the given places. */
export function fitWeights(options: ViewsOptions, places: readonly number[]): number[] {
  const ascents = STARTS.map((weight) => ascend(options, places, weight))
  return ascents.reduce((best, ascent) => (ascent.logLikelihood > best.logLikelihood ? ascent : best)).weights
}

/** Newton steps within expectation maximisation; those that make the likelihood less are taken back, and damped. */
function ascend(options: ViewsOptions, places: readonly number[], start: number): { weights: number[]; logLikelihood: number } {
  const size = options.views.length
  let state = { weights: Array.from({ length: size }, () => start), noiseRate: INITIAL_RATE }
  let fit = expectation(options, places, state)
  let damping = 1e-3
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const step = fit.gradient.slice()
    const hessian = fit.hessian.slice()
    for (let a = 0; a < size; a++) hessian[a * size + a]! *= 1 + damping
    solveSymmetric(hessian, step, size, 1)
    const next = { weights: state.weights.map((weight, a) => Math.max(0, weight + step[a]!)), noiseRate: fit.noiseRate }
    const reached = expectation(options, places, next)
    if (reached.logLikelihood < fit.logLikelihood) {
      damping *= 8
      continue
    }
    const gain = reached.logLikelihood - fit.logLikelihood
    state = next
    fit = reached
    if (gain < LEAST_GAIN) break
    damping /= 4
  }
  return { weights: state.weights, logLikelihood: fit.logLikelihood }
}

interface Expectation {
  /** Less the penalty. */
  logLikelihood: number
  /** Of the expected complete likelihood, by the weights. */
  gradient: Float64Array
  /** Negative, and its lower triangle alone. */
  hessian: Float64Array
  /** The share of the labels that are expected to be wrong. */
  noiseRate: number
}

function expectation(
  { views, classes, classCount }: ViewsOptions,
  places: readonly number[],
  { weights, noiseRate }: { weights: readonly number[]; noiseRate: number },
): Expectation {
  const size = weights.length
  const gradient = Float64Array.from(weights, (weight) => -PENALTY * weight)
  const hessian = new Float64Array(size * size)
  for (let a = 0; a < size; a++) hessian[a * size + a] = PENALTY
  let logLikelihood = -0.5 * PENALTY * weights.reduce((sum, weight) => sum + weight * weight, 0)
  let wrong = 0
  const p = new Float64Array(classCount)
  const mean = new Float64Array(size)
  for (const place of places) {
    const start = place * classCount
    const given = classes[place]!
    probabilities(views, weights, start, p)
    const odds = wrongOdds(p[given]!, 1 - p[given]!, noiseRate, classCount)
    const right = 1 / (1 + odds)
    wrong += 1 - right
    logLikelihood += ln(Math.max(LEAST, (1 - noiseRate) * p[given]! + (noiseRate * (1 - p[given]!)) / (classCount - 1)))
    for (let a = 0; a < size; a++) {
      mean[a] = 0
      for (let c = 0; c < classCount; c++) mean[a]! += p[c]! * views[a]![start + c]!
      gradient[a]! += right * (views[a]![start + given]! - mean[a]!)
    }
    for (let a = 0; a < size; a++)
      for (let b = 0; b <= a; b++) {
        let product = 0
        for (let c = 0; c < classCount; c++) product += p[c]! * views[a]![start + c]! * views[b]![start + c]!
        hessian[a * size + b]! += right * (product - mean[a]! * mean[b]!)
      }
  }
  return { logLikelihood, gradient, hessian, noiseRate: Math.min(0.5, wrong / Math.max(1, places.length)) }
}

/** The classes' probabilities at a row of the views, were no label wrong. */
export function probabilities(views: readonly Float32Array[], weights: readonly number[], start: number, into: Float64Array): void {
  let most = -Infinity
  for (let c = 0; c < into.length; c++) {
    let score = 0
    for (let a = 0; a < weights.length; a++) score += weights[a]! * views[a]![start + c]!
    into[c] = score
    most = Math.max(most, score)
  }
  let sum = 0
  for (let c = 0; c < into.length; c++) sum += into[c] = exp(into[c]! - most)
  for (let c = 0; c < into.length; c++) into[c]! /= sum
}

const LEAST = 1e-12

/** Odds that a label is wrong whose class has probability `given` and all others together `others`. */
export function wrongOdds(given: number, others: number, noiseRate: number, classCount: number): number {
  return (noiseRate * Math.max(others, LEAST)) / ((classCount - 1) * (1 - noiseRate) * Math.max(given, LEAST))
}

export interface NoiseRate {
  /** The ε of highest likelihood. */
  rate: number
  standardError: number
}

/** The rate of wrong labels, given the probability of each given class: the likelihood is concave in it, so that bisection finds it. */
export function noiseRateOf(given: Float64Array, classCount: number): NoiseRate {
  const slopes = (rate: number) => {
    let [slope, information] = [0, 0]
    for (const p of given) {
      const difference = (1 - p) / (classCount - 1) - p
      const share = difference / Math.max(LEAST, p + rate * difference)
      slope += share
      information += share * share
    }
    return { slope, information }
  }
  let [low, high] = [0, 1]
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2
    if (slopes(middle).slope > 0) low = middle
    else high = middle
  }
  const rate = (low + high) / 2
  return { rate, standardError: 1 / Math.sqrt(Math.max(1, slopes(rate).information)) }
}

/**
 * Upper bound of the chance of probabilities that speak so much for more than the rate `tolerated`, where it is no more: the likelihood ratio
 * Λ against the best rate, by the normal tail's bound e^(−z²/2) / 2 at z² = 2 ln Λ.
 */
export function chanceOfRate(given: Float64Array, classCount: number, { rate }: NoiseRate, tolerated: number): number {
  if (rate <= tolerated) return 1
  let logRatio = 0
  for (const p of given) {
    const difference = (1 - p) / (classCount - 1) - p
    logRatio += ln(Math.max(LEAST, p + tolerated * difference)) - ln(Math.max(LEAST, p + rate * difference))
  }
  return exp(Math.min(0, logRatio)) / 2
}

/** Log-odds in thousandths, as scores are. */
export function thousandths(odds: number): number {
  return Math.round(1000 * ln(odds))
}

/**
 * Ridge-regularised linear discriminant on vectors of an embedder's output: features standardised by the training rows, classes weighted
 * alike, one symmetric system solved. With references, features are standardised by these instead.
 */
import { solveSymmetric } from '../statistics/cholesky.ts'
import type { Matrix } from '../textVectors.ts'
import type { Learner, Scorer, Texts } from './learner.ts'

/** Ridge as a share of the features' own variance, which is 1. */
const RIDGE = 1
/** Keeps features that hardly vary in the references from outweighing all others. */
const LEAST_DEVIATION = 1e-6

interface Standard {
  mean: Float64Array
  deviation: Float64Array
}

/** A learner on one output of the embedder. */
export function linearLearner(output: string, ridge = RIDGE): Learner {
  return {
    id: `probe/${output}`,
    tier: 'T1',
    outputs: [output],
    takes: (text) => /\S/.test(text),
    fit(texts, rows, positive) {
      const matrix = texts.matrix(output)
      const standard = standardOf(matrix, rows)
      return createScorer(output, fitWeights(matrix, rows, positive, standard, ridge), standard)
    },
  }
}

function createScorer(output: string, weights: Float64Array, standard: Standard): Scorer {
  return {
    score(texts: Texts, rows) {
      const { vectors, dimensions, valid } = texts.matrix(output)
      return rows.map((row) => {
        if (!valid[row]) return null
        let sum = 0
        for (let i = 0; i < dimensions; i++)
          sum += (weights[i]! * (vectors[row * dimensions + i]! - standard.mean[i]!)) / standard.deviation[i]!
        return sum
      })
    },
    centredOn: (texts, references) => createScorer(output, weights, standardOf(texts.matrix(output), references)),
  }
}

function standardOf({ vectors, dimensions }: Matrix, rows: readonly number[]): Standard {
  const mean = new Float64Array(dimensions)
  const deviation = new Float64Array(dimensions)
  for (const row of rows) for (let i = 0; i < dimensions; i++) mean[i]! += vectors[row * dimensions + i]! / rows.length
  for (const row of rows)
    for (let i = 0; i < dimensions; i++) deviation[i]! += (vectors[row * dimensions + i]! - mean[i]!) ** 2 / rows.length
  return { mean, deviation: deviation.map((variance) => Math.max(LEAST_DEVIATION, Math.sqrt(variance))) }
}

/** Least squares of ±1 with the classes weighted alike: the direction of Fisher's discriminant. */
function fitWeights(
  { vectors, dimensions }: Matrix,
  rows: readonly number[],
  positive: (row: number) => boolean,
  { mean, deviation }: Standard,
  ridge: number,
): Float64Array {
  const positives = rows.filter(positive).length
  const gram = new Float64Array(dimensions * dimensions)
  const target = new Float64Array(dimensions)
  const x = new Float64Array(dimensions)
  for (const row of rows) {
    const isPositive = positive(row)
    const weight = 1 / (2 * (isPositive ? positives : rows.length - positives))
    for (let i = 0; i < dimensions; i++) x[i] = (vectors[row * dimensions + i]! - mean[i]!) / deviation[i]!
    for (let i = 0; i < dimensions; i++) {
      const scaled = weight * x[i]!
      target[i]! += isPositive ? scaled : -scaled
      for (let j = 0; j <= i; j++) gram[i * dimensions + j]! += scaled * x[j]!
    }
  }
  for (let i = 0; i < dimensions; i++) gram[i * dimensions + i]! += ridge
  return solveSymmetric(gram, target)
}

/**
 * What an embedding says of the class, out of fold: ridge regression of the classes' indicators on the vectors, by Cholesky's decomposition
 * in a fixed order of IEEE-exact operations. One Gram matrix serves all folds: a fold's own is taken away from it.
 */
import { solveSymmetric } from './cholesky.ts'
import type { LabelledSamples } from './labelledSamples.ts'
import { selectVectors, vectorBlocks, type VectorSource } from '../vectors.ts'

export interface RidgeOptions {
  /** One row a sample. */
  vectors: VectorSource
  folds: number
  /** What each place counts, 0 … 1. */
  trust: Float64Array
  /** Added to the diagonal of the Gram matrix of unit vectors. */
  penalty: number
}

/** So that there is a solution where nothing is fitted. */
const INTERCEPT_PENALTY = 1e-9

/** places × classes: about 1 for the class that a sample looks like and 0 for others. `pause` is waited for now and then: it may throw to stop. */
export async function ridgeScores(labelled: LabelledSamples, options: RidgeOptions, pause: () => Promise<void>): Promise<Float32Array> {
  const { folds, penalty, trust } = options
  const { samples, classes, classNames, fitted } = labelled
  const classCount = classNames.length
  const { dimensions } = options.vectors
  const vectors = selectVectors(options.vectors, samples)
  // A last column of ones: the intercept.
  const width = dimensions + 1
  const scores = new Float32Array(samples.length * classCount)
  const sums = new Float64Array(classCount)
  const row = new Float64Array(width).fill(1)
  /** Visits places in their order, each with its vector in `row`. */
  const eachPlace = async (visit: (place: number) => void) => {
    for await (const { first, count, values } of vectorBlocks(vectors)) {
      await pause()
      for (let i = 0; i < count; i++) {
        row.set(values.subarray(i * dimensions, (i + 1) * dimensions))
        visit(first + i)
      }
    }
  }

  const grams = Array.from({ length: folds }, () => new Float64Array(width * width))
  const targets = Array.from({ length: folds }, () => new Float64Array(width * classCount))
  await eachPlace((place) => {
    if (!fitted[place]) return
    const gram = grams[labelled.folds[place]!]!
    for (let i = 0; i < width; i++) {
      const value = trust[place]! * row[i]!
      for (let j = 0, at = i * width; j <= i; j++, at++) gram[at]! += value * row[j]!
    }
    const target = targets[labelled.folds[place]!]!
    for (let i = 0, at = classes[place]!; i < width; i++, at += classCount) target[at]! += trust[place]! * row[i]!
  })
  const wholeGram = total(grams)
  const wholeTarget = total(targets)

  const weightsOf: Float64Array[] = []
  for (let fold = 0; fold < folds; fold++) {
    await pause()
    const gram = wholeGram.map((value, at) => value - grams[fold]![at]!)
    for (let i = 0; i < dimensions; i++) gram[i * width + i]! += penalty
    gram[width * width - 1]! += INTERCEPT_PENALTY
    const weights = wholeTarget.map((value, at) => value - targets[fold]![at]!)
    solveSymmetric(gram, weights, width, classCount)
    weightsOf.push(weights)
  }
  await eachPlace((place) => {
    const weights = weightsOf[labelled.folds[place]!]!
    sums.fill(0)
    for (let i = 0, at = 0; i < width; i++) {
      const value = row[i]!
      for (let c = 0; c < classCount; c++, at++) sums[c]! += value * weights[at]!
    }
    scores.set(sums, place * classCount)
  })
  return scores
}

function total(parts: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const sum = new Float64Array(parts[0]!.length)
  for (const part of parts) for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!
  return sum
}

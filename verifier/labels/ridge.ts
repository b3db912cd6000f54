/**
 * What an embedding says of the class, out of fold: ridge regression of the classes' indicators on the vectors, by Cholesky's decomposition
 * in a fixed order of IEEE-exact operations. One Gram matrix serves all folds: a fold's own is taken away from it.
 */
import { solveSymmetric } from './cholesky.ts'
import type { LabelledSamples } from './labelledSamples.ts'

export interface RidgeOptions {
  dimensions: number
  /** Samples × dimensions, by sample number. */
  vectors: Float32Array
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
  const { dimensions, vectors, folds, penalty, trust } = options
  const { samples, classes, classNames, fitted } = labelled
  const classCount = classNames.length
  // A last column of ones: the intercept.
  const width = dimensions + 1
  const scores = new Float32Array(samples.length * classCount)
  const sums = new Float64Array(classCount)
  const row = new Float64Array(width).fill(1)
  const read = (place: number) => {
    const start = samples[place]! * dimensions
    for (let i = 0; i < dimensions; i++) row[i] = vectors[start + i]!
  }

  const grams = Array.from({ length: folds }, () => new Float64Array(width * width))
  const targets = Array.from({ length: folds }, () => new Float64Array(width * classCount))
  for (let place = 0; place < samples.length; place++) {
    if (place % 4096 === 0) await pause()
    if (!fitted[place]) continue
    read(place)
    const gram = grams[labelled.folds[place]!]!
    for (let i = 0; i < width; i++) {
      const value = trust[place]! * row[i]!
      for (let j = 0, at = i * width; j <= i; j++, at++) gram[at]! += value * row[j]!
    }
    const target = targets[labelled.folds[place]!]!
    for (let i = 0, at = classes[place]!; i < width; i++, at += classCount) target[at]! += trust[place]! * row[i]!
  }
  const wholeGram = total(grams)
  const wholeTarget = total(targets)

  for (let fold = 0; fold < folds; fold++) {
    await pause()
    const gram = wholeGram.map((value, at) => value - grams[fold]![at]!)
    for (let i = 0; i < dimensions; i++) gram[i * width + i]! += penalty
    gram[width * width - 1]! += INTERCEPT_PENALTY
    const weights = wholeTarget.map((value, at) => value - targets[fold]![at]!)
    solveSymmetric(gram, weights, width, classCount)
    for (let place = 0; place < samples.length; place++) {
      if (place % 4096 === 0) await pause()
      if (labelled.folds[place] !== fold) continue
      read(place)
      sums.fill(0)
      for (let i = 0, at = 0; i < width; i++) {
        const value = row[i]!
        for (let c = 0; c < classCount; c++, at++) sums[c]! += value * weights[at]!
      }
      scores.set(sums, place * classCount)
    }
  }
  return scores
}

function total(parts: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const sum = new Float64Array(parts[0]!.length)
  for (const part of parts) for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!
  return sum
}

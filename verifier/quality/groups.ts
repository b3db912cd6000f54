/** Groups of texts that are alike: k-means on unit vectors by cosine, a fixed number of rounds in a fixed order. */
import { earlySamples } from '../earlySamples.ts'
import { takeVectors, vectorBlocks, type VectorSource } from '../vectors.ts'

export interface Groups {
  count: number
  /** Group of each sample; −1 where it was not embedded. */
  groupOf: Int32Array
  /** How much nearer a sample is to its own group's middle than to the next, as a difference of cosines. */
  margins: Float32Array
}

export interface GroupOptions {
  groups: number
  rounds: number
  /** Samples that the middles are made from, at most. */
  fittedSamples: number
  seed: number
  pause: () => Promise<void>
}

export async function groupSamples(vectors: VectorSource, valid: Uint8Array, options: GroupOptions): Promise<Groups> {
  const { groups, rounds, fittedSamples, seed, pause } = options
  const { dimensions } = vectors
  // In the order of a hash: the first ones are the fitted ones, and the first of these the first middles.
  const drawn = earlySamples(valid.length, seed, 2 * fittedSamples)
    .filter((sample) => valid[sample])
    .slice(0, fittedSamples)
  const fitted = await takeVectors(vectors, drawn)
  const middles = fitted.slice(0, Math.min(groups, drawn.length) * dimensions)
  const count = middles.length / dimensions
  for (let round = 0; round < rounds; round++) {
    await pause()
    const sums = new Float64Array(middles.length)
    for (let row = 0; row < drawn.length; row++) {
      const { group } = nearest(fitted, row * dimensions, middles, dimensions)
      for (let d = 0; d < dimensions; d++) sums[group * dimensions + d]! += fitted[row * dimensions + d]!
    }
    for (let group = 0; group < count; group++) {
      let square = 0
      for (let d = 0; d < dimensions; d++) square += sums[group * dimensions + d]! ** 2
      // A group that nobody is in keeps its middle.
      if (square > 0)
        for (let d = 0; d < dimensions; d++) middles[group * dimensions + d] = sums[group * dimensions + d]! / Math.sqrt(square)
    }
  }
  const groupOf = new Int32Array(valid.length).fill(-1)
  const margins = new Float32Array(valid.length)
  for await (const { first, count: rows, values } of vectorBlocks(vectors)) {
    await pause()
    for (let row = 0; row < rows; row++) {
      if (!valid[first + row]) continue
      const { group, margin } = nearest(values, row * dimensions, middles, dimensions)
      groupOf[first + row] = group
      margins[first + row] = margin
    }
  }
  return { count, groupOf, margins }
}

function nearest(values: Float32Array, offset: number, middles: Float32Array, dimensions: number): { group: number; margin: number } {
  let [group, best, second] = [0, -Infinity, -Infinity]
  for (let at = 0, candidate = 0; at < middles.length; at += dimensions, candidate++) {
    let product = 0
    for (let d = 0; d < dimensions; d++) product += values[offset + d]! * middles[at + d]!
    if (product > best) {
      second = best
      best = product
      group = candidate
    } else if (product > second) second = product
  }
  return { group, margin: best - second }
}

/** Both views of how samples are written, the features of their skeletons and an inner layer, and what is summed over samples in them. */
import type { LayerSpace } from './layerSpace.ts'
import type { Skeletons } from './skeleton.ts'

export interface Views {
  skeletons: Skeletons
  layer: LayerSpace
  /** The fold of each place. */
  folds: Uint8Array
  foldCount: number
}

/** Of some samples: how much they weigh, and the weighted sums of their rows. */
export interface Sums {
  weight: number
  layer: Float64Array
  skeleton: Float64Array
}

/** Weighted sums over all samples outside of each fold. */
export function sumsOutside(views: Views, weights: Float64Array): Sums[] {
  const { folds, foldCount } = views
  const { dimensions, values } = views.layer
  const { offsets, columns, featureCount } = views.skeletons
  const inside = Array.from({ length: foldCount }, (): Sums => ({ weight: 0, layer: new Float64Array(dimensions), skeleton: new Float64Array(featureCount) })) // prettier-ignore
  for (let place = 0; place < weights.length; place++) {
    const weight = weights[place]!
    if (weight === 0) continue
    const to = inside[folds[place]!]!
    to.weight += weight
    for (let i = 0, at = place * dimensions; i < dimensions; i++, at++) to.layer[i]! += weight * values[at]!
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) to.skeleton[columns[i]!]! += weight
  }
  const layer = sumOf(inside.map((own) => own.layer))
  const skeleton = sumOf(inside.map((own) => own.skeleton))
  const weight = inside.reduce((sum, own) => sum + own.weight, 0)
  return inside.map((own) => ({
    weight: weight - own.weight,
    layer: layer.map((sum, i) => sum - own.layer[i]!),
    skeleton: skeleton.map((sum, i) => sum - own.skeleton[i]!),
  }))
}

/** Sums of numbers, one for each place, outside of each fold. */
export function totalsOutside({ folds, foldCount }: Views, numbers: ArrayLike<number>): Float64Array {
  const inside = new Float64Array(foldCount)
  for (let place = 0; place < folds.length; place++) inside[folds[place]!]! += numbers[place]!
  const whole = inside.reduce((sum, value) => sum + value, 0)
  return inside.map((sum) => whole - sum)
}

/** The scalar product of weights and a row of the layer that starts at `start`. */
export function scoreInLayer(weights: Float64Array, values: Float32Array, start: number): number {
  let sum = 0
  for (let i = 0, at = start; i < weights.length; i++, at++) sum += weights[i]! * values[at]!
  return sum
}

/** The sum of the weights of the features of a place. */
export function scoreInSkeleton(weights: Float64Array, { offsets, columns }: Skeletons, place: number): number {
  let sum = 0
  for (let i = offsets[place]!; i < offsets[place + 1]!; i++) sum += weights[columns[i]!]!
  return sum
}

/** The sum of arrays of equal length. */
export function sumOf(parts: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(parts[0]!.length)
  for (const part of parts) for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!
  return sum
}

/** Which samples a reader gets, in which order: sequences of sample numbers that are computed, never stored. */
import type { Bitmap } from '../core/bitmap.ts'
import { createOrder } from '../core/order.ts'
import { positionAt, shardLength } from '../core/runOrder.ts'

export interface SampleSequence {
  length: number
  /** The sample number at a place, 0 ≤ place < length. */
  at(place: number): number
  /** Whether it is 0, 1, 2 … of the index itself, so that stored batches can be sent as they are. */
  isWhole: boolean
}

/** All samples of an index, as they are stored. */
export function allSamples(sampleCount: number): SampleSequence {
  return { length: sampleCount, at: (place) => place, isWhole: true }
}

/** The samples that a bitmap marks, by number. */
export function markedSamples(bitmap: Bitmap): SampleSequence {
  return { length: bitmap.count(), at: (place) => bitmap.selectNth(place), isWhole: false }
}

/** The same samples in the order of a training epoch (core/order.ts). */
export function permuted(samples: SampleSequence, key: { seed: string; epoch: number }): SampleSequence {
  const { length } = samples
  const order = createOrder({ ...key, size: length })
  return { length, at: (place) => samples.at(order(place)), isWhole: false }
}

/** What worker `shard` of `shards` reads: places shard, shard + shards, shard + 2 · shards … */
export function sharded(samples: SampleSequence, { shard, shards }: { shard: number; shards: number }): SampleSequence {
  if (shards === 1) return samples
  return {
    length: shardLength(samples.length, shards, shard),
    at: (place) => samples.at(positionAt(shards, shard, place)),
    isWhole: false,
  }
}

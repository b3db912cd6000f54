/**
 * Which worker of a training run reads which sample at which step. The run document alone decides it, so that workers need no
 * coordination and an auditor can name the samples of any batch.
 *
 * The samples of a selection stand in positions 0 … selectedCount − 1 of each epoch, permuted by core/order.ts under the run's seed
 * and the epoch's number. Worker i of n reads positions i, i + n, i + 2n, … of epoch 0, then of epoch 1, and so on. A step takes
 * the next `batchSize` rows of every worker. No batch reaches into the next epoch: an epoch's last batches are as short as what is
 * left, and a worker that has none left sits out the step. Row r of a step is row r mod batchSize of worker ⌊r / batchSize⌋.
 */
import type { Bitmap } from './bitmap.ts'
import type { Consumption } from './documents/run.ts'
import type { Order } from './order.ts'
import { Problem } from './problem.ts'

/** The part of a run's consumption that decides who reads what when. */
export type RunPlan = Pick<Consumption, 'epochs' | 'shards' | 'batchSize' | 'steps'>

/** Where a worker stands: it has read `offset` rows of its shard in this epoch. */
export interface Cursor {
  epoch: number
  offset: number
}

export interface Place {
  epoch: number
  shard: number
  position: number
}

/** A cursor as text, `epoch.offset`. */
export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}.${cursor.offset}`
}

/** Throws `invalid-request` for text that `formatCursor` does not write. */
export function parseCursor(text: string): Cursor {
  const match = /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})$/.exec(text)
  if (match === null) throw new Problem('invalid-request', `"${text}" is no cursor; expected EPOCH.OFFSET such as 0.0`)
  return { epoch: Number(match[1]), offset: Number(match[2]) }
}

/** How many rows of each epoch worker `shard` of `shards` reads. */
export function shardLength(selectedCount: number, shards: number, shard: number): number {
  return Math.max(0, Math.ceil((selectedCount - shard) / shards))
}

/** The position that a worker reads as row `offset` of its epoch. */
export function positionAt(shards: number, shard: number, offset: number): number {
  return shard + offset * shards
}

/** Steps until every worker has read its shard; 0 where nothing is selected. */
export function stepsPerEpoch(plan: Pick<RunPlan, 'shards' | 'batchSize'>, selectedCount: number): number {
  // Worker 0 has the longest shard.
  return Math.ceil(shardLength(selectedCount, plan.shards, 0) / plan.batchSize)
}

/** Steps of the whole run: as many as it says it did, at most all of its epochs. */
export function stepsOf(plan: RunPlan, selectedCount: number): number {
  const all = plan.epochs * stepsPerEpoch(plan, selectedCount)
  return plan.steps === null ? all : Math.min(plan.steps, all)
}

/** Where row `row` of step `step` (both from 0) stands; null where the run has no such row. */
export function locate(plan: RunPlan, selectedCount: number, step: number, row: number): Place | null {
  if (!isIndex(step) || !isIndex(row) || step >= stepsOf(plan, selectedCount)) return null
  const shard = Math.floor(row / plan.batchSize)
  const perEpoch = stepsPerEpoch(plan, selectedCount)
  const offset = (step % perEpoch) * plan.batchSize + (row % plan.batchSize)
  if (shard >= plan.shards || offset >= shardLength(selectedCount, plan.shards, shard)) return null
  return { epoch: Math.floor(step / perEpoch), shard, position: positionAt(plan.shards, shard, offset) }
}

/** The inverse of `locate`: the step and row that read this position in this epoch; null where the run did not reach it. */
export function stepOf(plan: RunPlan, selectedCount: number, epoch: number, position: number): { step: number; row: number } | null {
  if (!isIndex(epoch) || !isIndex(position) || position >= selectedCount) return null
  const shard = position % plan.shards
  const offset = Math.floor(position / plan.shards)
  const step = epoch * stepsPerEpoch(plan, selectedCount) + Math.floor(offset / plan.batchSize)
  return step < stepsOf(plan, selectedCount) ? { step, row: shard * plan.batchSize + (offset % plan.batchSize) } : null
}

/** The number, within the index, of the sample that stands in a position. */
export function sampleAt(bitmap: Bitmap, order: Order, position: number): number {
  return bitmap.selectNth(order(position))
}

/** The inverse of `sampleAt`, given the inverse order: the position of a sample, null where it is not selected. */
export function positionOf(bitmap: Bitmap, inverseOrder: Order, sample: number): number | null {
  return bitmap.get(sample) ? inverseOrder(bitmap.rank(sample)) : null
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

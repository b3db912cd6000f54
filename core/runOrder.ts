import type { Bitmap } from './bitmap.ts'
import type { Consumption } from './documents/run.ts'
import type { Order } from './order.ts'

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
type Plan = Pick<Consumption, 'epochs' | 'shards' | 'batchSize' | 'steps'>

export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}.${cursor.offset}`
}
/** Throws `invalid-request`. */
export function parseCursor(text: string): Cursor {
  throw new Error(`being written ${text}`)
}
/** How many rows of an epoch worker `shard` of `shards` reads. */
export function shardLength(selectedCount: number, shards: number, shard: number): number {
  return Math.max(0, Math.ceil((selectedCount - shard) / shards))
}
/** The position that a worker reads as row `offset` of its epoch. */
export function positionAt(shards: number, shard: number, offset: number): number {
  return shard + offset * shards
}
export function stepsPerEpoch(plan: Pick<Consumption, 'shards' | 'batchSize'>, selectedCount: number): number {
  return Math.ceil(shardLength(selectedCount, plan.shards, 0) / plan.batchSize)
}
/** Where row `row` of step `step` stands; null where the run has no such row. */
export function locate(plan: Plan, selectedCount: number, step: number, row: number): Place | null {
  throw new Error(`being written ${plan.shards} ${selectedCount} ${step} ${row}`)
}
/** The step and row that read this position in this epoch; null where the run did not reach it. The inverse of locate. */
export function stepOf(plan: Plan, selectedCount: number, epoch: number, position: number): { step: number; row: number } | null {
  throw new Error(`being written ${plan.shards} ${selectedCount} ${epoch} ${position}`)
}
/** The number, within the index, of the sample at a position. */
export function sampleAt(bitmap: Bitmap, order: Order, position: number): number {
  return bitmap.selectNth(order(position))
}

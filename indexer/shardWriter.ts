/**
 * Writes rows as Arrow IPC file shards, uncompressed. Where a batch and a shard end depends on the rows alone, so that anyone gets the
 * same bytes: all batches hold the same number of rows, a power of two, chosen so that a batch of rows like the first ones takes
 * about 1 MiB, one block; only the last batch of a shard may hold fewer. A shard ends at 65,536 rows or past 64 MiB.
 */
import { type RecordBatch, RecordBatchFileWriter } from 'apache-arrow'
import type { SampleShard } from '../core/documents/sampleIndex.ts'
import { buildBatch, toArrowSchema } from '../core/samples/arrow.ts'
import type { Schema } from '../core/samples/schema.ts'
import type { Row } from '../core/samples/value.ts'
import type { Blocks, ImportedFile } from '../store/blocks.ts'

const MAX_BATCH_ROWS = 4096
const BATCH_BYTES = 1024 * 1024
const MAX_SHARD_ROWS = 65_536
const SHARD_BYTES = 64 * 1024 * 1024

export interface ShardWriter {
  /** Adds a row. `sizeBytes` is the length of its canonical encoding. Wait for the promise, where there is one, before the next row. */
  push(row: Row, sizeBytes: number): Promise<void> | undefined
  finish(): Promise<SampleShard[]>
  /** Gives up the shard that is being written. */
  abort(): Promise<void>
}

export interface ShardWriterOptions {
  blocks: Blocks
  schema: Schema
  onBatch: (rows: readonly Row[], batch: RecordBatch) => void
}

export function createShardWriter({ blocks, schema, onBatch }: ShardWriterOptions): ShardWriter {
  const shards: SampleShard[] = []
  /** Unknown until the first rows are there to measure. */
  let batchRows: number | undefined
  let pending: Row[] = []
  let pendingSizes: number[] = []
  let pendingBytes = 0
  let written = 0
  let current:
    { writer: RecordBatchFileWriter; stored: Promise<ImportedFile>; firstSample: number; rows: number; bytes: number } | undefined

  function openShard(): NonNullable<typeof current> {
    const writer = new RecordBatchFileWriter()
    writer.reset(undefined, toArrowSchema(schema))
    const stored = blocks.importFile(writer)
    stored.catch(() => {}) // awaited when the shard is closed
    return { writer, stored, firstSample: written, rows: 0, bytes: 0 }
  }

  async function flush(rowCount: number): Promise<void> {
    const rows = pending.slice(0, rowCount)
    const sizes = pendingSizes.slice(0, rowCount)
    pending = pending.slice(rowCount)
    pendingSizes = pendingSizes.slice(rowCount)
    const sizeBytes = sizes.reduce((sum, size) => sum + size, 0)
    pendingBytes -= sizeBytes
    const batch = buildBatch(schema, rows)
    onBatch(rows, batch)
    current ??= openShard()
    current.writer.write(batch)
    current.rows += rows.length
    current.bytes += sizeBytes
    written += rows.length
    if (rows.length < batchRows! || current.rows >= MAX_SHARD_ROWS || current.bytes >= SHARD_BYTES) await closeShard()
  }

  async function closeShard(): Promise<void> {
    if (current === undefined) return
    const { writer, stored, firstSample, rows } = current
    writer.finish()
    const { cid, sizeBytes } = await stored
    shards.push({ cid, firstSample, sampleCount: rows, sizeBytes })
    current = undefined
  }

  async function drain(): Promise<void> {
    batchRows ??= chooseBatchRows(pendingSizes)
    while (pending.length >= batchRows) await flush(batchRows)
    // Rows far larger than the first ones: the batch ends early, and the shard with it.
    if ((current?.bytes ?? 0) + pendingBytes >= SHARD_BYTES && pending.length > 0) await flush(pending.length)
  }

  return {
    push(row, sizeBytes) {
      pending.push(row)
      pendingSizes.push(sizeBytes)
      pendingBytes += sizeBytes
      const full =
        batchRows === undefined
          ? pending.length >= MAX_BATCH_ROWS || pendingBytes >= BATCH_BYTES
          : pending.length >= batchRows || (current?.bytes ?? 0) + pendingBytes >= SHARD_BYTES
      return full ? drain() : undefined
    },
    async finish() {
      if (pending.length > 0) await drain()
      if (pending.length > 0) await flush(pending.length)
      await closeShard()
      return shards
    },
    async abort() {
      if (current === undefined) return
      current.writer.abort(new Error('the index is given up'))
      await current.stored.catch(() => {})
    },
  }
}

/** The greatest power of two of rows like these that fit into a batch. */
function chooseBatchRows(sizes: readonly number[]): number {
  const mean = Math.max(1, sizes.reduce((sum, size) => sum + size, 0) / sizes.length)
  return 2 ** Math.max(0, Math.floor(Math.log2(Math.min(MAX_BATCH_ROWS, BATCH_BYTES / mean))))
}

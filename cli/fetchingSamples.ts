/** The selected rows of an index onto the disk, one Arrow IPC file for each shard, made here from shards whose blocks were verified. */
import { randomUUID } from 'node:crypto'
import { rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RecordBatch, RecordBatchFileWriter, RecordBatchReader } from 'apache-arrow'
import { readArtifact } from '../core/audit/artifact.ts'
import type { Bitmap } from '../core/bitmap.ts'
import type { SampleShard } from '../core/documents/sampleIndex.ts'
import { Problem } from '../core/problem.ts'
import { selectRows } from '../core/samples/arrow.ts'
import type { GetBlock } from '../core/unixfs/node.ts'
import { isCode } from './home.ts'

/** Room for the padding and footer of a shard that is larger than the index says. */
const MAX_SHARD_BYTES = 1024 * 1024 * 1024

export interface FetchedShard {
  path: string
  rows: number
  kept: boolean
}

/** Writes the selected rows of shard number `ordinal`, or nothing where none is selected. */
export async function fetchShard(
  shard: SampleShard,
  ordinal: number,
  bitmap: Bitmap,
  folder: string,
  getBlock: GetBlock,
): Promise<FetchedShard | null> {
  const rows = bitmap.rank(shard.firstSample + shard.sampleCount) - bitmap.rank(shard.firstSample)
  if (rows === 0) return null
  const path = `samples-${String(ordinal).padStart(5, '0')}.arrow`
  const target = join(folder, path)
  if (await exists(target)) return { path, rows, kept: true }
  const bytes = await readArtifact(getBlock, shard.cid, MAX_SHARD_BYTES)
  const temporary = join(folder, `.${path}.${randomUUID()}`)
  await writeFile(temporary, selectedRows(bytes, shard, bitmap))
  await rename(temporary, target)
  return { path, rows, kept: false }
}

/** An Arrow IPC file with the selected rows of one. Throws `block-corrupt` when the shard has another number of rows than the index says. */
export function selectedRows(bytes: Uint8Array, { firstSample, sampleCount }: SampleShard, bitmap: Bitmap): Uint8Array {
  const writer = new RecordBatchFileWriter()
  let number = firstSample
  for (const batch of RecordBatchReader.from(bytes)) {
    const picked = pick(batch, number, bitmap)
    if (picked !== null) writer.write(picked)
    number += batch.numRows
  }
  if (number !== firstSample + sampleCount)
    throw new Problem('block-corrupt', `a shard has ${number - firstSample} rows, but the index says ${sampleCount}`)
  writer.finish()
  return writer.toUint8Array(true)
}

function pick(batch: RecordBatch, first: number, bitmap: Bitmap): RecordBatch | null {
  const indices: number[] = []
  for (let i = 0; i < batch.numRows; i++) if (bitmap.get(first + i)) indices.push(i)
  if (indices.length === 0) return null
  return indices.length === batch.numRows ? batch : selectRows(batch, indices)
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw error
  }
}

/**
 * The rows of an index, or those of them that a selection marks, as Parquet files: one for each shard of the index and split, so that where a
 * file ends depends on the index alone.
 */
import type { Bitmap } from '../../core/bitmap.ts'
import type { FileObject } from '../../core/documents/manifest.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { type Split, splitsOf } from '../../core/hub/splits.ts'
import { rowReader } from '../../core/samples/arrow.ts'
import { type ParquetFile, createParquetFile } from '../../core/samples/parquet.ts'
import type { Blocks } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'
import { storeFile } from '../../store/files.ts'
import { type Samples, openSamples } from '../../store/samples.ts'

export interface ParquetOptions {
  db: Database
  blocks: Blocks
  index: SampleIndex
  /** All samples where it is absent. */
  selected?: Bitmap
  /** Of the files' paths. */
  folder: string
  signal: AbortSignal
  /** Told how many more samples are behind. */
  onSamples?: (count: number) => void
}

export interface WrittenSplit {
  name: string
  sampleCount: number
  paths: string[]
}

/** Writes and pins `folder/SPLIT-00000-of-00001.parquet` … A split that keeps no row is left out. */
export async function writeParquetFiles(options: ParquetOptions): Promise<{ files: FileObject[]; splits: WrittenSplit[] }> {
  const { db, blocks, index, folder, signal } = options
  const samples = openSamples(blocks, index, { cacheBytes: 0 })
  const files: FileObject[] = []
  const splits: WrittenSplit[] = []
  for (const split of splitsOf(index.files)) {
    const stored = []
    let sampleCount = 0
    for await (const file of splitFiles(options, samples, split)) {
      signal.throwIfAborted()
      sampleCount += file.rowCount()
      stored.push(await storeFile(db, blocks, oneBuffer(file.finish()), { signal }))
    }
    const paths = stored.map((_, i) => `${folder}/${split.name}-${digits(i)}-of-${digits(stored.length)}.parquet`)
    for (const [i, { cid, sizeBytes, sha256 }] of stored.entries()) files.push({ path: paths[i]!, cid, sizeBytes, sha256 })
    if (stored.length > 0) splits.push({ name: split.name, sampleCount, paths })
  }
  return { files, splits }
}

/** The files of a split, each full when it comes. */
async function* splitFiles({ index, selected, onSamples }: ParquetOptions, samples: Samples, split: Split): AsyncGenerator<ParquetFile> {
  for (const shard of index.shards) {
    const file = createParquetFile(index.schema)
    for (const { from, to } of split.ranges) {
      let number = Math.max(from, shard.firstSample)
      for await (const batch of samples.rows(number, Math.min(to, shard.firstSample + shard.sampleCount))) {
        const read = rowReader(index.schema, batch)
        for (let i = 0; i < batch.numRows; i++) if (selected?.get(number + i) ?? true) file.push(read(i))
        number += batch.numRows
        onSamples?.(batch.numRows)
      }
    }
    if (file.rowCount() > 0) yield file
  }
}

async function* oneBuffer(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function digits(number: number): string {
  return String(number).padStart(5, '0')
}

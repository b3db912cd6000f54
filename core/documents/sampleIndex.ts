/**
 * The index: what rows a manifest's files hold. It depends on the manifest alone, so that anyone who recomputes it gets the same
 * bytes; who computed it and when stands in the envelope.
 */
import { z } from 'zod'
import { Schema } from '../samples/schema.ts'
import { Count, FilePath, Hex32, Link } from './common.ts'

export const IndexedFile = z.strictObject({ path: FilePath, firstSample: Count, sampleCount: Count })

export const SampleShard = z
  .strictObject({
    /** UnixFS root of an Arrow IPC file with the columns of `schema`. */
    cid: Link,
    firstSample: Count,
    sampleCount: Count,
    sizeBytes: Count,
  })
  .meta({ id: 'SampleShard' })
export type SampleShard = z.infer<typeof SampleShard>

export const SampleTree = z
  .strictObject({
    rootHash: Hex32,
    /** For each tile level (0 = leaf hashes) the UnixFS root of the file that holds that level's tiles one after another. */
    levels: z.array(Link).max(8),
  })
  .meta({ id: 'SampleTree' })

export const ColumnStatistics = z.strictObject({
  name: z.string(),
  nullCount: Count,
  /** Integers, floats and timestamps as decimal text; absent for other types and for columns without a value. */
  minimum: z.string().optional(),
  maximum: z.string().optional(),
  /** Mean UTF-8 length of strings, mean byte length of binary values, rounded to an integer. */
  meanLengthBytes: Count.optional(),
})

export const SampleIndex = z
  .strictObject({
    kind: z.literal('index'),
    version: z.literal(1),
    manifest: Link,
    schema: Schema,
    sampleCount: Count.min(1),
    files: z.array(IndexedFile).min(1),
    /** Files of the manifest that hold no samples (README, licence …), by path. */
    skippedFiles: z.array(FilePath),
    shards: z.array(SampleShard).min(1),
    tree: SampleTree,
    /** UnixFS file of (32-byte digest, u64 big-endian sample number) records sorted by digest: from a row to its place. */
    digestTable: Link,
    statistics: z.array(ColumnStatistics),
  })
  .meta({ id: 'SampleIndex' })
export type SampleIndex = z.infer<typeof SampleIndex>

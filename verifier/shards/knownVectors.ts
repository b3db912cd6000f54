/** Vectors of samples that occurred in another index, copied from its shards. */
import { messageOf, Problem } from '../../core/problem.ts'
import type { CID } from '../../core/cid.ts'
import type { Blocks } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'
import { type EmbeddingPlan, type EmbeddingShard, embeddingShards } from '../../store/embeddings.ts'
import { type ColumnShape, loadVectors, type Vectors } from '../embedding/artifact.ts'
import { loadOrigins } from './origins.ts'
import type { ShardModel } from './shardModel.ts'

/** Vectors of other shards that are kept for the next shard. */
const CACHE_BYTES = 128 * 1024 * 1024

export interface KnownVectors {
  /** Copies what is known of the samples from `firstSample` on to `vectors`. What cannot be read is not known. */
  copy(plan: EmbeddingPlan, firstSample: number, vectors: Vectors): Promise<Copied>
}

export interface Copied {
  /** 1 for each sample that is done, whether or not it has a vector. */
  done: Uint8Array
  /** The artifact that `vectors` are, all of them, where one shard of a source has just these samples. */
  artifact: CID | null
}

export function createKnownVectors({ db, blocks, model }: { db: Database; blocks: Blocks; model: ShardModel }): KnownVectors {
  const cache = new Map<string, Promise<Vectors | null>>()

  function load(shard: EmbeddingShard, columns: readonly ColumnShape[]): Promise<Vectors | null> {
    const rowBytes = columns.reduce((sum, { dimensions }) => sum + 2 * dimensions, 1)
    const name = shard.cid.toString()
    const known = cache.get(name)
    cache.delete(name)
    const loading = known ?? loadVectors(blocks, shard.cid, { model: model.key, columns, count: shard.sampleCount }).catch(orNull)
    cache.set(name, loading)
    const room = Math.max(1, Math.floor(CACHE_BYTES / (rowBytes * shard.sampleCount)))
    for (const oldest of cache.keys()) {
      if (cache.size <= room) break
      cache.delete(oldest)
    }
    return loading
  }

  /** Gives the artifact where `vectors` has become all that is in it. */
  async function copyFrom(source: CID, rows: readonly SourceRow[], vectors: Vectors, done: Uint8Array): Promise<CID | null> {
    const samples = rows.map(({ sample }) => sample)
    const from = samples.reduce((a, b) => Math.min(a, b))
    const to = samples.reduce((a, b) => Math.max(a, b)) + 1
    const shards = await embeddingShards(db, { index: source, model: model.key }, from, to)
    let next = 0
    for (const { row, sample } of rows.toSorted((a, b) => a.sample - b.sample)) {
      while (next < shards.length && shards[next]!.firstSample + shards[next]!.sampleCount <= sample) next++
      const shard = shards[next]
      if (shard === undefined) break
      if (sample < shard.firstSample) continue
      const theirs = await load(shard, vectors.columns)
      if (theirs === null) continue
      copyRow(theirs, sample - shard.firstSample, vectors, row)
      done[row] = 1
    }
    const [shard, ...others] = shards
    if (shard === undefined || others.length > 0 || shard.sampleCount !== done.length) return null
    return done.every((one, row) => one === 1 && rows[row]!.sample === shard.firstSample + row) ? shard.cid : null
  }

  return {
    async copy({ origins: file, sources }, firstSample, vectors) {
      const done = new Uint8Array(vectors.valid.length)
      if (file === null) return { done, artifact: null }
      const origins = await loadOrigins(blocks, file, firstSample, done.length)
      const rowsOf = new Map<number, SourceRow[]>()
      for (let row = 0; row < done.length; row++) {
        const origin = origins.at(row)
        if (origin === null) continue
        const rows = rowsOf.get(origin.source)
        if (rows === undefined) rowsOf.set(origin.source, [{ row, sample: origin.sample }])
        else rows.push({ row, sample: origin.sample })
      }
      let artifact: CID | null = null
      for (const [source, rows] of rowsOf) artifact = await copyFrom(sources[source]!, rows, vectors, done)
      return { done, artifact: rowsOf.size === 1 ? artifact : null }
    },
  }
}

interface SourceRow {
  /** In the shard that is made. */
  row: number
  /** In the source. */
  sample: number
}

/** Copies all outputs of one sample. */
export function copyRow(source: Vectors, from: number, target: Vectors, to: number): void {
  target.valid[to] = source.valid[from]!
  for (const [i, { dimensions, values }] of target.columns.entries())
    values.set(source.columns[i]!.values.subarray(from * dimensions, (from + 1) * dimensions), to * dimensions)
}

/** What is gone or damaged is made again; that a store does not answer is another matter. */
function orNull(error: unknown): null {
  if (error instanceof Problem && ['block-missing', 'block-corrupt', 'invalid-file', 'too-large'].includes(error.code)) return null
  throw error instanceof Error ? error : new Error(messageOf(error))
}

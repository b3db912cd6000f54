/**
 * The plan job: an index is cut into shards for embedding, and samples that were embedded before are looked up, so that a version which
 * adds few samples costs little. The order of writes: the file of origins durable → pinned → the plan's row.
 */
import type { CID } from '../../core/cid.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import type { Blocks } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'
import { loadDocument } from '../../store/documents.ts'
import { type EmbeddingKey, findEmbeddingPlan, relatedIndices, saveEmbeddingPlan } from '../../store/embeddings.ts'
import type { JobHandler } from '../../store/jobs.ts'
import { chooseColumns, embeddedColumn } from '../columns.ts'
import { findIn, MAX_SOURCES, Origins } from './origins.ts'
import type { ShardModel } from './shardModel.ts'

export interface ShardContext {
  db: Database
  blocks: Blocks
  model: ShardModel
}

/** Samples of other indices that are looked through, for each one of this index: what looking costs stays far below what embedding costs. */
const LOOKED_THROUGH_PER_SAMPLE = 64
const LOOKED_THROUGH_AT_LEAST = 1_000_000

/** The handler of `plan` jobs. */
export function createPlanHandler({ db, blocks, model }: ShardContext): JobHandler {
  return async ({ subject }, { signal, progress }) => {
    const key: EmbeddingKey = { index: subject, model: model.key }
    if ((await findEmbeddingPlan(db, key)) !== null) return
    const { document: index } = await loadDocument(blocks, 'index', subject)
    const { document: manifest } = await loadDocument(blocks, 'manifest', index.manifest)
    const column = embeddedColumn(chooseColumns(index, manifest.columns), model.images !== undefined)
    const sampleCount = column === null ? 0 : index.sampleCount
    const { sources, origins } = column === null ? NO_ORIGINS : await findOrigins(index, column)
    signal.throwIfAborted()
    if (origins !== null) await blocks.pin(origins)
    await saveEmbeddingPlan(db, { ...key, textColumn: column, sampleCount, shardSamples: model.shardSamples, sources, origins })

    async function findOrigins(own: SampleIndex, embedded: string): Promise<Found> {
      const found: CID[] = []
      const places = new Origins(own.sampleCount)
      let unknown = own.sampleCount
      let lookedThrough = 0
      const limit = Math.max(LOOKED_THROUGH_AT_LEAST, own.sampleCount * LOOKED_THROUGH_PER_SAMPLE)
      for (const cid of await relatedIndices(db, { ...key, textColumn: embedded, limit: MAX_SOURCES })) {
        if (unknown === 0) break
        progress({ stage: 'looking for samples that are known', done: own.sampleCount - unknown, total: own.sampleCount })
        const { document: other } = await loadDocument(blocks, 'index', cid)
        lookedThrough += other.sampleCount
        if (lookedThrough > limit) break
        const samples = await findIn(blocks, own, other, { origins: places, place: found.length, signal })
        if (samples === 0) continue
        unknown -= samples
        found.push(cid)
      }
      return found.length === 0 ? NO_ORIGINS : { sources: found, origins: (await blocks.importBytes(places.bytes)).cid }
    }
  }
}

interface Found {
  sources: CID[]
  origins: CID | null
}

const NO_ORIGINS: Found = { sources: [], origins: null }

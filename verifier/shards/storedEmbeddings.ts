/** The embeddings of an index, put together from its shards for the detectors. */
import type { CID } from '../../core/cid.ts'
import { Problem } from '../../core/problem.ts'
import type { ModelReference } from '../../core/documents/recipe.ts'
import { embeddingShards } from '../../store/embeddings.ts'
import type { Embeddings, LayerStatistics } from '../detectors/detector.ts'
import { loadVectors } from '../embedding/artifact.ts'
import type { TextSource } from '../embedding/embedder.ts'
import { createEmbeddings } from '../embedding/embeddings.ts'
import type { ShardContext } from './planJob.ts'

/** Where a report's embeddings come from: shards, or an embedder directly. */
export interface EmbeddingSource {
  readonly reference: ModelReference
  /** With the model's inner layers where they are asked for. */
  embed(texts: TextSource, options: { layers?: boolean; signal: AbortSignal; onProgress?: (share: number) => void }): Promise<Embeddings>
}

/** The stored embeddings of an index. `embed` throws `unavailable` unless all of its shards are there. */
export function storedEmbeddings({ db, blocks, model }: ShardContext, index: CID): EmbeddingSource {
  return {
    reference: model.reference,
    async embed({ count }, { signal, onProgress }) {
      const valid = new Uint8Array(count)
      const columns = model.columns.map(({ name, dimensions }) => ({ name, dimensions, values: new Float32Array(count * dimensions) }))
      let next = 0
      for (const { cid, firstSample, sampleCount } of await embeddingShards(db, { index, model: model.key })) {
        signal.throwIfAborted()
        if (firstSample !== next || next + sampleCount > count) break
        const shard = await loadVectors(blocks, cid, { model: model.key, columns: model.columns, count: sampleCount })
        valid.set(shard.valid, firstSample)
        for (const [i, { dimensions, values }] of columns.entries()) values.set(shard.columns[i]!.values, firstSample * dimensions)
        next += sampleCount
        onProgress?.(next / count)
      }
      if (next !== count)
        throw new Problem('unavailable', `of the ${count} samples of ${index.toString()} only ${next} are embedded by this device`)
      const [embedding, ...inner] = columns
      const layers = inner.map(({ name, dimensions, values }): LayerStatistics => ({ name, width: dimensions / 2, values }))
      return createEmbeddings({ dimensions: embedding!.dimensions, vectors: embedding!.values, valid, layers, signal })
    },
  }
}

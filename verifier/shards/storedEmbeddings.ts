/**
 * The embeddings of an index, put together from its shards for the detectors: read from the blocks as they are asked for, a column of a
 * shard at a time, so that memory does not grow with the number of samples.
 */
import type { CID } from '../../core/cid.ts'
import { Problem } from '../../core/problem.ts'
import type { ModelReference } from '../../core/documents/recipe.ts'
import { embeddingShards } from '../../store/embeddings.ts'
import type { Embeddings } from '../detectors/detector.ts'
import { type ColumnShape, type OpenVectors, openVectors } from '../embedding/artifact.ts'
import type { TextSource } from '../embedding/embedder.ts'
import type { ImageSource } from '../embedding/imageEmbedder.ts'
import { createEmbeddings } from '../embedding/embeddings.ts'
import type { VectorSource } from '../vectors.ts'
import type { ShardContext } from './planJob.ts'

/** Where a report's embeddings come from: shards, or an embedder directly. */
export interface EmbeddingSource {
  readonly reference: ModelReference
  /** With the model's inner layers where they are asked for. */
  embed(texts: TextSource, options: { layers?: boolean; signal: AbortSignal; onProgress?: (share: number) => void }): Promise<Embeddings>
}

/** The same for images. */
export interface ImageEmbeddingSource {
  readonly reference: ModelReference
  embed(images: ImageSource, options: { signal: AbortSignal; onProgress?: (share: number) => void }): Promise<Embeddings>
}

/** The stored embeddings of an index's texts. `embed` throws `unavailable` unless all of its shards are there. */
export function storedEmbeddings(context: ShardContext, index: CID): EmbeddingSource {
  return stored(context, context.model, index)
}

/** The same of its images, where its texts are not embedded; undefined where this installation embeds no images. */
export function storedImageEmbeddings(context: ShardContext, index: CID): ImageEmbeddingSource | undefined {
  const { images } = context.model
  return images === undefined ? undefined : stored(context, { ...images, ofImages: true }, index)
}

interface StoredKind {
  reference: ModelReference
  columns: readonly ColumnShape[]
  ofImages?: boolean
}

function stored(
  { db, blocks, model }: ShardContext,
  { reference, columns: shapes, ofImages = false }: StoredKind,
  index: CID,
): EmbeddingSource & ImageEmbeddingSource {
  return {
    reference,
    async embed({ count }: { count: number }, { signal, onProgress }) {
      const valid = new Uint8Array(count)
      const shards: OpenShard[] = []
      let next = 0
      for (const { cid, firstSample, sampleCount } of await embeddingShards(db, { index, model: model.key })) {
        signal.throwIfAborted()
        if (firstSample !== next || next + sampleCount > count) break
        const shard = await openVectors(blocks, cid, { model: model.key, columns: shapes, count: sampleCount })
        valid.set(shard.valid, firstSample)
        next += sampleCount
        shards.push({ firstSample, end: next, readColumn: shard.readColumn })
        onProgress?.(next / count)
      }
      if (next !== count)
        throw new Problem('unavailable', `of the ${count} samples of ${index.toString()} only ${next} are embedded by this device`)
      const columns = shapes.map(({ name, dimensions }, place) => ({ name, ...columnOf(shards, place, dimensions) }))
      const [vectors, ...layers] = columns
      return createEmbeddings({ vectors: vectors!, valid, ofImages, layers, signal })
    },
  }
}

/** A shard of which nothing is in memory. */
interface OpenShard extends Pick<OpenVectors, 'readColumn'> {
  firstSample: number
  /** The sample after the last. */
  end: number
}

/** Pieces of a column that are kept for the next read: neighbouring reads share one, and those of a sparse selection go back and forth. */
const KEPT_PIECES = 4

/** A column over all shards. */
function columnOf(shards: readonly OpenShard[], place: number, dimensions: number): VectorSource {
  const kept = new Map<OpenShard, Promise<Float16Array>>()
  const piece = (shard: OpenShard): Promise<Float16Array> => {
    const reading = kept.get(shard) ?? shard.readColumn(place)
    kept.delete(shard)
    kept.set(shard, reading)
    reading.catch(() => kept.delete(shard))
    if (kept.size > KEPT_PIECES) kept.delete(kept.keys().next().value!)
    return reading
  }
  return {
    dimensions,
    count: shards.at(-1)?.end ?? 0,
    async read(first, count) {
      const values = new Float32Array(count * dimensions)
      for (let at = first, number = shardOf(shards, first); at < first + count; number++) {
        const shard = shards[number]!
        const end = Math.min(first + count, shard.end)
        const numbers = await piece(shard)
        values.set(
          numbers.subarray((at - shard.firstSample) * dimensions, (end - shard.firstSample) * dimensions),
          (at - first) * dimensions,
        )
        at = end
      }
      return values
    },
  }
}

/** The number of the shard that has a sample. */
function shardOf(shards: readonly OpenShard[], sample: number): number {
  let [low, high] = [0, shards.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (shards[middle]!.end > sample) high = middle
    else low = middle + 1
  }
  return low
}

/** The embeddings of a corpus with their nearest neighbours, which are computed when a detector first asks for them. */
import type { Embeddings, LayerStatistics } from '../detectors/detector.ts'
import type { NeighbourSearch } from '../knn/search.ts'
import { createNeighbourSpool, type NeighbourSpool } from '../knn/spool.ts'
import { nearestNeighbours } from '../knn.ts'
import type { VectorSource } from '../vectors.ts'
import type { Device } from './onnxRuntime.ts'

export interface EmbeddingsInput {
  /** One row a sample, of unit length; zeros where the sample has no text. */
  vectors: VectorSource
  /** 1 for samples that were embedded. */
  valid: Uint8Array
  /** Of images, not of texts. */
  ofImages?: boolean
  /** Where the model gives them. */
  layers?: readonly LayerStatistics[] | undefined
  /** Where exact searches of neighbours are computed; the CPU by default. */
  device?: Device | undefined
  /** CPU threads for them; as many as there are cores by default. */
  threads?: number | undefined
  /** Ends a search. */
  signal?: AbortSignal | undefined
}

/** Wraps vectors; each search runs once. */
export function createEmbeddings({ vectors, valid, ofImages = false, layers = [], device, threads, signal }: EmbeddingsInput): Embeddings {
  const searches = new Map<string, Promise<NeighbourSpool>>()
  return {
    vectors,
    valid,
    ofImages,
    layers,
    neighbours(search) {
      const key = JSON.stringify(search)
      const known = searches.get(key) ?? run(search)
      searches.set(key, known)
      return known
    },
    async [Symbol.asyncDispose]() {
      for (const search of await Promise.allSettled(searches.values()))
        if (search.status === 'fulfilled') await search.value[Symbol.asyncDispose]()
    },
  }

  async function run(search: NeighbourSearch): Promise<NeighbourSpool> {
    const spool = createNeighbourSpool(search.k)
    try {
      for await (const block of nearestNeighbours({ vectors, valid, search, device, threads, signal })) await spool.write(block)
      return spool
    } catch (error) {
      await spool[Symbol.asyncDispose]()
      throw error
    }
  }
}

/** The embeddings of a corpus with their nearest neighbours, which are computed when a detector first asks for them. */
import type { Embeddings, Neighbours } from '../detectors/detector.ts'
import { nearestNeighbours } from '../knn.ts'

export interface EmbeddingsInput {
  dimensions: number
  /** count × dimensions, each row of unit length; zeros where the sample has no text. */
  vectors: Float32Array
  /** 1 for samples that were embedded. */
  valid: Uint8Array
  /** CPU threads for the search of neighbours; as many as there are cores by default. */
  threads?: number | undefined
  /** Ends a search. */
  signal?: AbortSignal | undefined
}

/** Wraps vectors; each `k` is searched for once. */
export function createEmbeddings({ dimensions, vectors, valid, threads, signal }: EmbeddingsInput): Embeddings {
  const searches = new Map<number, Promise<Neighbours>>()
  return {
    dimensions,
    vectors,
    valid,
    neighbours(k) {
      let search = searches.get(k)
      if (search === undefined) {
        search = nearestNeighbours({ dimensions, vectors, valid, k, threads, signal })
        searches.set(k, search)
      }
      return search
    },
  }
}

/**
 * Nearest neighbours by cosine similarity. One function, three methods: exact by blocked matrix products, on the CPU or on a GPU by the
 * same graph, up to the number of samples that the recipe says; above it an index of graphs. What is found depends on the vectors and
 * the search alone: ties go to the lower number. Memory is bounded: lists are given out in the order of the samples, not all at once.
 */
import { availableParallelism } from 'node:os'
import type { NeighbourBlock } from './detectors/detector.ts'
import type { Device } from './embedding/onnxRuntime.ts'
import { searchApproximate } from './knn/approximate.ts'
import { searchExact } from './knn/exact.ts'
import type { NeighbourSearch } from './knn/search.ts'
import { type VectorSource, selectVectors } from './vectors.ts'

export interface NeighbourOptions {
  /** One row a sample, of unit length. */
  vectors: VectorSource
  /** Rows that are 0 here have no neighbours and are nobody's. */
  valid: Uint8Array
  search: NeighbourSearch
  /** Where exact searches are computed; the CPU by default. */
  device?: Device | undefined
  threads?: number | undefined
  signal?: AbortSignal | undefined
  /** Share of the work that is done. */
  onProgress?: ((share: number) => void) | undefined
}

/**
 * The `k` nearest others of every sample, nearest first, in blocks of consecutive samples that cover all of them. Throws `unavailable`
 * where the device cannot be used, and the signal's reason when it is aborted.
 */
export async function* nearestNeighbours(options: NeighbourOptions): AsyncGenerator<NeighbourBlock> {
  const { valid, search, device = 'cpu', threads = availableParallelism(), signal, onProgress } = options
  const { k } = search
  const samples = Int32Array.from(valid.keys().filter((sample) => valid[sample] !== 0))
  const vectors = selectVectors(options.vectors, samples)
  const common = { k, threads, signal, onProgress }
  const groups =
    samples.length <= search.exactSamples
      ? searchExact(vectors, { ...common, device })
      : searchApproximate(vectors, { ...common, ...search, partRows: search.partSamples })

  let row = 0
  let first = 0
  for await (const { rows, similarities, lengths } of groups) {
    const last = row + lengths.length === samples.length ? valid.length : samples[row + lengths.length]!
    const block = emptyBlock(first, last - first, k)
    for (let query = 0; query < lengths.length; query++) {
      const to = (samples[row + query]! - first) * k
      for (let i = 0; i < lengths[query]!; i++) {
        block.samples[to + i] = samples[rows[query * k + i]!]!
        block.similarities[to + i] = Math.max(-1, Math.min(1, similarities[query * k + i]!))
      }
    }
    yield block
    row += lengths.length
    first = last
  }
  if (first < valid.length) yield emptyBlock(first, valid.length - first, k)
}

function emptyBlock(first: number, count: number, k: number): NeighbourBlock {
  return { first, count, samples: new Int32Array(count * k).fill(-1), similarities: new Float32Array(count * k) }
}

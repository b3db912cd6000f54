/**
 * Exact search: the products of all rows with all rows, block by block. Rows are read once for every GROUP_ROWS of them, which is also
 * what memory it takes: a group, its lists and one block of candidates. Time grows with the square of the count: on two cores a minute
 * for 130,000 rows of 384.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Device } from '../embedding/onnxRuntime.ts'
import { type FoundLists, createBestLists } from './best.ts'
import { openBlockSearch } from './blockSearch.ts'
import type { VectorSource } from '../vectors.ts'

export interface ExactOptions {
  k: number
  device: Device
  threads: number
  /** Only rows below this are queries; all of them unless given. */
  queries?: number
  signal?: AbortSignal | undefined
  onProgress?: ((share: number) => void) | undefined
}

const GROUP_ROWS = 16_384

/** The `k` nearest others of each row, in groups of consecutive rows; among equals the lower row stands first. */
export async function* searchExact(source: VectorSource, options: ExactOptions): AsyncGenerator<FoundLists> {
  const { k, device, threads, queries: queryCount = source.count, signal, onProgress } = options
  const { dimensions, count } = source
  await using search = await openBlockSearch(dimensions, { device, threads })
  const { queryRows, candidateRows } = search.shape
  const queries = new Float32Array(queryRows * dimensions)
  for (let first = 0; first < queryCount; first += GROUP_ROWS) {
    const rows = Math.min(GROUP_ROWS, queryCount - first)
    const group = await source.read(first, rows)
    const best = createBestLists(rows, k)
    for (let candidate = 0; candidate < count; candidate += candidateRows) {
      const candidates = await source.read(candidate, Math.min(candidateRows, count - candidate))
      // One more than asked for: the row itself may be among them.
      const width = Math.min(k + 1, candidates.length / dimensions)
      for (let row = 0; row < rows; row += queryRows) {
        await nextTurn()
        signal?.throwIfAborted()
        const block = group.subarray(row * dimensions, Math.min(row + queryRows, rows) * dimensions)
        queries.fill(0, block.length)
        queries.set(block)
        const { similarities, indices } = await search.run(queries, candidates, width)
        for (let i = 0; i < block.length / dimensions; i++)
          for (let at = i * width; at < (i + 1) * width; at++) {
            const other = candidate + Number(indices[at]!)
            if (other !== first + row + i && !best.offer(row + i, other, similarities[at]!)) break
          }
      }
      onProgress?.((first + (rows * Math.min(candidate + candidateRows, count)) / count) / queryCount)
    }
    signal?.throwIfAborted()
    yield best
  }
}

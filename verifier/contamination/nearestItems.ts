/** The nearest items of a benchmark for each row of a corpus, by exact blocked matrix products on the CPU. */
import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openBlockSearch } from '../knn/blockSearch.ts'
import { createBestLists } from '../knn/best.ts'

export interface VectorTable {
  readonly dimensions: number
  /** count × dimensions, each row of unit length. */
  readonly vectors: Float32Array
  /** 1 for rows that have a vector. */
  readonly valid: Uint8Array
}

export interface NearestItemsOptions {
  k: number
  threads?: number | undefined
  signal: AbortSignal
  onProgress?: ((share: number) => void) | undefined
}

/** An item of a benchmark and its cosine similarity to the row that was asked for. */
export interface NearItem {
  item: number
  similarity: number
}

/**
 * Calls `visit` for each of `rows` that has a vector, in their order, with its `k` nearest items, nearest first, ties to the lower
 * number. Memory: the items once more, and blocks of 256 rows.
 */
export async function eachNearestItems(
  { rows, table }: { rows: readonly number[]; table: VectorTable },
  items: VectorTable,
  { k, threads = availableParallelism(), signal, onProgress }: NearestItemsOptions,
  visit: (row: number, nearest: NearItem[]) => void,
): Promise<void> {
  const { dimensions } = items
  if (table.dimensions !== dimensions) throw new TypeError(`embeddings of ${table.dimensions} and ${dimensions} numbers do not compare`)
  const own = [...items.valid.keys()].filter((item) => items.valid[item] !== 0)
  const asked = rows.filter((row) => table.valid[row] !== 0)
  if (own.length === 0 || asked.length === 0) return
  const packed = rowsOf(items, own)
  await using search = await openBlockSearch(dimensions, { device: 'cpu', threads })
  const { queryRows, candidateRows } = search.shape
  const queries = new Float32Array(queryRows * dimensions)
  for (let start = 0; start < asked.length; start += queryRows) {
    await nextTurn()
    signal.throwIfAborted()
    const block = asked.slice(start, start + queryRows)
    queries.fill(0)
    queries.set(rowsOf(table, block))
    const best = createBestLists(block.length, k)
    for (let first = 0; first < own.length; first += candidateRows) {
      const candidates = packed.subarray(first * dimensions, Math.min(first + candidateRows, own.length) * dimensions)
      const width = Math.min(k, candidates.length / dimensions)
      const { similarities, indices } = await search.run(queries, candidates, width)
      for (let i = 0; i < block.length; i++)
        for (let at = i * width; at < (i + 1) * width; at++) if (!best.offer(i, first + Number(indices[at]!), similarities[at]!)) break
    }
    for (const [i, row] of block.entries()) {
      const nearest = Array.from({ length: best.lengths[i]! }, (_, at): NearItem => ({
        item: own[best.rows[i * k + at]!]!,
        similarity: best.similarities[i * k + at]!,
      }))
      visit(row, nearest)
    }
    onProgress?.(Math.min(1, (start + queryRows) / asked.length))
  }
}

function rowsOf({ dimensions, vectors }: VectorTable, rows: readonly number[]): Float32Array {
  const packed = new Float32Array(rows.length * dimensions)
  for (const [i, row] of rows.entries()) packed.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions)
  return packed
}

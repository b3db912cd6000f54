/** The nearest items of a benchmark for each row of a corpus, by exact blocked matrix products on the CPU. */
import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openBlockSearch } from '../knn/blockSearch.ts'
import { createBestLists } from '../knn/best.ts'
import type { Embeddings } from '../detectors/detector.ts'
import { selectVectors, vectorBlocks } from '../vectors.ts'

export type EmbeddedRows = Pick<Embeddings, 'vectors' | 'valid'>

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

/** Rows whose lists are held at a time; the items are read once for each group of them. */
const GROUP_ROWS = 16_384

/**
 * Calls `visit` for each of `rows`, which rise, that has a vector, in their order, with its `k` nearest items, nearest first, ties to
 * the lower number. Memory: a group of rows with their lists, and a block of items.
 */
export async function eachNearestItems(
  { rows, table }: { rows: readonly number[]; table: EmbeddedRows },
  items: EmbeddedRows,
  { k, threads = availableParallelism(), signal, onProgress }: NearestItemsOptions,
  visit: (row: number, nearest: NearItem[]) => void,
): Promise<void> {
  const { dimensions } = items.vectors
  if (table.vectors.dimensions !== dimensions)
    throw new TypeError(`embeddings of ${table.vectors.dimensions} and ${dimensions} numbers do not compare`)
  const own = Int32Array.from(items.valid.keys().filter((item) => items.valid[item] !== 0))
  const asked = Int32Array.from(rows.filter((row) => table.valid[row] !== 0))
  if (own.length === 0 || asked.length === 0) return
  const itemVectors = selectVectors(items.vectors, own)
  await using search = await openBlockSearch(dimensions, { device: 'cpu', threads })
  const { queryRows, candidateRows } = search.shape
  const queries = new Float32Array(queryRows * dimensions)
  for await (const { first: start, count, values } of vectorBlocks(selectVectors(table.vectors, asked), GROUP_ROWS)) {
    const best = createBestLists(count, k)
    for await (const { first, count: width, values: candidates } of vectorBlocks(itemVectors, candidateRows))
      for (let row = 0; row < count; row += queryRows) {
        await nextTurn()
        signal.throwIfAborted()
        const block = values.subarray(row * dimensions, Math.min(row + queryRows, count) * dimensions)
        queries.fill(0, block.length)
        queries.set(block)
        await offerBest(row, block.length / dimensions, first, candidates, Math.min(k, width))
      }
    for (let row = 0; row < count; row++) {
      const nearest = Array.from({ length: best.lengths[row]! }, (_, at): NearItem => ({
        item: own[best.rows[row * k + at]!]!,
        similarity: best.similarities[row * k + at]!,
      }))
      visit(asked[start + row]!, nearest)
    }
    onProgress?.((start + count) / asked.length)

    async function offerBest(row: number, rowCount: number, first: number, candidates: Float32Array, width: number): Promise<void> {
      const { similarities, indices } = await search.run(queries, candidates, width)
      for (let i = 0; i < rowCount; i++)
        for (let at = i * width; at < (i + 1) * width; at++)
          if (!best.offer(row + i, first + Number(indices[at]!), similarities[at]!)) break
    }
  }
}

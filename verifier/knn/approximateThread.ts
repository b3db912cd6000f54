/** The worker thread of approximate.ts: builds the graph of a part into a file, or searches the graphs of all parts for some rows. */
import { parentPort, workerData } from 'node:worker_threads'
import { type BatchMatches, Index, type Matches, MetricKind, ScalarKind } from 'usearch'
import { type FoundLists, createBestLists } from './best.ts'

export interface SearchSetup {
  /** Bits of count × dimensions numbers of half precision, in shared memory. */
  vectors: Uint16Array
  dimensions: number
  k: number
  candidates: number
  connectivity: number
  expansion: number
  parts: { path: string; first: number; count: number }[]
}

export type ThreadRequest = { id: number } & ({ kind: 'build'; part: number } | { kind: 'search'; first: number; count: number })

export interface ThreadReply {
  id: number
  /** Of a search; empty for a part that was built. */
  lists: FoundLists
}

if (parentPort === null) throw new Error('approximateThread.ts runs as a worker thread')
const port = parentPort
const setup = workerData as SearchSetup // what approximate.ts hands over
const { vectors, dimensions, k, candidates, connectivity, expansion, parts } = setup

/** The value of each of the 65,536 numbers of half precision: several times faster than Float16Array. */
const VALUES = Float32Array.from(new Float16Array(Uint16Array.from({ length: 65_536 }, (_, bits) => bits).buffer))
const ADD_ROWS = 1024

let opened: Index[] | undefined

port.on('message', (request: ThreadRequest) => {
  const { rows, similarities, lengths } = request.kind === 'build' ? build(request.part) : search(request.first, request.count)
  port.postMessage({ id: request.id, lists: { rows, similarities, lengths } } satisfies ThreadReply)
})

function createIndex(): Index {
  return new Index({
    dimensions,
    metric: MetricKind.IP,
    quantization: ScalarKind.I8,
    connectivity,
    expansion_add: expansion,
    expansion_search: candidates,
    multi: false,
  })
}

/** Rows go in one after the other, so that the same rows give the same graph. */
function build(part: number): FoundLists {
  const { path, first, count } = parts[part]!
  const index = createIndex()
  for (let row = 0; row < count; row += ADD_ROWS) {
    const rows = Math.min(ADD_ROWS, count - row)
    index.add(
      BigUint64Array.from({ length: rows }, (_, i) => BigInt(row + i)),
      decode(first + row, rows),
      1,
    )
  }
  index.save(path)
  return createBestLists(0, k)
}

function search(first: number, count: number): FoundLists {
  opened ??= parts.map(({ path }) => {
    const index = createIndex()
    index.view(path)
    return index
  })
  const queries = decode(first, count)
  const best = createBestLists(count, k)
  for (const [part, index] of opened.entries()) {
    const width = Math.min(candidates, parts[part]!.count)
    const { keys, counts } = batch(index.search(queries, width, 1))
    for (let query = 0; query < count; query++)
      for (let i = query * width; i < query * width + Number(counts[query]!); i++) {
        const row = parts[part]!.first + Number(keys[i]!)
        if (row !== first + query) best.offer(query, row, similarity(queries, query * dimensions, row * dimensions))
      }
  }
  return best
}

/** What usearch gives for one query has another shape than what it gives for several. */
function batch(found: Matches | BatchMatches): { keys: BigUint64Array; counts: BigUint64Array } {
  return 'counts' in found ? found : { keys: found.keys, counts: BigUint64Array.of(BigInt(found.keys.length)) }
}

/** Inner product with a stored row. Four sums, which a processor adds side by side. */
function similarity(queries: Float32Array, query: number, row: number): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = 0
  for (; i + 4 <= dimensions; i += 4) {
    a += queries[query + i]! * VALUES[vectors[row + i]!]!
    b += queries[query + i + 1]! * VALUES[vectors[row + i + 1]!]!
    c += queries[query + i + 2]! * VALUES[vectors[row + i + 2]!]!
    d += queries[query + i + 3]! * VALUES[vectors[row + i + 3]!]!
  }
  for (; i < dimensions; i++) a += queries[query + i]! * VALUES[vectors[row + i]!]!
  return Math.fround(a + b + (c + d))
}

function decode(first: number, count: number): Float32Array {
  const rows = new Float32Array(count * dimensions)
  for (let i = 0, from = first * dimensions; i < rows.length; i++) rows[i] = VALUES[vectors[from + i]!]!
  return rows
}

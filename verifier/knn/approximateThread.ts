/** The worker thread of approximate.ts: puts the rows of a part into a graph and writes it to a file, or searches the graph of a part. */
import { parentPort, workerData } from 'node:worker_threads'
import { type BatchMatches, Index, type Matches, MetricKind, ScalarKind } from 'usearch'
import { createBestLists, type FoundLists } from './best.ts'

export interface SearchSetup {
  /** Bits of numbers of half precision: the rows that are asked about, and those of the part that is searched. */
  queries: SharedArrayBuffer
  vectors: SharedArrayBuffer
  dimensions: number
  k: number
  candidates: number
  connectivity: number
  expansion: number
}

export type ThreadRequest =
  /** Rows of a part, from its row `first` on. */
  | { kind: 'add'; first: number; halves: Uint16Array }
  /** The part is complete. */
  | { kind: 'save'; path: string }
  /** For `count` rows of `queries`, the first of which stands at the row `self` of the part, if that is one. */
  | { kind: 'search'; path: string; partRows: number; first: number; count: number; self: number }

export interface ThreadReply {
  /** Of a search, with rows of the part; empty otherwise. */
  lists: FoundLists
}

if (parentPort === null) throw new Error('approximateThread.ts runs as a worker thread')
const port = parentPort
const setup = workerData as SearchSetup // what approximatePool.ts hands over
const { dimensions, k, candidates, connectivity, expansion } = setup
const queries = new Uint16Array(setup.queries)
const vectors = new Uint16Array(setup.vectors)

/** The value of each of the 65,536 numbers of half precision: several times faster than Float16Array. */
const VALUES = Float32Array.from(new Float16Array(Uint16Array.from({ length: 65_536 }, (_, bits) => bits).buffer))
const ADD_ROWS = 1024

let growing: Index | undefined
/** The graph that was searched last: all rows of a group go through one part before the next. */
let viewed: { path: string; index: Index } | undefined

port.on('message', (request: ThreadRequest) => {
  const { rows, similarities, lengths } = answer(request)
  port.postMessage({ lists: { rows, similarities, lengths } } satisfies ThreadReply)
})

function answer(request: ThreadRequest): FoundLists {
  if (request.kind === 'search') return search(request)
  if (request.kind === 'add') add(request.first, request.halves)
  else {
    growing?.save(request.path)
    growing = undefined
  }
  return createBestLists(0, k)
}

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
function add(first: number, halves: Uint16Array): void {
  growing ??= createIndex()
  const count = halves.length / dimensions
  for (let row = 0; row < count; row += ADD_ROWS) {
    const rows = Math.min(ADD_ROWS, count - row)
    growing.add(
      BigUint64Array.from({ length: rows }, (_, i) => BigInt(first + row + i)),
      decode(halves, row, rows),
      1,
    )
  }
}

function search({ path, partRows, first, count, self }: ThreadRequest & { kind: 'search' }): FoundLists {
  if (viewed?.path !== path) viewed = { path, index: view(path) }
  const { index } = viewed
  const asked = decode(queries, first, count)
  const best = createBestLists(count, k)
  const width = Math.min(candidates, partRows)
  const { keys, counts } = batch(index.search(asked, width, 1))
  for (let query = 0; query < count; query++)
    for (let i = query * width; i < query * width + Number(counts[query]!); i++) {
      const row = Number(keys[i]!)
      if (row !== self + query) best.offer(query, row, similarity(asked, query * dimensions, row * dimensions))
    }
  return best
}

function view(path: string): Index {
  const index = createIndex()
  index.view(path)
  return index
}

/** What usearch gives for one query has another shape than what it gives for several. */
function batch(found: Matches | BatchMatches): { keys: BigUint64Array; counts: BigUint64Array } {
  return 'counts' in found ? found : { keys: found.keys, counts: BigUint64Array.of(BigInt(found.keys.length)) }
}

/** Inner product with a row of the part. Four sums, which a processor adds side by side. */
function similarity(asked: Float32Array, query: number, row: number): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = 0
  for (; i + 4 <= dimensions; i += 4) {
    a += asked[query + i]! * VALUES[vectors[row + i]!]!
    b += asked[query + i + 1]! * VALUES[vectors[row + i + 1]!]!
    c += asked[query + i + 2]! * VALUES[vectors[row + i + 2]!]!
    d += asked[query + i + 3]! * VALUES[vectors[row + i + 3]!]!
  }
  for (; i < dimensions; i++) a += asked[query + i]! * VALUES[vectors[row + i]!]!
  return Math.fround(a + b + (c + d))
}

function decode(halves: Uint16Array, first: number, count: number): Float32Array {
  const rows = new Float32Array(count * dimensions)
  for (let i = 0, from = first * dimensions; i < rows.length; i++) rows[i] = VALUES[halves[from + i]!]!
  return rows
}

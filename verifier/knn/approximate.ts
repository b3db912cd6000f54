/**
 * Approximate search for sets that are too large for all products: graphs of nearest neighbours (HNSW) by usearch over vectors rounded
 * to eight bits, then the exact similarity of what they find. Rows are cut into parts of a fixed size, each indexed by one thread, so
 * that neither the number of threads nor their speed changes what is found; usearch's own randomness has a fixed seed.
 *
 * Memory: two bytes a number for the vectors, and about one and a half for the graphs, which lie in files that are mapped: 10^7 rows of
 * 384 take 7.7 GB and 5.5 GB that the system may take back. Measured for 10 neighbours of 10^6 made-up vectors of 384 on two cores: 0.995
 * of the neighbours at 33 times the speed of an exact search, after five minutes of one core for the graph (bench/knn.ts).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { SearchSetup, ThreadReply, ThreadRequest } from './approximateThread.ts'
import type { FoundLists } from './best.ts'
import type { VectorSource } from '../vectors.ts'

export interface GraphOptions {
  /** Neighbours that a search gives. */
  k: number
  /** Rows of a part. */
  partRows: number
  /** Candidates that each part gives for a row, before their exact similarity is computed; at least k + 1. */
  candidates: number
  /** Links of a row in the graph, and the breadth of the search when it is put in: usearch's connectivity and expansion. */
  connectivity: number
  expansion: number
  threads: number
  signal?: AbortSignal | undefined
  /** Share of the parts that are built. */
  onBuilt?: ((share: number) => void) | undefined
}

export interface Graphs extends AsyncDisposable {
  /** The nearest others of rows 0 to `queries` − 1, in groups of consecutive rows; among equals the lower row stands first. */
  search(queries: number): AsyncGenerator<FoundLists>
}

const READ_ROWS = 16_384
/** Rows of one request to a thread: a fraction of a second. */
const QUERY_ROWS = 1024
/** Share of the whole that is building, for progress. */
const BUILD_SHARE = 0.6

/** As searchExact, but for the share of neighbours that is missed (bench/knn.ts measures it). */
export async function* searchApproximate(
  source: VectorSource,
  options: Omit<GraphOptions, 'onBuilt'> & { onProgress?: ((share: number) => void) | undefined },
): AsyncGenerator<FoundLists> {
  const { onProgress } = options
  await using graphs = await buildGraphs(source, { ...options, onBuilt: (share) => onProgress?.(share * BUILD_SHARE) })
  let done = 0
  for await (const lists of graphs.search(source.count)) {
    done += lists.lengths.length
    onProgress?.(BUILD_SHARE + (done / source.count) * (1 - BUILD_SHARE))
    options.signal?.throwIfAborted()
    yield lists
  }
}

/** Builds the graphs of all parts, in files of a temporary directory that goes with them. */
export async function buildGraphs(source: VectorSource, options: GraphOptions): Promise<Graphs> {
  const { k, partRows, candidates, connectivity, expansion, threads, signal, onBuilt } = options
  const { dimensions, count } = source
  await using cleanup = new AsyncDisposableStack()
  const vectors = await packHalves(source, signal)
  const directory = await mkdtemp(join(tmpdir(), 'assay-knn-'))
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  const parts = Array.from({ length: Math.ceil(count / partRows) }, (_, part) => ({
    path: join(directory, `part-${part}`),
    first: part * partRows,
    count: Math.min(partRows, count - part * partRows),
  }))
  const setup: SearchSetup = { vectors, dimensions, k, candidates: Math.max(candidates, k + 1), connectivity, expansion, parts }
  const pool = openThreads(setup, Math.max(1, threads))
  cleanup.defer(() => pool.close())
  const stop = () => pool.fail(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  cleanup.defer(() => signal?.removeEventListener('abort', stop))

  let built = 0
  await Promise.all(
    parts.map(async (_, part) => {
      await pool.ask({ kind: 'build', part })
      onBuilt?.(++built / parts.length)
    }),
  )
  signal?.throwIfAborted()
  const kept = cleanup.move()
  return {
    async *search(queries) {
      const waiting: Promise<FoundLists>[] = []
      for (let first = 0; first < queries || waiting.length > 0;) {
        for (; first < queries && waiting.length < 2 * pool.size; first += QUERY_ROWS) {
          const lists = pool.ask({ kind: 'search', first, count: Math.min(QUERY_ROWS, queries - first) })
          lists.catch(() => undefined) // it is awaited in its turn
          waiting.push(lists)
        }
        yield await waiting.shift()!
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** All vectors at half precision, in memory that threads share. */
async function packHalves(source: VectorSource, signal: AbortSignal | undefined): Promise<Uint16Array> {
  const { dimensions, count } = source
  const buffer = new SharedArrayBuffer(count * dimensions * 2)
  const halves = new Float16Array(buffer)
  for (let first = 0; first < count; first += READ_ROWS) {
    signal?.throwIfAborted()
    halves.set(await source.read(first, Math.min(READ_ROWS, count - first)), first * dimensions)
  }
  return new Uint16Array(buffer)
}

interface ThreadPool {
  readonly size: number
  /** Goes to whichever thread has least to do. */
  ask(request: { kind: 'build'; part: number } | { kind: 'search'; first: number; count: number }): Promise<FoundLists>
  /** Rejects all that is asked and will be. */
  fail(reason: unknown): void
  close(): Promise<void>
}

function openThreads(setup: SearchSetup, size: number): ThreadPool {
  const waiting = new Map<number, PromiseWithResolvers<FoundLists>>()
  let failure: { reason: unknown } | undefined
  const fail = (reason: unknown) => {
    failure ??= { reason }
    for (const request of waiting.values()) request.reject(failure.reason)
    waiting.clear()
  }
  const threads = Array.from({ length: size }, () => {
    const thread = { worker: new Worker(new URL('./approximateThread.ts', import.meta.url), { workerData: setup }), pending: 0 }
    thread.worker.on('error', fail)
    thread.worker.on('message', ({ id, lists }: ThreadReply) => {
      thread.pending--
      waiting.get(id)?.resolve(lists)
      waiting.delete(id)
    })
    return thread
  })
  let nextId = 0
  return {
    size,
    async ask(request) {
      if (failure !== undefined) throw failure.reason
      const thread = threads.reduce((a, b) => (b.pending < a.pending ? b : a))
      const answer = Promise.withResolvers<FoundLists>()
      const id = nextId++
      waiting.set(id, answer)
      thread.pending++
      thread.worker.postMessage({ id, ...request } satisfies ThreadRequest)
      return answer.promise
    },
    fail,
    async close() {
      fail(new Error('the search is closed'))
      await Promise.all(threads.map(({ worker }) => worker.terminate()))
    },
  }
}

/**
 * Approximate search for sets that are too large for all products: graphs of nearest neighbours (HNSW) by usearch over vectors rounded
 * to eight bits, then the exact similarity of what they find. Rows are cut into parts of a fixed size, each indexed by one thread, so
 * that neither the number of threads nor their speed changes what is found; usearch's own randomness has a fixed seed.
 *
 * Memory does not grow with the number of rows: for a part of 2^20 rows of 384, 0.6 GB in each thread while the graphs are built, then
 * 0.8 GB for the vectors of the part that is searched, which all rows go through in groups. Files in the system's temporary directory
 * do: two bytes a number for the vectors, and about one and a half for the graphs, which are mapped: 13 GB for 10^7 rows of 384.
 * Measured for 10 neighbours of 10^6 made-up vectors of 384 on two cores: 0.995 of the neighbours at 33 times the speed of an exact
 * search, after five minutes of one core for the graph (bench/knn.ts).
 */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VectorSource } from '../vectors.ts'
import { openSearchThreads, type SearchThread } from './approximatePool.ts'
import { type BestLists, createBestLists, type FoundLists } from './best.ts'
import { openHalvesFile } from './halvesFile.ts'

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
  /** Rows that go through the parts together: their lists are held. More of them read the parts less often. */
  groupRows?: number
  signal?: AbortSignal | undefined
  /** Share of the rows that are built in. */
  onBuilt?: ((share: number) => void) | undefined
}

export interface Graphs extends AsyncDisposable {
  /**
   * The nearest others of rows 0 to `queries` − 1, in groups of consecutive rows; among equals the lower row stands first. One search
   * at a time.
   */
  search(queries: number): AsyncGenerator<FoundLists>
}

/** Rows that a thread puts into its graph between two messages: some seconds. */
const ADD_ROWS = 16_384
/** Rows of one request to a thread: a fraction of a second. */
const QUERY_ROWS = 1024
/** 100 MB of vectors of 384, and as much of lists of 100. */
const GROUP_ROWS = 131_072
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

interface Part {
  path: string
  first: number
  count: number
}

/** Builds the graphs of all parts, in files of a temporary directory that goes with them. */
export async function buildGraphs(source: VectorSource, options: GraphOptions): Promise<Graphs> {
  const { k, partRows, candidates, connectivity, expansion, groupRows = GROUP_ROWS, signal, onBuilt } = options
  const { dimensions, count } = source
  await using cleanup = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'assay-knn-'))
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  const vectors = openHalvesFile(await open(join(directory, 'vectors'), 'wx+', 0o600), dimensions)
  cleanup.use(vectors)
  const parts = Array.from({ length: Math.ceil(count / partRows) }, (_, part): Part => ({
    path: join(directory, `part-${part}`),
    first: part * partRows,
    count: Math.min(partRows, count - part * partRows),
  }))
  const shared = {
    queries: new SharedArrayBuffer(Math.min(groupRows, count) * dimensions * 2),
    vectors: new SharedArrayBuffer(Math.min(partRows, count) * dimensions * 2),
  }
  const setup = { ...shared, dimensions, k, candidates: Math.max(candidates, k + 1), connectivity, expansion }
  const openThreads = (most: number) => openSearchThreads(setup, { size: Math.max(1, Math.min(options.threads, most)), signal })

  const unbuilt = parts.values()
  let builtRows = 0
  {
    // Threads of their own: what a graph takes while it grows goes with them.
    await using builders = openThreads(parts.length)
    await Promise.all(
      builders.threads.map(async (thread) => {
        for (const part of unbuilt) await build(part, thread)
      }),
    )
  }
  signal?.throwIfAborted()
  const pool = cleanup.use(openThreads(Math.ceil(Math.min(groupRows, count) / QUERY_ROWS)))
  /** Whose vectors are in shared memory. */
  let loaded: Part | undefined
  const kept = cleanup.move()
  return {
    async *search(queries) {
      for (let first = 0; first < queries; first += groupRows) {
        const rows = Math.min(groupRows, queries - first)
        await vectors.read(first, rows, shared.queries)
        const best = createBestLists(rows, k)
        for (const part of parts) {
          if (loaded !== part) await vectors.read(part.first, part.count, shared.vectors)
          loaded = part
          await searchPart(part, first, best)
        }
        yield best
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }

  async function build(part: Part, thread: SearchThread): Promise<void> {
    for (let row = 0; row < part.count; row += ADD_ROWS) {
      signal?.throwIfAborted()
      const rows = Math.min(ADD_ROWS, part.count - row)
      const halves = new Float16Array(await source.read(part.first + row, rows))
      await vectors.write(part.first + row, halves)
      await thread.ask({ kind: 'add', first: row, halves: new Uint16Array(halves.buffer) })
      builtRows += rows
      onBuilt?.(builtRows / count)
    }
    await thread.ask({ kind: 'save', path: part.path })
  }

  /** Offers what a part has for the group of rows from `first` on. */
  async function searchPart({ path, first: partFirst, count: partCount }: Part, first: number, best: BestLists): Promise<void> {
    const requests: number[] = []
    for (let start = 0; start < best.lengths.length; start += QUERY_ROWS) requests.push(start)
    const waiting = requests.values()
    await Promise.all(
      pool.threads.map(async (thread) => {
        for (const start of waiting) {
          const rows = Math.min(QUERY_ROWS, best.lengths.length - start)
          // Where a row of the group stands in the part, which is not its own neighbour.
          const self = first + start - partFirst
          const found = await thread.ask({ kind: 'search', path, partRows: partCount, first: start, count: rows, self })
          for (let query = 0; query < rows; query++)
            for (let i = query * k; i < query * k + found.lengths[query]!; i++)
              if (!best.offer(start + query, partFirst + found.rows[i]!, found.similarities[i]!)) break
        }
      }),
    )
  }
}

/**
 * Searches of nearest neighbours, for some of the vectors among all of them, since an exact search of a million for a million takes the
 * better part of an hour on two cores:
 *
 * - exact, against Gemm alone over the same blocks by ONNX Runtime with the same threads; at least 0.6 of it;
 * - by graphs, against exact: queries a second, with graphs that are built (what building takes is printed beside it), and the share of
 *   the exact neighbours that they find. For a million vectors at least 20 times the speed and 0.98 of the neighbours.
 *
 *     node bench/knn.ts [--vectors 200000] [--queries 2048] [--neighbours 10] [--rounds 3]
 */
import { availableParallelism } from 'node:os'
import { buildGraphs } from '../verifier/knn/approximate.ts'
import type { FoundLists } from '../verifier/knn/best.ts'
import { searchExact } from '../verifier/knn/exact.ts'
import { NEIGHBOUR_PARAMETERS } from '../verifier/knn/search.ts'
import { vectorsInMemory } from '../verifier/vectors.ts'
import { openGemm } from './support/gemm.ts'
import { compare } from './support/measurement.ts'
import { report, sizesFrom } from './support/program.ts'
import { makeVectors } from './support/vectors.ts'

const DIMENSIONS = 384
const REQUIRED_OF_GEMM = 0.6
const REQUIRED_OF_EXACT = 20
const REQUIRED_RECALL = 0.98
/** From here on a search by graphs has to be that much faster. */
const MANY = 1_000_000
/** Candidates for each neighbour, before their exact similarity is computed. */
const CANDIDATES_A_NEIGHBOUR = NEIGHBOUR_PARAMETERS.candidates / NEIGHBOUR_PARAMETERS.neighbours
const LEAST_CANDIDATES = 24

const { vectors: count, queries, neighbours: k, rounds } = sizesFrom({ vectors: 200_000, queries: 2048, neighbours: 10, rounds: 3 })
const threads = availableParallelism()
const vectors = makeVectors(count, DIMENSIONS, 1)
const source = vectorsInMemory(vectors, DIMENSIONS)
const size = `${queries} of ${count} × ${DIMENSIONS}, k = ${k}, ${threads} threads`

await using gemm = await openGemm(vectors, DIMENSIONS, { device: 'cpu', threads })
const exact: Found = []
report(
  await compare({
    name: 'kNN, exact',
    unit: 'queries/s',
    against: 'Gemm alone',
    size,
    required: REQUIRED_OF_GEMM,
    rounds,
    subject: { run: () => drain(searchExact(source, { k, device: 'cpu', threads, queries }), exact) },
    floor: { run: () => gemm.run(queries) },
  }),
)

const { partSamples: partRows, connectivity, expansion } = NEIGHBOUR_PARAMETERS
const candidates = Math.max(LEAST_CANDIDATES, Math.ceil(k * CANDIDATES_A_NEIGHBOUR))
const start = performance.now()
await using graphs = await buildGraphs(source, { k, partRows, candidates, connectivity, expansion, threads })
console.log(`graphs of ${count} vectors are built in ${((performance.now() - start) / 1000).toFixed(1)} s`)
const found: Found = []
report(
  await compare({
    name: 'kNN, by graphs',
    unit: 'queries/s',
    against: 'exact',
    size,
    ...(count >= MANY ? { required: REQUIRED_OF_EXACT } : {}),
    rounds,
    subject: { run: () => drain(graphs.search(queries), found) },
    floor: { run: () => drain(searchExact(source, { k, device: 'cpu', threads, queries }), exact) },
  }),
)
const recall = recallOf(found, exact)
console.log(
  `recall@${k} over ${queries} queries: ${recall.toFixed(4)} (at least ${REQUIRED_RECALL}); ${(process.memoryUsage().rss / 1e9).toFixed(2)} GB`,
)
if (recall < REQUIRED_RECALL) process.exitCode = 1

/** A list of row numbers for each query. */
type Found = Int32Array[]

async function drain(groups: AsyncIterable<FoundLists>, into: Found): Promise<number> {
  into.length = 0
  for await (const { rows, lengths } of groups)
    for (let query = 0; query < lengths.length; query++) into.push(rows.slice(query * k, query * k + lengths[query]!))
  return into.length
}

function recallOf(lists: Found, truth: Found): number {
  let hits = 0
  for (const [query, expected] of truth.entries()) {
    const members = new Set(lists[query])
    for (const row of expected) if (members.has(row)) hits++
  }
  return hits / truth.reduce((sum, { length }) => sum + length, 0)
}

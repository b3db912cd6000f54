/**
 * Exact nearest neighbours by cosine similarity: blocks of the product of all vectors with all vectors, and the best of each block, as
 * a graph of ONNX Runtime (MatMul by Gemm, then TopK, whose ties go to the lower index). All blocks but the last have one shape, so
 * that the same vectors give the same bits. Time grows with the square of the count: about a minute for 200,000 on two cores.
 */
import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { InferenceSession } from 'onnxruntime-node'
import type { Neighbours } from './detectors/detector.ts'
import { type OnnxRuntime, createSession, loadOnnxRuntime } from './embedding/onnxRuntime.ts'
import { FLOAT, INT64, encodeOnnxModel } from './onnxGraph.ts'

export interface NeighbourOptions {
  dimensions: number
  /** count × dimensions, each row of unit length. */
  vectors: Float32Array
  /** Rows that are 0 here have no neighbours and are nobody's. */
  valid: Uint8Array
  k: number
  threads?: number | undefined
  signal?: AbortSignal | undefined
  /** Share of the work that is done. */
  onProgress?: ((share: number) => void) | undefined
}

/** Rows of a block: small enough that a run takes a few milliseconds, which is how long it holds this thread. */
const QUERY_ROWS = 256
const CANDIDATE_ROWS = 4096

/** The `k` nearest others of every row, nearest first, ties to the lower number. Needs memory for one copy of the vectors. */
export async function nearestNeighbours(options: NeighbourOptions): Promise<Neighbours> {
  const { dimensions, vectors, valid, k, threads = availableParallelism(), signal, onProgress } = options
  const count = valid.length
  const { rows, packed } = packValid(vectors, valid, dimensions)
  const best = createBest(rows.length, k)
  await using search = await openBlockSearch(dimensions, threads)
  const queries = new Float32Array(QUERY_ROWS * dimensions)
  for (let query = 0; query < rows.length; query += QUERY_ROWS) {
    const queryRows = Math.min(QUERY_ROWS, rows.length - query)
    queries.fill(0)
    queries.set(packed.subarray(query * dimensions, (query + queryRows) * dimensions))
    for (let candidate = 0; candidate < rows.length; candidate += CANDIDATE_ROWS) {
      await nextTurn()
      signal?.throwIfAborted()
      const candidateRows = Math.min(CANDIDATE_ROWS, rows.length - candidate)
      // One more than asked for: the row itself may be among them.
      const found = await search.run(
        queries,
        packed.subarray(candidate * dimensions, (candidate + candidateRows) * dimensions),
        Math.min(k + 1, candidateRows),
      )
      for (let i = 0; i < queryRows; i++) best.offer(query + i, candidate, found, i)
    }
    onProgress?.((query + queryRows) / rows.length)
  }

  const neighbours: Neighbours = {
    k,
    samples: new Int32Array(count * k).fill(-1),
    similarities: new Float32Array(count * k),
  }
  for (const [row, sample] of rows.entries())
    for (let i = 0; i < best.found(row); i++) {
      neighbours.samples[sample * k + i] = rows[best.rows[row * k + i]!]!
      neighbours.similarities[sample * k + i] = Math.max(-1, Math.min(1, best.similarities[row * k + i]!))
    }
  return neighbours
}

/** The valid rows one after the other, and their numbers. */
function packValid(vectors: Float32Array, valid: Uint8Array, dimensions: number): { rows: Int32Array; packed: Float32Array } {
  const rows = Int32Array.from(valid.keys().filter((row) => valid[row] !== 0))
  if (rows.length === valid.length) return { rows, packed: vectors }
  const packed = new Float32Array(rows.length * dimensions)
  for (const [i, row] of rows.entries()) packed.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions)
  return { rows, packed }
}

/** The best of one block of candidates for each query: width of them, best first. */
interface BlockResult {
  width: number
  similarities: Float32Array
  /** Within the block. */
  indices: BigInt64Array
}

/** For each row a list of at most `k` others, best first; blocks are offered in rising order, so that ties stay with the lower row. */
function createBest(count: number, k: number) {
  const rows = new Int32Array(count * k)
  const similarities = new Float32Array(count * k)
  const lengths = new Uint32Array(count)
  return {
    rows,
    similarities,
    found: (row: number): number => lengths[row]!,
    offer(row: number, firstCandidate: number, block: BlockResult, query: number): void {
      const base = row * k
      let length = lengths[row]!
      for (let i = 0; i < block.width; i++) {
        const similarity = block.similarities[query * block.width + i]!
        const other = firstCandidate + Number(block.indices[query * block.width + i]!)
        if (other === row) continue
        if (length === k && similarity <= similarities[base + k - 1]!) break
        let at = length < k ? length++ : k - 1
        for (; at > 0 && similarities[base + at - 1]! < similarity; at--) {
          similarities[base + at] = similarities[base + at - 1]!
          rows[base + at] = rows[base + at - 1]!
        }
        similarities[base + at] = similarity
        rows[base + at] = other
      }
      lengths[row] = length
    },
  }
}

interface BlockSearch extends AsyncDisposable {
  /** The `width` best of `candidates` for each of QUERY_ROWS `queries`. */
  run(queries: Float32Array, candidates: Float32Array, width: number): Promise<BlockResult>
}

async function openBlockSearch(dimensions: number, threads: number): Promise<BlockSearch> {
  const onnx = await loadOnnxRuntime()
  const session = await createSession(onnx, blockSearchGraph(dimensions), { device: 'cpu', threads })
  return {
    run: (queries, candidates, width) => runBlock(onnx, session, { dimensions, queries, candidates, width }),
    [Symbol.asyncDispose]: () => session.release(),
  }
}

function blockSearchGraph(dimensions: number): Uint8Array {
  return encodeOnnxModel({
    name: 'nearest',
    inputs: [
      { name: 'queries', type: FLOAT, shape: [QUERY_ROWS, dimensions] },
      { name: 'candidates', type: FLOAT, shape: ['candidates', dimensions] },
      { name: 'width', type: INT64, shape: [1] },
    ],
    nodes: [
      { operator: 'Gemm', inputs: ['queries', 'candidates'], outputs: ['products'], integers: { transB: 1 } },
      { operator: 'TopK', inputs: ['products', 'width'], outputs: ['similarities', 'indices'] },
    ],
    outputs: [
      { name: 'similarities', type: FLOAT, shape: [QUERY_ROWS, 'best'] },
      { name: 'indices', type: INT64, shape: [QUERY_ROWS, 'best'] },
    ],
  })
}

async function runBlock(
  onnx: OnnxRuntime,
  session: InferenceSession,
  block: { dimensions: number; queries: Float32Array; candidates: Float32Array; width: number },
): Promise<BlockResult> {
  const { dimensions, queries, candidates, width } = block
  const { similarities, indices } = await session.run({
    queries: new onnx.Tensor('float32', queries, [QUERY_ROWS, dimensions]),
    candidates: new onnx.Tensor('float32', candidates, [candidates.length / dimensions, dimensions]),
    width: new onnx.Tensor('int64', BigInt64Array.of(BigInt(width)), [1]),
  })
  if (!(similarities?.data instanceof Float32Array) || !(indices?.data instanceof BigInt64Array))
    throw new TypeError('the search graph gives fp32 similarities and int64 indices')
  return { width, similarities: similarities.data, indices: indices.data }
}

/**
 * The `width` best of a block of candidates for each of a block of queries, as a graph of ONNX Runtime: Gemm, then TopK, whose ties go
 * to the lower index on the CPU. The same graph runs on every device; only the shapes of the blocks differ.
 */
import type { InferenceSession } from 'onnxruntime-node'
import { type Device, type OnnxRuntime, createSession, loadOnnxRuntime } from '../embedding/onnxRuntime.ts'
import { FLOAT, INT64 } from '../onnx/model.ts'
import { encodeModel } from '../onnx/write.ts'

export interface BlockShape {
  queryRows: number
  /** At most. */
  candidateRows: number
}

/**
 * What keeps a device busy. On the CPU a block of products stays in the cache, takes about 15 ms, which is how long it holds this
 * thread, and is wide enough that TopK costs little beside Gemm. On a GPU both sides of a product are sent to it each time, so that
 * blocks are as large as its memory takes without asking: 128 MiB of products by WebGPU's least limits, 1 GiB with CUDA.
 */
export const BLOCK_SHAPES: Readonly<Record<Device, BlockShape>> = {
  cpu: { queryRows: 256, candidateRows: 16_384 },
  webgpu: { queryRows: 4096, candidateRows: 8192 },
  cuda: { queryRows: 16_384, candidateRows: 16_384 },
}

export interface BlockResult {
  width: number
  /** queryRows × width, best first. */
  similarities: Float32Array
  /** Within the block of candidates. */
  indices: BigInt64Array
}

export interface BlockSearch extends AsyncDisposable {
  readonly shape: BlockShape
  /** `queries` has exactly the shape's rows, `candidates` at most. */
  run(queries: Float32Array, candidates: Float32Array, width: number): Promise<BlockResult>
}

/** Throws `unavailable` where the device cannot be used on this machine. */
export async function openBlockSearch(dimensions: number, { device, threads }: { device: Device; threads: number }): Promise<BlockSearch> {
  const onnx = await loadOnnxRuntime()
  const shape = BLOCK_SHAPES[device]
  const session = await createSession(onnx, blockSearchGraph(shape.queryRows, dimensions), { device, threads })
  return {
    shape,
    run: (queries, candidates, width) => runBlock(onnx, session, { dimensions, queries, candidates, width }),
    [Symbol.asyncDispose]: () => session.release(),
  }
}

function blockSearchGraph(queryRows: number, dimensions: number): Uint8Array {
  return encodeModel({
    name: 'nearest',
    inputs: [
      { name: 'queries', type: FLOAT, shape: [queryRows, dimensions] },
      { name: 'candidates', type: FLOAT, shape: ['candidates', dimensions] },
      { name: 'width', type: INT64, shape: [1] },
    ],
    nodes: [
      { operator: 'Gemm', inputs: ['queries', 'candidates'], outputs: ['products'], attributes: { transB: 1 } },
      { operator: 'TopK', inputs: ['products', 'width'], outputs: ['similarities', 'indices'] },
    ],
    outputs: [
      { name: 'similarities', type: FLOAT, shape: [queryRows, 'best'] },
      { name: 'indices', type: INT64, shape: [queryRows, 'best'] },
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
    queries: new onnx.Tensor('float32', queries, [queries.length / dimensions, dimensions]),
    candidates: new onnx.Tensor('float32', candidates, [candidates.length / dimensions, dimensions]),
    width: new onnx.Tensor('int64', BigInt64Array.of(BigInt(width)), [1]),
  })
  if (!(similarities?.data instanceof Float32Array) || !(indices?.data instanceof BigInt64Array))
    throw new TypeError('the search graph gives fp32 similarities and int64 indices')
  return { width, similarities: similarities.data, indices: indices.data }
}

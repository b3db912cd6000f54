/** The floor of an exact search: its products and nothing else. */
import { type Device, createSession, loadOnnxRuntime } from '../../verifier/embedding/onnxRuntime.ts'
import { BLOCK_SHAPES } from '../../verifier/knn/blockSearch.ts'
import { FLOAT } from '../../verifier/onnx/model.ts'
import { encodeModel } from '../../verifier/onnx/write.ts'

export interface Gemm extends AsyncDisposable {
  /** Multiplies the first `queries` rows with all rows, in the blocks of the search; the number of queries. */
  run(queries: number): Promise<number>
}

/** Of each block of products one number is kept, so that no copy of them is measured. */
export async function openGemm(
  vectors: Float32Array,
  dimensions: number,
  { device, threads }: { device: Device; threads: number },
): Promise<Gemm> {
  const onnx = await loadOnnxRuntime()
  const { queryRows, candidateRows } = BLOCK_SHAPES[device]
  const graph = encodeModel({
    name: 'products',
    inputs: [
      { name: 'queries', type: FLOAT, shape: ['queries', dimensions] },
      { name: 'candidates', type: FLOAT, shape: ['candidates', dimensions] },
    ],
    nodes: [
      { operator: 'Gemm', inputs: ['queries', 'candidates'], outputs: ['products'], attributes: { transB: 1 } },
      { operator: 'ReduceMax', inputs: ['products'], outputs: ['greatest'], attributes: { keepdims: 0 } },
    ],
    outputs: [{ name: 'greatest', type: FLOAT, shape: [] }],
  })
  const session = await createSession(onnx, graph, { device, threads })
  const tensor = (rows: Float32Array) => new onnx.Tensor('float32', rows, [rows.length / dimensions, dimensions])
  const rowsFrom = (first: number, last: number) => tensor(vectors.subarray(first * dimensions, last * dimensions))
  const count = vectors.length / dimensions
  return {
    async run(queries) {
      for (let candidate = 0; candidate < count; candidate += candidateRows)
        for (let query = 0; query < queries; query += queryRows)
          await session.run({
            queries: rowsFrom(query, Math.min(queries, query + queryRows)),
            candidates: rowsFrom(candidate, candidate + candidateRows),
          })
      return queries
    },
    [Symbol.asyncDispose]: () => session.release(),
  }
}

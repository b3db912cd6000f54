import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../../core/problem.ts'
import { deriveGraph } from '../../verifier/embedding/derive.ts'
import { defaultModelCache, ensureModel } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { createSession, loadOnnxRuntime } from '../../verifier/embedding/onnxRuntime.ts'
import { FLOAT, GRAPH, MODEL, readModel } from '../../verifier/onnx/model.ts'
import { EMBEDDING_OUTPUT, layerOutput, pooledGraph, type PooledGraphOptions } from '../../verifier/onnx/pooledGraph.ts'
import { bytesField } from '../../verifier/onnx/wire.ts'
import { encodeModel, encodeValue } from '../../verifier/onnx/write.ts'
import { smallGraph, smallState, SMALL_VOCABULARY, SMALL_WIDTH } from './smallModels.ts'

const onnx = await loadOnnxRuntime()

/** Runs a graph on rows of token ids, padded with token 0; every output as arrays of rows. */
async function run(graph: string | Uint8Array, rows: readonly (readonly number[])[]): Promise<Record<string, number[][]>> {
  const session = await createSession(onnx, graph, { device: 'cpu', threads: 1 })
  const tokens = Math.max(...rows.map(({ length }) => length))
  const tensor = (value: (row: readonly number[], i: number) => number) =>
    new onnx.Tensor('int64', BigInt64Array.from({ length: rows.length * tokens }, (_, i) => BigInt(value(rows[Math.floor(i / tokens)]!, i % tokens))), [rows.length, tokens]) // prettier-ignore
  const feeds: Record<string, InstanceType<typeof onnx.Tensor>> = {
    input_ids: tensor((row, i) => row[i] ?? 0),
    attention_mask: tensor((row, i) => (i < row.length ? 1 : 0)),
    token_type_ids: tensor(() => 0),
  }
  try {
    const outputs = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!])))
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data, size }]) => {
        const width = size / rows.length
        return [name, rows.map((_, row) => Array.from((data as Float32Array).subarray(row * width, (row + 1) * width)))]
      }),
    )
  } finally {
    await session.release()
  }
}

function derive(options: Partial<PooledGraphOptions> = {}): Uint8Array {
  const model = readModel(encodeModel(smallGraph()))
  return Buffer.concat(pooledGraph(model, { states: 'states', pooling: 'mean', normalized: false, layers: [], ...options }))
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: readonly number[]) => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)))
const columns = Array.from({ length: SMALL_WIDTH }, (_, d) => d)

function assertNear(actual: readonly number[], expected: readonly number[], tolerance = 1e-6): void {
  assert.equal(actual.length, expected.length)
  for (const [i, value] of actual.entries())
    assert.ok(Math.abs(value - expected[i]!) <= tolerance, `${value} instead of ${expected[i]} at ${i}`)
}

test('law: the derived graph gives the mean of a text’s states, and mean and deviation of a layer, whatever the padding', async () => {
  const graph = derive({ layers: [{ name: 'table', tensor: 'states' }] })
  const text = fc.array(fc.integer({ min: 0, max: SMALL_VOCABULARY - 1 }), { minLength: 1, maxLength: 9 })
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), async (rows) => {
      const outputs = await run(graph, rows)
      assert.deepEqual(Object.keys(outputs).toSorted(), [EMBEDDING_OUTPUT, layerOutput('table')])
      for (const [i, row] of rows.entries()) {
        const means = columns.map((d) => mean(row.map((token) => smallState(token, d))))
        const deviations = columns.map((d) => deviation(row.map((token) => smallState(token, d))))
        assertNear(outputs[EMBEDDING_OUTPUT]![i]!, means)
        assertNear(outputs[layerOutput('table')]![i]!, [...means, ...deviations])
      }
    }),
    { numRuns: 20 },
  )
})

test('a vector of unit length points where the mean points; one of a text without a direction is zero', async () => {
  const [vector] = (await run(derive({ normalized: true }), [[1, 2, 3]]))[EMBEDDING_OUTPUT]!
  const means = columns.map((d) => mean([1, 2, 3].map((token) => smallState(token, d))))
  assertNear(
    vector!,
    means.map((value) => value / Math.hypot(...means)),
  )
  const still = { ...smallGraph(), nodes: [...smallGraph().nodes, { operator: 'Sub', inputs: ['states', 'states'], outputs: ['nothing'] }] }
  const zero = pooledGraph(readModel(encodeModel(still)), { states: 'nothing', pooling: 'mean', normalized: true, layers: [] })
  assertNear((await run(Buffer.concat(zero), [[1, 2]]))[EMBEDDING_OUTPUT]![0]!, [0, 0, 0, 0])
})

test('pooling by the first token takes the state of the first token', async () => {
  const outputs = await run(derive({ pooling: 'cls' }), [
    [5, 1],
    [6, 2, 3],
  ])
  assertNear(
    outputs[EMBEDDING_OUTPUT]![0]!,
    columns.map((d) => smallState(5, d)),
  )
  assertNear(
    outputs[EMBEDDING_OUTPUT]![1]!,
    columns.map((d) => smallState(6, d)),
  )
})

test('a tensor that the graph does not compute is named in the refusal', () => {
  const isRefusal = (tensor: string) => (error: unknown) =>
    error instanceof Problem && error.code === 'unsupported-format' && error.detail.includes(`"${tensor}"`)
  assert.throws(() => derive({ states: 'elsewhere' }), isRefusal('elsewhere'))
  assert.throws(() => derive({ layers: [{ name: 'a', tensor: 'nowhere' }] }), isRefusal('nowhere'))
})

test('token states never leave the derived graph', () => {
  assert.deepEqual(readModel(derive()).outputs, [EMBEDDING_OUTPUT])
})

test('fields of the file that nobody knows go through byte for byte', () => {
  const unknown = Buffer.concat([encodeModel(smallGraph()), Buffer.from([0x9a, 0x3f, 3, 1, 2, 3])]) // field 1011, length-delimited
  const derived = Buffer.concat(pooledGraph(readModel(unknown), { states: 'states', pooling: 'cls', normalized: false, layers: [] }))
  assert.ok(derived.includes(Buffer.from([0x9a, 0x3f, 3, 1, 2, 3])))
})

test('the default model, pooled in its graph, equals pooling of its token states in float64 within 1e-6; its layers too', async () => {
  const local = await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache() })
  const rows = [
    [101, 1996, 4633, 2003, 8403, 2651, 1012, 102],
    [101, 102],
    [101, ...Array.from({ length: 60 }, (_, i) => 2000 + 97 * i), 102],
  ]
  const pooled = await run(local.graph, rows)
  const { layers, output, dimensions } = local.model
  // The file with inner layers as further outputs (protobuf merges what is appended); each text alone, so that all its tokens count.
  const outputs = layers.map(({ tensor, width }) =>
    bytesField(GRAPH.output, encodeValue({ name: tensor, type: FLOAT, shape: ['rows', 'tokens', width] })),
  )
  const file = Buffer.concat([await readFile(local.pathOf(local.model.graph)), bytesField(MODEL.graph, Buffer.concat(outputs))])
  for (const [i, row] of rows.entries()) {
    const states = await run(file, [row])
    const ofTokens = (tensor: string, width: number, d: number) => row.map((_, token) => states[tensor]![0]![token * width + d]!)
    const means = Array.from({ length: dimensions }, (_, d) => mean(ofTokens(output, dimensions, d)))
    assertNear(
      pooled[EMBEDDING_OUTPUT]![i]!,
      means.map((value) => value / Math.hypot(...means)),
    )
    for (const { name, tensor, width } of layers) {
      const moments = [mean, deviation].flatMap((of) => Array.from({ length: width }, (_, d) => of(ofTokens(tensor, width, d))))
      assertNear(pooled[layerOutput(name)]![i]!, moments, 1e-5)
    }
  }
})

test('deriving twice gives the same bytes, and a transform of another program is refused', async () => {
  const local = await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache() })
  const read = (path: string) => readFile(local.pathOf(path))
  const again = Buffer.concat(await deriveGraph(local.model, 'pooled/1', read))
  assert.ok(again.equals(await readFile(local.graph)))
  await assert.rejects(deriveGraph(local.model, 'pooled/99', read), /this program has no transform "pooled\/99"/)
})

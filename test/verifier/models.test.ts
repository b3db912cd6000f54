import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CID } from '../../core/cid.ts'
import { encodeModel, Model, type ModelManifest, referenceOf, type TextModel, validateModelManifest } from '../../core/models.ts'
import { Problem } from '../../core/problem.ts'
import { describeTextModel, lockModel } from '../../verifier/embedding/describeModel.ts'
import { createEmbedder } from '../../verifier/embedding/embedder.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { findModel, listModels } from '../../verifier/embedding/modelRegistry.ts'
import { DEFAULT_MODEL, GTE_SMALL, KNOWN_MODELS } from '../../verifier/embedding/models.ts'
import { encodeModel as encodeGraph } from '../../verifier/onnx/write.ts'
import { SMALL_FILES, SMALL_WIDTH, smallGraph } from './smallModels.ts'

const GOLDEN = {
  'sentence-transformers/all-MiniLM-L6-v2': 'baguqeerai4b55vj4aqknjab26bsj6qsou4kostcluvjmxlgsntip7vzatakq',
  'thenlper/gte-small': 'baguqeera3ljwin4ehto4gitovqibaw6cuylg4r53grayzn3wxhnn3jbddeca',
}

test('models have the CIDs by which recipes name them', () => {
  for (const { model } of KNOWN_MODELS) {
    const golden = GOLDEN[model.name as keyof typeof GOLDEN]
    if (golden !== undefined) assert.equal(encodeModel(model).cid.toString(), golden)
  }
})

test('where a model can be had is no part of what it is', () => {
  const elsewhere = validateModelManifest({ ...DEFAULT_MODEL, sources: [{ kind: 'blocks' }] })
  assert.ok(encodeModel(elsewhere.model).cid.equals(encodeModel(DEFAULT_MODEL.model).cid))
})

test('everything that decides a vector is part of the CID', () => {
  const cids = new Set(
    [{}, { maxTokens: 64 }, { prefix: 'query: ' }, { pooling: 'cls' }, { normalized: false }, { layers: [] }].map((change) =>
      encodeModel(Model.parse({ ...DEFAULT_MODEL.model, ...change })).cid.toString(),
    ),
  )
  assert.equal(cids.size, 6)
})

test('a manifest with a field too many, a file missing or a path that climbs is refused, and the field named', () => {
  const [graph, ...others] = DEFAULT_MODEL.model.files
  const wrong: [Partial<TextModel> & Record<string, unknown>, RegExp][] = [
    [{ surprise: 1 }, /Unrecognized key: "surprise"/],
    [{ files: others }, /expected the graph and the tokenizer among the files/],
    [{ files: [graph!, graph!, ...others] }, /expected every file once/],
    [{ files: [{ ...graph!, path: '../model.onnx' }, ...others] }, /model\.files\.0\.path/],
    [{ dimensions: 0 }, /model\.dimensions/],
    [{ derived: [] }, /model\.derived/],
  ]
  for (const [change, pattern] of wrong)
    assert.throws(
      () => validateModelManifest({ ...DEFAULT_MODEL, model: { ...DEFAULT_MODEL.model, ...change } }),
      (error) => error instanceof Problem && error.code === 'invalid-document' && pattern.test(error.detail),
      String(pattern),
    )
  const npm = { kind: 'npm', package: '--registry=evil', version: '1.0.0', folder: 'a' }
  assert.throws(() => validateModelManifest({ ...DEFAULT_MODEL, sources: [npm] }), /sources\.0\.package/)
})

test('a model is found by its name, by the last part of it and by its CID', async () => {
  for (const reference of ['gte-small', 'thenlper/gte-small', GOLDEN['thenlper/gte-small']])
    assert.equal((await findModel(reference, 'nowhere')).model.name, 'thenlper/gte-small')
  assert.equal(await findModel('default', 'nowhere'), DEFAULT_MODEL)
  assert.equal((await listModels('nowhere')).length, KNOWN_MODELS.length)
  await assert.rejects(findModel('gpt-9', 'nowhere'), /there is no model "gpt-9"; there are /)
  assert.ok(CID.parse(GOLDEN['thenlper/gte-small']))
})

test('a model with quantised products is locked in the mode int8 and in no other', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'assay-quantised-'))
  try {
    const quantised = { operator: 'DynamicQuantizeLinear', inputs: ['states'], outputs: ['q', 'scale', 'zero'] }
    const graph = encodeGraph({ ...smallGraph(), nodes: [...smallGraph().nodes, quantised] })
    const files = { ...SMALL_FILES, 'onnx/model.onnx': graph, 'config.json': JSON.stringify({ hidden_size: SMALL_WIDTH }) }
    await mkdir(join(directory, 'onnx'))
    for (const [path, content] of Object.entries(files)) await writeFile(join(directory, path), content)
    const description = await describeTextModel({ directory, name: 'acme/int8', license: 'MIT', graph: 'onnx/model.onnx', pooling: 'cls' })
    const model = await lockModel(directory, description)
    assert.deepEqual(
      model.derived.map(({ mode }) => mode),
      ['int8'],
    )
    assert.equal(referenceOf(model).mode, 'int8')
    assert.throws(() => referenceOf(model, 'fp32'), /has no mode fp32; it has int8/)
    await assert.rejects(
      describeTextModel({ directory, name: 'acme/int8', license: 'MIT', graph: 'onnx/model.onnx' }),
      /does not say how states are pooled/,
    )
  } finally {
    await rm(directory, { recursive: true })
  }
})

/** Similarities of the first text to the others, by a model. */
async function similarities(manifest: ModelManifest<TextModel>, texts: readonly string[]): Promise<number[]> {
  const embedder = createEmbedder({ manifest, cacheDir: defaultModelCache(), device: 'cpu', threads: 2 })
  const source = { count: texts.length, text: (sample: number) => texts[sample] ?? null }
  await using embeddings = await embedder.embed(source, { signal: new AbortController().signal })
  const { dimensions } = embeddings.vectors
  const vectors = await embeddings.vectors.read(0, texts.length)
  const row = (i: number) => vectors.subarray(i * dimensions, (i + 1) * dimensions)
  return texts.slice(1).map((_, i) => row(0).reduce((sum, value, d) => sum + value * row(i + 1)[d]!, 0))
}

test('gte-small, as its manifest has it, tells what belongs together as its authors show', async (t) => {
  const texts = ['what is the capital of China?', 'how to implement quick sort in python?', 'Beijing', 'sorting algorithms']
  let found: number[]
  try {
    found = await similarities(GTE_SMALL, texts)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'unavailable') throw error
    return t.skip(error.detail)
  }
  const [sort, beijing, algorithms] = found as [number, number, number]
  assert.ok(beijing > sort && beijing > algorithms && beijing > 0.8, found.join(' '))
})

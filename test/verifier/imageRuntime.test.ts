import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { type ImageModel, validateModelDescription } from '../../core/models.ts'
import { Problem } from '../../core/problem.ts'
import { lockModel } from '../../verifier/embedding/describeModel.ts'
import { type ImageRuntime, openImageRuntime } from '../../verifier/embedding/imageRuntime.ts'
import { defaultModelCache, ensureModel, type LocalModel } from '../../verifier/embedding/modelCache.ts'
import { MOBILENET_V3_SMALL } from '../../verifier/embedding/models.ts'
import { createSession, loadOnnxRuntime } from '../../verifier/embedding/onnxRuntime.ts'
import { FLOAT } from '../../verifier/onnx/model.ts'
import { EMBEDDING_OUTPUT } from '../../verifier/onnx/pooledGraph.ts'
import { tfjsToOnnx, tfjsWeightPaths } from '../../verifier/onnx/tfjs.ts'
import { encodeModel } from '../../verifier/onnx/write.ts'

let model: LocalModel<ImageModel>
let runtime: ImageRuntime

before(async () => {
  model = await ensureModel(MOBILENET_V3_SMALL, { cacheDir: defaultModelCache() })
  runtime = await openImageRuntime(model, { device: 'cpu', threads: 2 })
})

after(() => runtime[Symbol.asyncDispose]())

const picture = (hue: number, size = 96) =>
  sharp({ create: { width: size, height: size, channels: 3, background: { r: hue, g: 255 - hue, b: 90 } } })
    .composite([
      {
        input: Buffer.from(Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * hue) % 256)),
        raw: { width: 32, height: 32, channels: 3 },
        left: 8,
        top: 16,
      },
    ])
    .png()
    .toBuffer()

test('the features of MobileNetV3-Small are those that TensorFlow’s weights give, within 2e-5', async () => {
  // Out of another conversion of the same weights to ONNX, on these pixels: its twelve greatest components, of unit length.
  const expected = new Map<number, number>([
    [383, 0.1795289],
    [810, 0.1706307],
    [81, 0.1675721],
    [317, 0.162407],
    [915, 0.1593052],
    [342, 0.1499321],
    [550, 0.1465065],
    [92, 0.143119],
    [552, 0.1397846],
    [771, 0.1394455],
    [906, 0.1371782],
    [805, 0.1297224],
  ])
  const pixels = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => (((i * 7919) % 256) / 255) * (1 - (i % 224) / 448))
  const onnx = await loadOnnxRuntime()
  const session = await createSession(onnx, model.graph, { device: 'cpu', threads: 2 })
  const output = (await session.run({ [model.model.input]: new onnx.Tensor('float32', pixels, [1, 3, 224, 224]) }))[EMBEDDING_OUTPUT]
  await session.release()
  const vector = output?.data as Float32Array
  assert.equal(vector.length, 1024)
  for (const [i, value] of expected) assert.ok(Math.abs(vector[i]! - value) < 2e-5, `${vector[i]} instead of ${value} at ${i}`)
})

test('an image has the same embedding, to the bit, alone and among others; one that is broken is refused and holds up nobody', async () => {
  const images = await Promise.all(Array.from({ length: 20 }, (_, i) => picture(i * 12)))
  const broken = images[3]!.subarray(0, 60)
  const all = await Array.fromAsync(runtime.embed([...images.slice(0, 5), broken, ...images.slice(5)]))
  assert.equal(all.length, 21)
  const refused = all[5]!
  assert.ok(!(refused instanceof Float32Array) && /not a whole/.test(refused.refused))
  const vectors = all.filter((one) => one instanceof Float32Array)
  assert.deepEqual(await Array.fromAsync(runtime.embed([images[7]!])), [vectors[7]])
  for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6)
  assert.ok(new Set(vectors.map(String)).size === 20)
})

test('the same picture in another size lies nearer than any other picture', async () => {
  const [small, large, other] = (await Array.fromAsync(runtime.embed([await picture(40), await sharp(await picture(40)).resize(300).jpeg().toBuffer(), await picture(200)]))) as Float32Array[] // prettier-ignore
  const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  assert.ok(cosine(small!, large!) > 0.9)
  assert.ok(cosine(small!, other!) < cosine(small!, large!))
})

test('an abort ends the stream with its reason', async () => {
  const abort = new AbortController()
  async function* source() {
    for (;;) {
      yield await picture(1, 48)
      abort.abort(new Error('stop'))
    }
  }
  await assert.rejects(Array.fromAsync(runtime.embed(source(), abort.signal)), /stop/)
})

test('an image tower in ONNX is described by a person, locked by digests, and gives what its graph gives at unit length', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'assay-tower-'))
  try {
    const tower = encodeModel({
      name: 'mean colour',
      nodes: [
        { operator: 'GlobalAveragePool', inputs: ['pixel_values'], outputs: ['means'] },
        { operator: 'Flatten', inputs: ['means'], outputs: ['image_embeds'] },
      ],
      inputs: [{ name: 'pixel_values', type: FLOAT, shape: ['batch', 3, 8, 8] }],
      outputs: [{ name: 'image_embeds', type: FLOAT, shape: ['batch', 3] }],
    })
    await writeFile(join(directory, 'vision_model.onnx'), tower)
    const description = validateModelDescription({
      role: 'image-embedding',
      name: 'acme/mean-colour',
      license: 'CC0-1.0',
      graph: 'vision_model.onnx',
      format: 'onnx',
      dimensions: 3,
      normalized: true,
      input: 'pixel_values',
      output: 'image_embeds',
      image: { ...MOBILENET_V3_SMALL.model.image, width: 8, height: 8, fit: 'crop', resample: 'bicubic' },
    })
    const locked = await lockModel(directory, description)
    assert.ok(locked.role === 'image-embedding')
    const source = { kind: 'directory', path: directory } as const
    const local = await ensureModel({ model: locked, sources: [source] }, { cacheDir: join(directory, 'cache') })
    await using small = await openImageRuntime(local, { device: 'cpu', threads: 1 })
    const blue = await sharp({ create: { width: 20, height: 10, channels: 3, background: { r: 0, g: 0, b: 200 } } })
      .png()
      .toBuffer()
    const grey = await sharp({ create: { width: 10, height: 20, channels: 3, background: '#777777' } })
      .png()
      .toBuffer()
    const [first, second] = (await Array.fromAsync(small.embed([blue, grey]))) as Float32Array[]
    assert.deepEqual([...first!].map((value) => Number(value.toFixed(6))), [0, 0, 1]) // prettier-ignore
    for (const value of second!) assert.ok(Math.abs(value - Math.sqrt(1 / 3)) < 1e-6)
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('a TensorFlow.js model whose files do not fit together, or with an operation that nobody knows, is refused', async () => {
  const json = await readFile(model.pathOf('model.json'))
  const weights = await Promise.all(tfjsWeightPaths(json).map((path) => readFile(model.pathOf(path))))
  const size = { height: 224, width: 224 }
  const changed = (change: (text: string) => string) => Buffer.from(change(json.toString()))
  const isProblem = (pattern: RegExp) => (error: unknown) => error instanceof Problem && pattern.test(error.detail)
  assert.throws(() => tfjsToOnnx(json, [weights[0]!], size), isProblem(/the weight files end before/))
  assert.throws(
    () => tfjsToOnnx(json, [...weights.slice(0, 1), Buffer.concat([weights[1]!, Buffer.alloc(4)])], size),
    isProblem(/4 bytes too many/),
  )
  assert.throws(
    () =>
      tfjsToOnnx(
        changed((text) => text.replace('"Relu6"', '"PyFunc"')),
        weights,
        size,
      ),
    isProblem(/the operation PyFunc/),
  )
  assert.throws(
    () =>
      tfjsToOnnx(
        changed((text) => text.replaceAll('TkhXQw==', 'TkNIVw==')),
        weights,
        size,
      ),
    isProblem(/orders images as NCHW/),
  )
  assert.throws(() => tfjsToOnnx(Buffer.from('{}'), weights, size), isProblem(/not a TensorFlow\.js graph model/))
  assert.throws(() => tfjsToOnnx(Buffer.from('nonsense'), weights, size), isProblem(/not JSON/))
})

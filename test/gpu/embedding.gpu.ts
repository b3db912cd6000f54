/** Embeddings on other devices than the CPU: the same within what arithmetic in another order makes of it. `npm run test:gpu`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelMode } from '../../core/documents/recipe.ts'
import { createEmbedder } from '../../verifier/embedding/embedder.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import type { Device } from '../../verifier/embedding/onnxRuntime.ts'
import { isHardware, type UsableDevice, wantDevice } from './support.ts'

const FEW = ['The weather is lovely.', 'He drove to the stadium.', 'An odd one: \u{1f600}!']

/** Lengths from one word to more than a model reads, so that batches of every shape occur. */
const many = () => Array.from({ length: 600 }, (_, i) => Array.from({ length: 1 + ((i * 37) % 150) }, (_, j) => FEW[(i + j) % 3]!.split(' ')[j % 4] ?? 'and').join(' ')) // prettier-ignore

const textsFor = (state: UsableDevice) => (isHardware(state) ? many() : FEW)

interface Embedded {
  dimensions: number
  vectors: Float32Array
  layers: Layer[]
}

interface Layer {
  name: string
  values: Float32Array
}

async function embed(device: Device, texts: readonly string[], mode: ModelMode = 'fp32'): Promise<Embedded> {
  const embedder = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device, mode })
  const source = { count: texts.length, text: (sample: number) => texts[sample] ?? null }
  await using embedded = await embedder.embed(source, { signal: new AbortController().signal, layers: true })
  const { vectors } = embedded
  const layers: Layer[] = []
  for (const layer of embedded.layers ?? []) layers.push({ name: layer.name, values: await layer.read(0, layer.count) })
  return { dimensions: vectors.dimensions, vectors: await vectors.read(0, vectors.count), layers }
}

/** The greatest 1 − cosine of a pair of rows. */
function farthest(a: Float32Array, b: Float32Array, dimensions: number): number {
  let worst = 0
  for (let row = 0; row < a.length; row += dimensions) {
    let [dot, aa, bb] = [0, 0, 0]
    for (let i = row; i < row + dimensions; i++) {
      dot += a[i]! * b[i]!
      aa += a[i]! ** 2
      bb += b[i]! ** 2
    }
    worst = Math.max(worst, 1 - dot / Math.sqrt(aa * bb))
  }
  return worst
}

function greatestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0)
}

function assertLayersAgree(a: readonly Layer[], b: readonly Layer[], tolerance: number): void {
  assert.deepEqual(a.map(({ name }) => name), b.map(({ name }) => name)) // prettier-ignore
  for (const [i, { values }] of a.entries()) assert.ok(greatestDifference(values, b[i]!.values) < tolerance)
}

for (const device of ['webgpu', 'cuda'] as const) {
  test(`${device} gives the embeddings and inner layers of the CPU within 1e-5 at fp32`, async (t) => {
    const state = await wantDevice(t, device)
    if (state === null) return
    const texts = textsFor(state)
    const normative = await embed('cpu', texts)
    const there = await embed(device, texts)
    const difference = greatestDifference(there.vectors, normative.vectors)
    t.diagnostic(`${texts.length} texts, about ${state.gigaflops.toPrecision(2)} GFLOP/s: greatest difference ${difference.toExponential(1)}, 1 − cosine ${farthest(there.vectors, normative.vectors, there.dimensions).toExponential(1)}`) // prettier-ignore
    assert.ok(difference < 1e-5)
    assertLayersAgree(there.layers, normative.layers, 1e-4)
  })

  test(`${device} at half precision points within a ten-thousandth of where the CPU points at fp32`, async (t) => {
    const state = await wantDevice(t, device)
    if (state === null) return
    if (!state.modes.includes('fp16'))
      return t.skip(`the driver of ${device} on this machine has no half precision (Vulkan: shaderFloat16)`)
    const texts = textsFor(state)
    const normative = await embed('cpu', texts)
    const there = await embed(device, texts, 'fp16')
    const distance = farthest(there.vectors, normative.vectors, there.dimensions)
    t.diagnostic(`${texts.length} texts: 1 − cosine at most ${distance.toExponential(1)}`)
    assert.ok(distance < 1e-4)
  })

  test(`a text has the same embedding on ${device} alone and among others, within 1e-5`, async (t) => {
    const state = await wantDevice(t, device)
    if (state === null) return
    if (!isHardware(state)) return t.skip(`${device} is software on the CPU here, and takes half a minute for a text`)
    const together = await embed(device, FEW)
    const alone = await embed(device, [FEW[0]!])
    assert.ok(greatestDifference(alone.vectors, together.vectors.subarray(0, alone.dimensions)) < 1e-5)
  })
}

/**
 * What a GPU does: embeddings of texts of 256 tokens, against the same device fed with ready batches; and the exact search of nearest neighbours, against Gemm alone over the same blocks (at least half of it). Writes
 * `bench/results/gpu-DEVICE.json` with machine, driver, date and command. Where there is no GPU it says so and measures nothing.
 *
 *     npm run bench:gpu -- [--texts 100000] [--vectors 1000000] [--queries 65536] [--rounds 3]
 */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { promisify } from 'node:util'
import { probeDevice } from '../verifier/embedding/devices.ts'
import { defaultModelCache, ensureModel, type LocalModel } from '../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../verifier/embedding/models.ts'
import type { Device } from '../verifier/embedding/onnxRuntime.ts'
import { embedTexts } from '../verifier/embedding/pipeline.ts'
import { openRuntime } from '../verifier/embedding/runtime.ts'
import { openTokenizer } from '../verifier/embedding/tokenizer.ts'
import type { ModelMode } from '../core/documents/recipe.ts'
import type { TextModel } from '../core/models.ts'
import { searchExact } from '../verifier/knn/exact.ts'
import { vectorsInMemory } from '../verifier/vectors.ts'
import { openGemm } from './support/gemm.ts'
import { compare, type Measurement } from './support/measurement.ts'
import { report, sizesFrom } from './support/program.ts'
import { makeTexts } from './support/texts.ts'
import { makeVectors } from './support/vectors.ts'

/** Less is a driver that computes on the CPU. */
const LEAST_GIGAFLOPS = 20
const DIMENSIONS = 384
const NEIGHBOURS = 10
const REQUIRED_OF_GEMM = 0.5
/** Of MiniLM on a text of 256 tokens. */
const OPERATIONS_A_TEXT = 6.04e9
/** Longer than the model reads: every text has its 256 tokens. */
const TEXTS_JOINED = 12

const sizes = sizesFrom({ texts: 100_000, vectors: 1_000_000, queries: 65_536, rounds: 3 })
const threads = availableParallelism()
const { signal } = new AbortController()
let measuredAny = false
for (const device of ['cuda', 'webgpu'] as const) {
  const state = await probeDevice(device, signal)
  if (!state.usable) console.log(`${device} is skipped: ${state.reason}. ${state.remedy}`)
  else if (state.gigaflops < LEAST_GIGAFLOPS) console.log(`${device} is skipped: its driver computes on the CPU`)
  else {
    measuredAny = true
    await measureDevice(device, state.modes)
  }
}
if (!measuredAny) console.log('there is no GPU here: nothing was measured')

async function measureDevice(device: Device, modes: readonly ModelMode[]): Promise<void> {
  const measurements: Measurement[] = []
  for (const mode of modes) measurements.push(await measureEmbedding(device, mode))
  measurements.push(await measureNeighbours(device))
  const folder = new URL('results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const machine = { cores: threads, cpu: cpus()[0]?.model.trim() ?? 'unknown', gpu: await describeGpu(), node: process.version }
  const command = `npm run bench:gpu -- ${Object.entries(sizes)
    .map(([name, size]) => `--${name} ${size}`)
    .join(' ')}`
  const written = { date: new Date().toISOString().slice(0, 10), command, machine, device, measurements }
  await writeFile(new URL(`gpu-${device}.json`, folder), `${JSON.stringify(written, null, 2)}\n`)
}

/** Texts a second from text to vector, against what a session gives on ready batches of the same size. */
async function measureEmbedding(device: Device, mode: ModelMode): Promise<Measurement> {
  const model = await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache(), mode })
  const tokenizer = await openTokenizer(model)
  const texts = await longTexts(model, sizes.texts)
  await using runtime = await openRuntime(model, { device, threads })
  const { maxTokens } = model.model
  const rows = Math.max(1, Math.floor(runtime.tokenBudget / maxTokens))
  const ready = tokenizer.encode(texts[0]!)
  const readyBatch = () => ({
    rows,
    tokens: maxTokens,
    inputIds: BigInt64Array.from({ length: rows * maxTokens }, (_, i) => BigInt(ready[i % ready.length]!)),
    attentionMask: new BigInt64Array(rows * maxTokens).fill(1n),
  })
  const measurement = await compare({
    name: `embedding by ${device}, ${mode}`,
    unit: 'texts/s',
    against: 'ready batches on the same device',
    size: `${texts.length} texts of ${maxTokens} tokens`,
    rounds: sizes.rounds,
    subject: {
      async run() {
        for await (const _ of embedTexts({ runtime, tokenizer, texts: [texts] })) continue
        return texts.length
      },
    },
    floor: {
      async run() {
        let done = 0
        const lane = async () => {
          while (done < texts.length) {
            done += rows
            await runtime.embed(readyBatch())
          }
        }
        await Promise.all(Array.from({ length: 2 * runtime.concurrency }, lane))
        return done
      },
    },
  })
  report(measurement)
  console.log(`  that is ${((measurement.figure * OPERATIONS_A_TEXT) / 1e12).toFixed(1)} TFLOP/s of products`)
  return measurement
}

async function longTexts(model: LocalModel<TextModel>, count: number): Promise<string[]> {
  const short = await makeTexts(model, 1024)
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: TEXTS_JOINED }, (__, j) => short[(i * 7 + j * 131) % 1024]!).join(' '),
  )
}

async function measureNeighbours(device: Device): Promise<Measurement> {
  const vectors = makeVectors(sizes.vectors, DIMENSIONS, 1)
  const source = vectorsInMemory(vectors, DIMENSIONS)
  await using gemm = await openGemm(vectors, DIMENSIONS, { device, threads })
  const measurement = await compare({
    name: `kNN by ${device}, exact`,
    unit: 'queries/s',
    against: 'Gemm alone',
    size: `${sizes.queries} of ${sizes.vectors} × ${DIMENSIONS}, k = ${NEIGHBOURS}`,
    required: REQUIRED_OF_GEMM,
    rounds: sizes.rounds,
    subject: {
      async run() {
        for await (const _ of searchExact(source, { k: NEIGHBOURS, device, threads, queries: sizes.queries })) continue
        return sizes.queries
      },
    },
    floor: { run: () => gemm.run(sizes.queries) },
  })
  report(measurement)
  return measurement
}

/** Name and driver, where NVIDIA's tool knows them. */
async function describeGpu(): Promise<string> {
  const query = ['--query-gpu=name,driver_version', '--format=csv,noheader']
  return promisify(execFile)('nvidia-smi', query).then(
    ({ stdout }) => stdout.trim(),
    () => 'unknown',
  )
}

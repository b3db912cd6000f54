/**
 * Texts a second through the embedding pipeline, against ONNX Runtime fed with the very batches that the pipeline makes: sessions of the
 * same options in as many threads, with nothing to tokenise, pool, copy or put back in order. Both sides run by turns, so that the ratio
 * holds on a busy machine; CPU seconds are given beside it, since they hold on a very busy one too. The ratio must be at least 0.95.
 *
 *     node bench/embedding.ts [--texts 1000] [--rounds 3]
 */
import { availableParallelism } from 'node:os'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import { defaultModelCache, ensureModel } from '../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../verifier/embedding/models.ts'
import { embedTexts } from '../verifier/embedding/pipeline.ts'
import { type EmbeddingRuntime, type TokenBatch, openRuntime } from '../verifier/embedding/runtime.ts'
import { openTokenizer } from '../verifier/embedding/tokenizer.ts'
import type { FloorSetup } from './embeddingFloor.ts'
import { type Measurement, summarise } from './support/measurement.ts'
import { report, sizesFrom } from './support/program.ts'
import { makeTexts } from './support/texts.ts'

const REQUIRED_RATIO = 0.95

const { texts: textCount, rounds } = sizesFrom({ texts: 1000, rounds: 3 })
const threads = availableParallelism()
const model = await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache() })
const tokenizer = await openTokenizer(model)
const texts = await makeTexts(model, textCount)
await using runtime = await openRuntime(model, { device: 'cpu', threads })

const batches = await recordBatches(runtime)
await using floor = await openFloor(batches, runtime.concurrency)
const tokens = batches.reduce((sum, batch) => sum + batch.attentionMask.reduce((n, bit) => n + Number(bit), 0), 0)
const padded = batches.reduce((sum, batch) => sum + batch.rows * batch.tokens, 0)
console.log(
  `${texts.length} texts of ${(tokens / texts.length).toFixed(0)} tokens in ${batches.length} batches (${((padded / tokens - 1) * 100).toFixed(1)} % padding), ${runtime.concurrency} threads`,
)

const measured: Measurement['rounds'] = []
for (let round = 1; round <= rounds; round++) {
  const ready = await timed(() => floor.run())
  const whole = await timed(() => drain(runtime))
  measured.push({ figure: texts.length / whole.seconds, floor: texts.length / ready.seconds })
  console.log(
    `round ${round}: ONNX Runtime ${rate(ready.seconds)} texts/s (${ready.cpuSeconds.toFixed(2)} CPU s), ` +
      `pipeline ${rate(whole.seconds)} texts/s (${whole.cpuSeconds.toFixed(2)} CPU s), ratio ${(ready.seconds / whole.seconds).toFixed(3)}`,
  )
}
report(
  summarise(
    {
      name: 'embedding',
      unit: 'texts/s',
      against: 'ONNX Runtime with ready batches',
      size: `${texts.length} texts of ${(tokens / texts.length).toFixed(0)} tokens, ${runtime.concurrency} threads`,
      required: REQUIRED_RATIO,
    },
    measured,
  ),
)

function rate(duration: number): string {
  return (texts.length / duration).toFixed(0)
}

async function timed(work: () => Promise<void>): Promise<{ seconds: number; cpuSeconds: number }> {
  const start = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }
}

async function drain(target: EmbeddingRuntime): Promise<void> {
  for await (const _ of embedTexts({ runtime: target, tokenizer, texts: [texts] })) continue
}

/** Runs the pipeline once, which also warms the sessions up, and keeps a copy of every batch. */
async function recordBatches(target: EmbeddingRuntime): Promise<TokenBatch[]> {
  const recorded: TokenBatch[] = []
  await drain({
    ...target,
    embed(batch) {
      recorded.push({ ...batch, inputIds: batch.inputIds.slice(), attentionMask: batch.attentionMask.slice() })
      return target.embed(batch)
    },
  })
  return recorded
}

interface Floor extends AsyncDisposable {
  /** Runs every batch once. */
  run(): Promise<void>
}

async function openFloor(ready: TokenBatch[], sessions: number): Promise<Floor> {
  const next = new Int32Array(new SharedArrayBuffer(4))
  const workerData: FloorSetup = { graph: model.graph, batches: ready, next }
  const workers = Array.from(
    { length: sessions },
    () => new Worker(new URL('./embeddingFloor.ts', import.meta.url), { workerData, env: SHARE_ENV }),
  )
  const answers = () =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            worker.once('message', () => resolve()).once('error', reject)
          }),
      ),
    )
  const run = async () => {
    next[0] = 0
    const done = answers()
    for (const worker of workers) worker.postMessage('run')
    await done
  }
  await answers()
  await run()
  return {
    run,
    async [Symbol.asyncDispose]() {
      const exits = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
      for (const worker of workers) worker.postMessage(null)
      await Promise.all(exits)
    },
  }
}

/**
 * Texts a second through the embedding pipeline, against Python's sentence-transformers on the same texts and as many threads: with
 * PyTorch (at least 1.3 times as fast) and with its ONNX backend (at least as fast). Both sides run by turns. What Python needs is
 * installed into bench/.scratch with pip, several gigabytes the first time; where that fails, nothing is measured and the reason said.
 *
 *     npm run bench:peers -- [--texts 500] [--rounds 3]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { defaultModelCache, ensureModel } from '../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../verifier/embedding/models.ts'
import { embedTexts } from '../verifier/embedding/pipeline.ts'
import { openRuntime } from '../verifier/embedding/runtime.ts'
import { openTokenizer } from '../verifier/embedding/tokenizer.ts'
import { compare } from './support/measurement.ts'
import { report, sizesFrom } from './support/program.ts'
import { installPython, SCRATCH } from './support/python.ts'
import { makeTexts } from './support/texts.ts'

const PROGRAM = fileURLToPath(new URL('peers.py', import.meta.url))
const PEERS = [
  { backend: 'torch', against: 'sentence-transformers, PyTorch', required: 1.3 },
  { backend: 'onnx', against: 'sentence-transformers, ONNX', required: 1 },
]

const { texts: textCount, rounds } = sizesFrom({ texts: 500, rounds: 3 })
const threads = availableParallelism()
const model = await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache() })
const tokenizer = await openTokenizer(model)
const texts = await makeTexts(model, textCount)
const python = await installPython({
  name: 'python',
  packages: ['sentence-transformers[onnx]'],
  modules: ['sentence_transformers', 'optimum.onnxruntime'],
})
if (python !== null) {
  const dir = await mkdtemp(join(SCRATCH, 'peers-'))
  await mkdir(join(dir, 'onnx'))
  await copyFile(model.pathOf(DEFAULT_MODEL.model.graph), join(dir, 'onnx', 'model.onnx'))
  await copyFile(model.pathOf(DEFAULT_MODEL.model.tokenizer.vocabulary), join(dir, 'tokenizer.json'))
  await writeFile(join(dir, 'texts.json'), JSON.stringify(texts))
  try {
    for (const peer of PEERS) await measure(python, dir, peer)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function measure(interpreter: string, dir: string, { backend, against, required }: (typeof PEERS)[number]): Promise<void> {
  const child = spawn(interpreter, [PROGRAM, backend, dir, join(dir, 'texts.json'), String(threads)], {
    env: { ...process.env, OMP_NUM_THREADS: String(threads) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  try {
    const ready = await lines.next()
    if (ready.done === true) {
      console.log(`${against}: skipped, it does not start`)
      return
    }
    await using runtime = await openRuntime(model, { device: 'cpu', threads })
    report(
      await compare({
        name: `embedding against ${backend}`,
        unit: 'texts/s',
        against,
        size: `${texts.length} texts, ${threads} threads`,
        required,
        rounds,
        subject: {
          async run() {
            for await (const _ of embedTexts({ runtime, tokenizer, texts: [texts] })) continue
            return texts.length
          },
        },
        floor: {
          async run() {
            child.stdin.write('run\n')
            if ((await lines.next()).done === true) throw new Error(`${against} has ended`)
            return texts.length
          },
        },
      }),
    )
  } finally {
    const ended = child.exitCode === null ? once(child, 'exit') : Promise.resolve()
    child.stdin.end()
    await ended
  }
}

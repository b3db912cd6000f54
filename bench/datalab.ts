/**
 * Our issue types against those of cleanlab's Datalab of the same names, on the same texts, labels and embeddings: rank correlation of the
 * scores, samples that either flags, and that both do. Datalab's `label` has the probabilities of a logistic regression on the embeddings,
 * out of fold. What Python needs is installed into bench/.scratch with pip; where that fails, nothing is compared and the reason said.
 *
 *     npm run bench:datalab -- FILE.jsonl …      (rows with `text` and `label`)
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { createEmbedder } from '../verifier/embedding/embedder.ts'
import { defaultModelCache } from '../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../verifier/embedding/models.ts'
import { corpusOfRows } from '../verifier/evaluation/evalCorpus.ts'
import { DETECTORS } from '../verifier/recipe.ts'
import { vectorBlocks } from '../verifier/vectors.ts'
import { installPython, SCRATCH } from './support/python.ts'

const PROGRAM = fileURLToPath(new URL('datalab.py', import.meta.url))
/** Datalab's name, our detector, and whether a higher score of ours is a better sample, as all of theirs are. */
const TYPES = [
  { type: 'label', detector: 'label_error', better: false },
  { type: 'outlier', detector: 'outlier', better: false },
  { type: 'near_duplicate', detector: 'semantic_duplicate', better: false },
  { type: 'non_iid', detector: 'non_iid', better: false },
  { type: 'class_imbalance', detector: 'class_imbalance', better: true },
  { type: 'data_valuation', detector: 'data_valuation', better: true },
]
const Row = z.object({ text: z.string(), label: z.string() })

const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('usage: npm run bench:datalab -- FILE.jsonl …')
  process.exitCode = 2
} else {
  const python = await installPython({ name: 'datalab', packages: ['cleanlab==2.9.0', 'datasets'], modules: ['cleanlab', 'datasets'] })
  if (python !== null) for (const file of files) await compareOn(file, python)
}

async function compareOn(file: string, python: string): Promise<void> {
  const rows = (await readFile(file, 'utf8')).split('\n').flatMap((line) => (line.trim() === '' ? [] : [Row.parse(JSON.parse(line))]))
  const corpus = corpusOfRows(rows)
  const signal = new AbortController().signal
  const embedder = createEmbedder({ manifest: DEFAULT_MODEL, device: 'cpu', cacheDir: defaultModelCache() })
  await using embeddings = await embedder.embed(corpus, { signal })
  const ours: object[] = []
  for (const { type, detector: id, better } of TYPES) {
    const detector = DETECTORS.find((candidate) => candidate.id === id)
    const result = await detector?.run({ corpus, embeddings, parameters: detector.parameters, signal, onProgress: () => {} })
    if (result?.ran !== true) console.log(`${basename(file)} ${type}: ${id} did not run: ${result?.note ?? 'there is none'}`)
    else ours.push({ type, better, scores: [...result.scores.values], flagged: [...result.flagged] })
  }
  await mkdir(SCRATCH, { recursive: true })
  const dir = await mkdtemp(join(SCRATCH, 'datalab-'))
  try {
    const values = new Float32Array(rows.length * embeddings.vectors.dimensions)
    for await (const block of vectorBlocks(embeddings.vectors)) values.set(block.values, block.first * embeddings.vectors.dimensions)
    await writeFile(join(dir, 'embeddings.f32'), values)
    await writeFile(join(dir, 'ours.json'), JSON.stringify({ labels: rows.map(({ label }) => label), types: ours }))
    const child = spawn(python, [PROGRAM, dir, basename(file)], { stdio: 'inherit' })
    const [code] = (await once(child, 'exit')) as [number | null] // what the event gives
    if (code !== 0) process.exitCode = 1
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

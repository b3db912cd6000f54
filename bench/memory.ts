/**
 * What memory the detectors take that look at all embeddings of a data set: made-up vectors are written to shards as embed jobs write
 * them, and the detectors read them from there as a verification does. Above 500,000 vectors neighbours come from graphs.
 *
 *     node bench/memory.ts [--vectors 1000000]
 */
import { join } from 'node:path'
import { cidOf, CODEC_RAW } from '../core/cid.ts'
import { openBlocks } from '../store/blocks.ts'
import { openDatabase } from '../store/database.ts'
import { startPostgres } from '../store/embeddedPostgres.ts'
import { saveEmbeddingPlan, saveEmbeddingShard } from '../store/embeddings.ts'
import { migrateToLatest } from '../store/migrate.ts'
import type { Corpus, Embeddings } from '../verifier/detectors/detector.ts'
import { outlier } from '../verifier/detectors/outlier.ts'
import { semanticDuplicate } from '../verifier/detectors/semanticDuplicate.ts'
import { storeVectors } from '../verifier/embedding/artifact.ts'
import { createEmbedder } from '../verifier/embedding/embedder.ts'
import { fingerprintsOf } from '../verifier/embedding/fingerprints.ts'
import { DEFAULT_MODEL } from '../verifier/embedding/models.ts'
import { createShardModel } from '../verifier/shards/shardModel.ts'
import { storedEmbeddings } from '../verifier/shards/storedEmbeddings.ts'
import { openWorkspace, sizesFrom } from './support/program.ts'
import { createVectorMaker } from './support/vectors.ts'

const SHARD_SAMPLES = 2048

const { vectors: count } = sizesFrom({ vectors: 1_000_000 })
const signal = new AbortController().signal
await using workspace = await openWorkspace()
await using postgres = await startPostgres(join(workspace.dir, 'postgres'))
const db = openDatabase(postgres.url)
await using _db = { [Symbol.asyncDispose]: () => db.destroy() }
await migrateToLatest(db)
await using blocks = await openBlocks({ dir: join(workspace.dir, 'blocks'), db, fsync: false })
const embedder = createEmbedder({ manifest: DEFAULT_MODEL, device: 'cpu', cacheDir: workspace.dir })
await using model = createShardModel({ embedder, device: 'cpu', shardSamples: SHARD_SAMPLES })
const index = cidOf(CODEC_RAW, new Uint8Array(), blocks.hash)

await step('shards are written', writeShards)
const texts: Corpus = {
  count,
  text: (sample) => `The text of sample ${sample}, of which nobody reads more than this.`,
  canonicalText: (sample) => texts.text(sample),
  response: () => null,
  label: () => null,
  digest: () => new Uint8Array(32),
  language: null,
  domain: null,
  seed: new Uint8Array(32),
}
await using embeddings: Embeddings = await step('shards are opened', () =>
  storedEmbeddings({ db, blocks, model }, index).embed(texts, { signal }),
)
await step('fingerprints', () => fingerprintsOf(embeddings))
for (const detector of [outlier, semanticDuplicate])
  await step(detector.id, async () => {
    const result = await detector.run({ corpus: texts, embeddings, parameters: detector.parameters, signal, onProgress: () => undefined })
    if (!result.ran) throw new Error(result.note)
  })

async function writeShards(): Promise<void> {
  const next = createVectorMaker(count, model.reference.dimensions, 1)
  const key = { index, model: model.key }
  await saveEmbeddingPlan(db, { ...key, textColumn: 'text', sampleCount: count, shardSamples: SHARD_SAMPLES, sources: [], origins: null })
  for (let firstSample = 0; firstSample < count; firstSample += SHARD_SAMPLES) {
    const sampleCount = Math.min(SHARD_SAMPLES, count - firstSample)
    const columns = [{ ...model.columns[0]!, values: new Float16Array(next(sampleCount)) }]
    const cid = await storeVectors(blocks, model.key, { valid: new Uint8Array(sampleCount).fill(1), columns })
    await saveEmbeddingShard(db, key, { firstSample, sampleCount, cid, copiedSamples: 0 })
  }
}

/** Says how long a step took, and what memory this process has taken at most so far. */
async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await run()
  const seconds = (performance.now() - start) / 1000
  const gigabytes = (process.resourceUsage().maxRSS * 1024) / 1e9
  console.log(`${name}: ${seconds.toFixed(1)} s, at most ${gigabytes.toFixed(2)} GB so far; ${count} × ${model.reference.dimensions}`)
  return result
}

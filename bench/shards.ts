/**
 * Embedding by jobs: what a shard costs beside the model (claim, rows, artifact on disk, pin, row, completion), texts a second by jobs
 * against the same model fed directly, two verifier processes against one on the same cores, and a version that adds 1 % of the rows
 * against its full embedding.
 *
 *     node bench/shards.ts [--texts 2048] [--rounds 3]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type CID, CODEC_DAG_JSON, parseCid } from '../core/cid.ts'
import { encodeDocument } from '../core/documents/document.ts'
import { signerFromSeed } from '../core/keys.ts'
import { attest, verifyAttestation } from '../core/statement.ts'
import { createIndexHandler } from '../indexer/indexJob.ts'
import { openBlocks } from '../store/blocks.ts'
import { openDatabase } from '../store/database.ts'
import { embeddedSamples, findEmbeddingPlan } from '../store/embeddings.ts'
import { startPostgres } from '../store/embeddedPostgres.ts'
import { runWorker } from '../store/worker.ts'
import { migrateToLatest } from '../store/migrate.ts'
import { createVersion, versionOf } from '../store/versions.ts'
import { createEmbedder, type Embedder, type OpenEmbedder } from '../verifier/embedding/embedder.ts'
import { defaultModelCache, ensureModel } from '../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../verifier/embedding/models.ts'
import { buildRecipe } from '../verifier/recipe.ts'
import { createEmbedHandler } from '../verifier/shards/embedJob.ts'
import { createPlanHandler } from '../verifier/shards/planJob.ts'
import { createShardModel } from '../verifier/shards/shardModel.ts'
import { compare, summarise } from './support/measurement.ts'
import { openWorkspace, report, sizesFrom } from './support/program.ts'
import { makeTexts } from './support/texts.ts'

const SHARD_SAMPLES = 512
const OVERHEAD_SHARDS = 50
const LIMIT_OVERHEAD_MS = 50
/** Loops of a verifier process (main.ts). */
const LOOPS = 2

const { texts: textCount, rounds } = sizesFrom({ texts: 2048, rounds: 3 })
await using workspace = await openWorkspace()
await using postgres = await startPostgres(join(workspace.dir, 'postgres'))
const db = openDatabase(postgres.url)
await using _db = { [Symbol.asyncDispose]: () => db.destroy() }
await migrateToLatest(db)
await using blocks = await openBlocks({ dir: join(workspace.dir, 'blocks'), db })

const signer = signerFromSeed(new Uint8Array(32).fill(1))
const clock = () => new Date('2026-11-20T07:00:00.000Z')
const signal = new AbortController().signal
const embedder = createEmbedder({ manifest: DEFAULT_MODEL, device: 'cpu', cacheDir: defaultModelCache() })
const texts = await makeTexts(await ensureModel(DEFAULT_MODEL, { cacheDir: defaultModelCache() }), textCount)

// Opened once and warm: what is measured are rows.
await using opened = await embedder.open({ signal })
const shared: Embedder = { ...embedder, open: async () => ({ ...opened, [Symbol.asyncDispose]: async () => undefined }) }
await Array.fromAsync(opened.embed([texts.slice(0, 32)], signal))

await measureOverhead()
await measureJobs()
await measureOnePercent()
await measureProcesses()

/** What a shard takes when the model takes no time. */
async function measureOverhead(): Promise<void> {
  const rows = Array.from({ length: OVERHEAD_SHARDS * SHARD_SAMPLES }, (_, i) => `row ${i} of many that no model reads`)
  const index = await addVersion('bench/overhead', rows)
  const before = process.cpuUsage()
  const seconds = await embedByJobs(instantEmbedder(embedder), index, { loops: 1 })
  const { user, system } = process.cpuUsage(before)
  const milliseconds = (seconds * 1000) / OVERHEAD_SHARDS
  const cpuMilliseconds = (user + system) / 1000 / OVERHEAD_SHARDS
  console.log(
    `a shard of ${SHARD_SAMPLES} samples costs ${milliseconds.toFixed(1)} ms beside the model (at most ${LIMIT_OVERHEAD_MS}), ` +
      `${cpuMilliseconds.toFixed(1)} ms of it on this process's CPU`,
  )
  if (milliseconds > LIMIT_OVERHEAD_MS) process.exitCode = 1
}

async function measureJobs(): Promise<void> {
  let index: CID
  report(
    await compare({
      name: 'embedding jobs',
      unit: 'texts/s',
      against: 'the same model fed directly',
      size: `${textCount} texts in shards of ${SHARD_SAMPLES}`,
      required: 0.95,
      rounds,
      subject: {
        prepare: async (round) => {
          index = await addVersion(`bench/jobs${round}`, marked(`jobs ${round}`))
        },
        run: async () => {
          await embedByJobs(shared, index, { loops: LOOPS })
          return textCount
        },
      },
      floor: {
        run: async (round) => {
          for await (const _ of opened.embed([marked(`jobs ${round}`)], signal)) continue
          return textCount
        },
      },
    }),
  )
}

async function measureOnePercent(): Promise<void> {
  const name = 'bench/grown'
  const added = Math.ceil(textCount / 100)
  const first = await addVersion(name, marked('grown'))
  const full = await embedByJobs(shared, first, { loops: LOOPS })
  const second = await addVersion(name, [...marked('grown'), ...marked('added').slice(0, added)])
  const grown = await embedByJobs(shared, second, { loops: LOOPS })
  report(
    summarise(
      {
        name: 'version with 1 % more',
        unit: 'texts/s',
        against: 'all of its texts embedded',
        size: `${textCount} texts, then ${added} more`,
        required: 1 / 0.03,
      },
      [{ figure: (textCount + added) / grown, floor: textCount / full }],
    ),
  )
}

async function measureProcesses(): Promise<void> {
  const rates: number[] = []
  for (const processes of [1, 2]) rates.push(await rateOfProcesses(processes))
  report(
    summarise(
      {
        name: 'two verifier processes',
        unit: 'texts/s',
        against: 'one process on the same cores',
        size: `${textCount} texts in 16 shards, between the first and the last one stored`,
        required: 0.95,
      },
      [{ figure: rates[1]!, floor: rates[0]! }],
    ),
  )
}

async function rateOfProcesses(processes: number): Promise<number> {
  const index = await addVersion(`bench/processes${processes}`, marked(`processes ${processes}`))
  const env = { ...process.env, DATABASE_URL: postgres.url, ASSAY_SHARD_SAMPLES: String(Math.ceil(textCount / 16)) }
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  const words = [main, '--roles', 'verifier', '--data', workspace.dir, '--port', '0']
  const children = Array.from({ length: processes }, () => spawn(process.execPath, words, { env, stdio: 'ignore' }))
  try {
    for (;;) {
      const shards = await db
        .selectFrom('embedding_shards')
        .selectAll()
        .where('index_cid', '=', index.toString())
        .orderBy('created_at')
        .execute()
      const embedded = shards.reduce((sum, shard) => sum + shard.sample_count, 0)
      if (embedded === textCount) {
        const [first, last] = [shards[0]!, shards.at(-1)!]
        return ((embedded - first.sample_count) * 1000) / (last.created_at.getTime() - first.created_at.getTime())
      }
      await delay(100)
    }
  } finally {
    for (const child of children) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
  }
}

/** The texts with a mark of their own, so that no round knows those of another. */
function marked(mark: string): string[] {
  return texts.map((text) => `${mark} ${text}`)
}

/** A version of these texts, with its index. */
async function addVersion(name: string, rows: readonly string[]): Promise<CID> {
  const content = Buffer.from(rows.map((text) => `${JSON.stringify({ text })}\n`).join(''))
  const file = await blocks.importBytes(content)
  const root = await blocks.importDirectory([{ path: 'rows.jsonl', cid: file.cid, sizeBytes: file.sizeBytes }])
  const head = await db
    .selectFrom('versions')
    .innerJoin('datasets', 'datasets.id', 'versions.dataset_id')
    .select('manifest_cid')
    .where('key', '=', name)
    .orderBy('number', 'desc')
    .executeTakeFirst()
  const manifest = encodeDocument('manifest', {
    kind: 'manifest',
    version: 1,
    name,
    author: signer.did,
    createdAt: clock().toISOString(),
    files: [{ path: 'rows.jsonl', ...file }],
    root,
    sizeBytes: file.sizeBytes,
    license: 'CC0-1.0',
    sources: [],
    synthetic: { share: 'all', generators: [] },
    ...(head === undefined ? {} : { previous: parseCid(head.manifest_cid) }),
  })
  await blocks.put(CODEC_DAG_JSON, manifest.bytes)
  const envelope = attest({ kind: 'manifest', ...manifest }, { signer, createdAt: clock().toISOString() })
  const { envelopeCid } = verifyAttestation(envelope, { kind: 'manifest', cid: manifest.cid })
  const attestation = { kind: 'manifest', document: manifest.cid, envelope: envelopeCid, author: signer.did, createdAt: clock() } as const
  await createVersion(db, manifest, attestation)
  const handler = createIndexHandler({ db, blocks, signer, clock })
  await handler(
    { id: 1, kind: 'index', key: manifest.cid.toString(), subject: manifest.cid, attempts: 1 },
    { signal, progress: () => undefined },
  )
  const { index, failure } = await versionOf(db, manifest.cid)
  if (index === null) throw new Error(`${name} was not indexed: ${failure ?? 'no reason given'}`)
  return index
}

/** Plans and embeds an index by jobs in this process. Gives the seconds that it took. */
async function embedByJobs(by: Embedder, index: CID, { loops }: { loops: number }): Promise<number> {
  await using model = createShardModel({ embedder: by, device: 'cpu', shardSamples: SHARD_SAMPLES })
  const aims = { recipe: buildRecipe([by.reference]).cid, model: model.key }
  const handlers = { plan: createPlanHandler({ db, blocks, model }), embed: createEmbedHandler({ db, blocks, model }) }
  const stop = new AbortController()
  const start = performance.now()
  const onError = (error: unknown) => console.error(error)
  const working = Array.from({ length: loops }, (_, i) =>
    runWorker({ db, handlers, aims, worker: `bench ${i}`, signal: stop.signal, onError, pollMs: 20 }),
  )
  const key = { index, model: model.key }
  while ((await embeddedSamples(db, key)) !== (await findEmbeddingPlan(db, key))?.sampleCount) await delay(5)
  const seconds = (performance.now() - start) / 1000
  stop.abort()
  await Promise.all(working)
  return seconds
}

/** An embedder that takes no time: what is left are the jobs. */
function instantEmbedder(model: Embedder): Embedder {
  const { reference } = model
  const { dimensions } = reference
  const opened: OpenEmbedder = {
    async *embed(groups) {
      for await (const group of groups) {
        const vectors = new Float32Array(group.length * dimensions)
        for (let row = 0; row < group.length; row++) vectors[row * dimensions + (row % dimensions)] = 1
        yield { vectors, layers: [], valid: new Uint8Array(group.length).fill(1) }
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  return { ...model, reference: { ...reference, name: 'instant' }, open: async () => opened }
}

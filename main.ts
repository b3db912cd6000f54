/**
 * A node of Assay: any of the roles api, indexer and verifier, in one process. Without DATABASE_URL it brings a Postgres of its own, in
 * the data directory. This is the only file of the service that reads the environment and that imports every layer.
 *
 *     npm start -- [--roles api,indexer,verifier] [--data DIR] [--port N] [--migrate]
 *
 * Order of the start: database, schema, keys, blocks, HTTP, workers. Of the end: HTTP, workers (which give their jobs back), blocks,
 * database. Nothing rests on the end being reached: after a SIGKILL the next start finds everything in the database and the blocks.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { sql } from 'kysely'
import { createApp } from './api/app.ts'
import { DEFAULT_LIMITS } from './api/context.ts'
import { bytesToHex } from './core/bytes.ts'
import { type CID, CODEC_DAG_JSON } from './core/cid.ts'
import type { Encoded } from './core/documents/document.ts'
import type { ModelReference, Recipe } from './core/documents/recipe.ts'
import type { Signer } from './core/keys.ts'
import { mlDsa44Cosigner } from './core/log/cosignature.ts'
import { parsePolicy } from './core/log/policy.ts'
import { encodeModel, type ImageModel, type ModelManifest, type TextModel } from './core/models.ts'
import { Problem } from './core/problem.ts'
import { createExportHandler } from './indexer/export/exportJob.ts'
import { createIndexHandler } from './indexer/indexJob.ts'
import { HELP, parseSettings, type Role, type Settings } from './settings.ts'
import { type Blocks, openBlocks } from './store/blocks.ts'
import { checkpointFile } from './store/checkpointFile.ts'
import { type Database, openDatabase } from './store/database.ts'
import { putDocument, saveDocument } from './store/documents.ts'
import { startPostgres } from './store/embeddedPostgres.ts'
import { type Aims, type Job, releaseLostClaims } from './store/jobs.ts'
import { openKeyFile, openSeedFile } from './store/keyFiles.ts'
import { readLogState } from './store/log.ts'
import { assertSchemaCurrent, migrateToLatest } from './store/migrate.ts'
import { openRemoteBlocks } from './store/remoteBlocks.ts'
import { issueToken } from './store/tokens.ts'
import { runWorker, type WorkerOptions } from './store/worker.ts'
import { createEmbedder } from './verifier/embedding/embedder.ts'
import { createImageEmbedder } from './verifier/embedding/imageEmbedder.ts'
import { findImageModel, findTextModel } from './verifier/embedding/modelRegistry.ts'
import { benchmarkReferences, benchmarkSettings } from './verifier/contamination/settings.ts'
import { buildRecipe, needsLayers } from './verifier/recipe.ts'
import { referenceSettings } from './verifier/references/settings.ts'
import { keepLog } from './verifier/sequencer/keepLog.ts'
import { createSequencer, type Sequencer } from './verifier/sequencer/sequencer.ts'
import { createEmbedHandler } from './verifier/shards/embedJob.ts'
import { createPlanHandler } from './verifier/shards/planJob.ts'
import { createShardModel, type ShardModel } from './verifier/shards/shardModel.ts'
import { createVerifyHandler } from './verifier/verifyJob.ts'

const clock = () => new Date()
const random = (length: number) => new Uint8Array(randomBytes(length))

/** Runs a node until `signal` aborts. */
async function runNode(settings: Settings, signal: AbortSignal): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  const db = await openOwnDatabase(settings, cleanup)
  if (settings.migrateOnly) return

  const keyDir = join(settings.dataDir, 'keys')
  const keyOf = (name: string) => openKeyFile(keyDir, name, random)
  const keys: Keys = { indexer: await keyOf('indexer'), verifier: await keyOf('verifier'), log: await keyOf('log') }
  const blocks = cleanup.use(await openNodeBlocks(settings, db, keys.verifier.did))
  const manifest = settings.model === null ? null : await findTextModel(settings.model, settings.modelCache)
  // How far devices lie from each other on images is not known: those that are mixed embed texts alone.
  const imageName = settings.mixedDevices.length > 0 ? null : settings.imageModel
  const imageManifest = imageName === null ? null : await findImageModel(imageName, settings.modelCache)
  const model = manifest === null ? undefined : cleanup.use(openShardModel(manifest, imageManifest, settings, blocks))
  const references = [
    ...benchmarkReferences(await benchmarkSettings.read(settings.benchmarks)),
    ...(await referenceSettings.read(settings.references)),
  ]
  const compared = references.map(({ index }) => index)
  const recipe = buildRecipe(referencesOf(model), undefined, blocks.hash, references, settings.mixedDevices)
  if (settings.roles.has('api')) {
    for (const one of [manifest, imageManifest])
      if (one !== null) await blocks.put(CODEC_DAG_JSON, encodeModel(one.model, blocks.hash).bytes)
    await putDocument(blocks, recipe)
    await saveDocument(db, 'recipe', recipe.cid)
  }

  const sequencer = settings.roles.has('api') ? await openSequencer(db, settings, keys.log) : null
  const server = await listen(settings, db, (url) =>
    sequencer === null ? healthOnly(db) : createNodeApp({ settings, db, blocks, keys, recipe, logVkey: sequencer.vkey, url }),
  )
  const working = [
    ...(sequencer === null ? [] : [keepLog(sequencer, { isWitnessed: settings.witnessPolicy !== undefined, report, signal })]),
    ...startWorkers({ settings, db, blocks, keys, recipe, model, compared, signal }),
  ]
  console.log(`assay: ready on ${server.url} (${[...settings.roles].join(', ')})`)

  if (!signal.aborted) await once(signal, 'abort')
  console.log('assay: stopping')
  await server.close()
  await Promise.race([Promise.all(working), delay(STOP_MS, undefined, { ref: false })])
}

/** The models that reports rest on. */
function referencesOf(model: ShardModel | undefined): ModelReference[] {
  if (model === undefined) return []
  return [model.reference, ...(model.images === undefined ? [] : [model.images.reference])]
}

/** Work that does not stop within this is abandoned; its lease runs out and it is done again. */
const STOP_MS = 10_000

interface Keys {
  indexer: Signer
  verifier: Signer
  log: Signer
}

/** DATABASE_URL's database, whose schema must be current, or the one in the data directory, which is ours alone. */
async function openOwnDatabase(settings: Settings, cleanup: AsyncDisposableStack): Promise<Database> {
  const embedded = settings.databaseUrl === null
  const url = settings.databaseUrl ?? cleanup.use(await startPostgres(join(settings.dataDir, 'postgres'), { onLost: endWith })).url
  const db = openDatabase(url, {
    maxConnections: 20,
    silentTransactionMs: settings.leaseMs,
    onConnectionError: (error) => report('database', error),
  })
  cleanup.defer(() => db.destroy())
  if (embedded || settings.migrateOnly) {
    const applied = await migrateToLatest(db)
    if (applied.length > 0 || settings.migrateOnly) console.log(`assay: schema is current (${applied.length} migrations applied)`)
  } else await assertSchemaCurrent(db)
  if (embedded) await releaseLostClaims(db, { expired: false })
  return db
}

/** The api alone is in the network: one installation is one peer. A worker with a disk of its own reads and writes through the api. */
async function openNodeBlocks({ dataDir, roles, network, gateway, leaseMs }: Settings, db: Database, account: string): Promise<Blocks> {
  const isPeer = network !== undefined && roles.has('api')
  const issue = () => issueToken(db, { account, scopes: ['publish'] }, random)
  const blocks = await openBlocks({
    dir: join(dataDir, 'blocks'),
    db,
    ...(isPeer ? { network } : {}),
    ...(gateway === null ? {} : { remote: openRemoteBlocks({ url: gateway, issueToken: issue, patienceMs: leaseMs }) }),
  })
  for (const address of blocks.addresses()) console.log(`assay: IPFS peer ${address}`)
  return blocks
}

function openShardModel(
  manifest: ModelManifest<TextModel>,
  imageManifest: ModelManifest<ImageModel> | null,
  { device, mixedDevices, shardSamples, modelCache, modelDir, modelHub, modelMode }: Settings,
  blocks: Blocks,
): ShardModel {
  const where = { device, cacheDir: modelCache, localDir: modelDir, hubUrl: modelHub, getBlock: (cid: CID) => blocks.get(cid) }
  const embedder = createEmbedder({ manifest, mode: modelMode, ...where })
  const images = imageManifest === null ? undefined : createImageEmbedder({ manifest: imageManifest, ...where })
  return createShardModel({ embedder, images, device, devices: mixedDevices, shardSamples, layers: needsLayers() })
}

async function openSequencer(db: Database, { logOrigin, dataDir, witnessPolicy, logMlDsa }: Settings, signer: Signer): Promise<Sequencer> {
  const state = await readLogState(db)
  const origin = logOrigin ?? state?.origin ?? `assay.local/${bytesToHex(signer.publicKey.subarray(0, 8))}`
  const keyDir = join(dataDir, 'keys')
  const sequencer = createSequencer({
    db,
    origin,
    signer,
    memory: checkpointFile(join(keyDir, 'checkpoint')),
    ...(witnessPolicy === undefined ? {} : { policy: parsePolicy(await readFile(witnessPolicy)) }),
    ...(logMlDsa ? { cosigner: mlDsa44Cosigner(origin, await openSeedFile(keyDir, 'log-ml-dsa', random)) } : {}),
  })
  await sequencer.appendPending()
  return sequencer
}

interface NodeParts {
  settings: Settings
  db: Database
  blocks: Blocks
  keys: Keys
  recipe: Encoded<Recipe>
}

function createNodeApp({ settings, db, blocks, keys, recipe, logVkey, url }: NodeParts & { logVkey: string; url: string }) {
  return createApp({
    db,
    blocks,
    publicUrl: settings.publicUrl ?? url,
    logVkey,
    indexerDid: keys.indexer.did,
    verifierDid: keys.verifier.did,
    recipeCid: recipe.cid,
    registration: settings.registration,
    limits: { ...DEFAULT_LIMITS, fileBytes: settings.maxFileBytes },
    clock,
    random,
    onFault: ({ id, method, path, error }) => report(`fault ${id} in ${method} ${path}`, error),
  })
}

/** What a node without the api answers, for those who watch over it. */
function healthOnly(db: Database) {
  return new Hono().get('/healthz', async (c) => {
    await sql`select 1`.execute(db)
    return c.json({ status: 'ok' })
  })
}

interface HttpApp {
  fetch(request: Request, env: object): Response | Promise<Response>
}

/** Listens, then makes the application, which may need to know its address. */
async function listen({ host, port }: Settings, db: Database, createHttpApp: (url: string) => HttpApp) {
  let app: HttpApp = healthOnly(db)
  const server = createAdaptorServer({ fetch: (request, env) => app.fetch(request, env) }) as Server // plain HTTP unless told otherwise
  server.requestTimeout = 0 // an upload takes as long as it takes
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
  app = createHttpApp(url)
  return {
    url,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      await Promise.race([closed, delay(STOP_MS, undefined, { ref: false })])
      server.closeAllConnections()
    },
  }
}

/** Shards that a process embeds at once: while one is read and stored, the model is at the other. */
const EMBEDDING_LOOPS = 2

function startWorkers(parts: NodeParts & { model: ShardModel | undefined; compared: CID[]; signal: AbortSignal }): Promise<void>[] {
  const { settings, db, blocks, keys, recipe, model, compared, signal } = parts
  const verifying: Aims = { recipe: recipe.cid, model: model?.key, compared }
  const work: { role: Role; aims: Aims; handlers: WorkerOptions['handlers'] }[] = [
    { role: 'indexer', aims: { recipe: null }, handlers: { index: createIndexHandler({ db, blocks, signer: keys.indexer, clock }) } },
    // A loop of its own: a large export does not hold up what is published.
    { role: 'indexer', aims: { recipe: null, exports: true }, handlers: { export: createExportHandler({ db, blocks }) } },
    {
      role: 'verifier',
      aims: verifying,
      handlers: { verify: createVerifyHandler({ db, blocks, signer: keys.verifier, clock, recipe, model }) },
    },
  ]
  if (model !== undefined) {
    const handlers = { plan: createPlanHandler({ db, blocks, model }), embed: createEmbedHandler({ db, blocks, model }) }
    for (let i = 0; i < EMBEDDING_LOOPS; i++) work.push({ role: 'verifier', aims: verifying, handlers })
  }
  return work
    .filter(({ role }) => settings.roles.has(role))
    .map(({ role, aims, handlers }) =>
      runWorker({
        db,
        handlers,
        aims,
        worker: `${role}@${hostname()}:${process.pid}`,
        signal,
        leaseMs: settings.leaseMs,
        onError: (error, job: Job | null) => report(job === null ? role : `${role}, job ${job.kind} ${job.key}`, error),
      }),
    )
}

function report(where: string, error: unknown): void {
  console.error(`assay: ${where}:`, error)
}

function endWith(error: Error): never {
  report('fatal', error)
  process.exit(1)
}

const stopping = new AbortController()
// A second signal finds no handler and ends the process at once.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
if (process.argv.includes('--help')) console.log(HELP)
else {
  try {
    await runNode(parseSettings(process.argv.slice(2), process.env), stopping.signal)
    process.exit(0)
  } catch (error) {
    const isUsage = error instanceof Problem || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true
    if (isUsage) console.error(`assay: ${error instanceof Problem ? error.detail : (error as Error).message}\n${HELP}`)
    else report('could not go on', error)
    process.exit(1)
  }
}

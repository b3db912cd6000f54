/**
 * The service is killed with SIGKILL at random moments, again and again, while clients publish and upload. After each start: everything
 * that was acknowledged is there and whole, nothing half made is visible, the log has only grown. In the end: all work is done, once.
 *
 * ASSAY_TEST_SEED=… repeats the draws of another run; when exactly a process dies also hangs on the machine.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { CID } from '../../core/cid.ts'
import { openBlocks } from '../../store/blocks.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { createEmbedder } from '../../verifier/embedding/embedder.ts'
import { createImageEmbedder } from '../../verifier/embedding/imageEmbedder.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL, MOBILENET_V3_SMALL } from '../../verifier/embedding/models.ts'
import { needsLayers } from '../../verifier/recipe.ts'
import { createShardModel, type ShardModel } from '../../verifier/shards/shardModel.ts'
import { storedEmbeddings } from '../../verifier/shards/storedEmbeddings.ts'
import { endNode } from '../support/node.ts'
import { testDatabase } from '../support/postgres.ts'
import { assertDoneOnce, assertKept, createAcknowledged } from './acknowledged.ts'
import { createContributors } from './contributors.ts'
import { findEmbeddedServer, killEmbeddedServer } from './embeddedServer.ts'
import { killAgainAndAgain } from './killing.ts'
import { createNodes } from './nodes.ts'
import { createRandom, testSeed } from './random.ts'
import { steadyPort } from './steadyPort.ts'

const KILLS_OVER_SHARED_POSTGRES = 42
const KILLS_OVER_ITS_OWN = 8

/** What a service that is to be killed starts from, and the clients that wait for it. */
async function prepare(t: TestContext, dir: string) {
  const seed = testSeed()
  t.diagnostic(`ASSAY_TEST_SEED=${seed}`)
  const random = createRandom(seed)
  const port = await steadyPort(random)
  const url = `http://127.0.0.1:${port}`
  const data = join(dir, 'data')
  const acknowledged = createAcknowledged()
  const contributors = await createContributors({ server: url, dir, seed, acknowledged })
  const nodes = createNodes()

  return {
    random,
    data,
    contributors,
    /** Starts the service; what it leaves among the temporary files goes with `dir`. */
    start: (env: NodeJS.ProcessEnv) => nodes.start(['--data', data, '--port', String(port)], { TMPDIR: dir, ...env }),
    async check(db: Database, logVkey: string): Promise<void> {
      await using blocks = await openBlocks({ dir: join(data, 'blocks'), db })
      await assertKept(acknowledged, { db, blocks, logVkey })
    },
    async checkEnd(db: Database, { rebuiltReports, model }: { rebuiltReports: number; model?: ShardModel }): Promise<void> {
      await using blocks = await openBlocks({ dir: join(data, 'blocks'), db })
      const kept = model === undefined ? {} : { embeddingsOf: (index: CID) => storedEmbeddings({ db, blocks, model }, index) }
      await assertDoneOnce(contributors.contributions, { db, blocks, rebuiltReports, ...kept })
      t.diagnostic(`${acknowledged.versions.size} versions and ${acknowledged.uploads.size} files were acknowledged`)
    },
    /** Leaves no process behind, however the test went. */
    async [Symbol.asyncDispose]() {
      await nodes[Symbol.asyncDispose]()
      await killEmbeddedServer(data)
    },
  }
}

test(`a service that was killed ${KILLS_OVER_SHARED_POSTGRES} times has kept all that it acknowledged and does all work once`, async (t) => {
  await using shared = await testDatabase()
  await using dir = await mkdtempDisposable(join(tmpdir(), 'assay-crash-'))
  await using play = await prepare(t, dir.path)
  const service = {
    start: () => play.start({ DATABASE_URL: shared.url, ASSAY_LEASE_SECONDS: '5' }),
    connect: async () => openDatabase(shared.url, { maxConnections: 4 }),
    afterKill: async () => undefined,
  }
  const node = await killAgainAndAgain(service, { t, kills: KILLS_OVER_SHARED_POSTGRES, ...play })
  assert.equal(await endNode(node, 'SIGTERM'), 0, node.output())
  await play.checkEnd(shared, { rebuiltReports: 6 })
})

test(`so has one with its own Postgres, which it finds again or which died with it, and a real model, after ${KILLS_OVER_ITS_OWN} kills`, async (t) => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'assay-crash-'))
  await using play = await prepare(t, dir.path)
  let kills = 0
  /** The server that outlived the service; null when none did. */
  let left: number | null = null

  const service = {
    start: () => play.start({ DATABASE_URL: undefined, ASSAY_MODEL: 'default' }),
    async connect() {
      const server = await findEmbeddedServer(play.data)
      assert.ok(server !== null)
      if (left !== null) assert.equal(server.pid, left, 'a server that still ran was adopted')
      return openDatabase(server.url, { maxConnections: 4 })
    },
    async afterKill() {
      if (++kills % 2 === 0) await killEmbeddedServer(play.data)
      left = (await findEmbeddedServer(play.data))?.pid ?? null
    },
  }
  const node = await killAgainAndAgain(service, { t, kills: KILLS_OVER_ITS_OWN, ...play })
  {
    await using db = await service.connect()
    const embedder = createEmbedder({ manifest: DEFAULT_MODEL, device: 'cpu', cacheDir: defaultModelCache() })
    const images = createImageEmbedder({ manifest: MOBILENET_V3_SMALL, device: 'cpu', cacheDir: defaultModelCache() })
    await play.checkEnd(db, {
      rebuiltReports: 2,
      model: createShardModel({ embedder, images, device: 'cpu', shardSamples: 1, layers: needsLayers() }),
    })
  }
  // Without its database a node cannot go on, and says so.
  await killEmbeddedServer(play.data)
  await once(node.child, 'close')
  assert.equal(node.child.exitCode, 1)
  assert.match(node.output(), /assay: fatal: .*embedded Postgres/)
})

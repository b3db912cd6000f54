/** Workers in processes of their own, each with a disk of its own: all they share is Postgres and the address of the api. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CID } from '../core/cid.ts'
import { encodeDagJson } from '../core/documents/document.ts'
import { openBlocks } from '../store/blocks.ts'
import type { Database } from '../store/database.ts'
import { loadDocument } from '../store/documents.ts'
import { reportsOf } from '../store/versions.ts'
import { buildReport } from '../verifier/buildReport.ts'
import { asStored, createEmbedder } from '../verifier/embedding/embedder.ts'
import { defaultModelCache } from '../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../verifier/embedding/models.ts'
import { assay, endNode, freePort, type NodeProcess, startNode } from './support/node.ts'
import { testDatabase, type TestDatabase } from './support/postgres.ts'

const ROWS = 240
const SHARD_SAMPLES = 12
const WORKERS = 7
const SHARDS = ROWS / SHARD_SAMPLES

interface Play extends AsyncDisposable {
  db: TestDatabase
  dir: string
  api: NodeProcess
  /** Starts a verifier with a disk of its own; `prefix` as of startNode. */
  startWorker: (prefix?: readonly string[]) => NodeProcess
  /** Publishes the rows; resolves when the version is indexed. */
  publish: () => Promise<CID>
  /** Resolves when `count` of the shards are there. */
  untilShards: (count: number) => Promise<void>
  /** The report of the published version, once there is one. */
  report: () => Promise<CID>
}

/** An installation that publishes and indexes, without anybody who verifies. */
async function play(host: string): Promise<Play> {
  const cleanup = new AsyncDisposableStack()
  const db = cleanup.use(await testDatabase())
  const { path: dir } = cleanup.use(await mkdtempDisposable(join(tmpdir(), 'assay-machines-')))
  const port = await freePort()
  const client = { home: join(dir, 'home'), server: `http://${host}:${port}` }
  const nodes: NodeProcess[] = []
  cleanup.defer(async () => {
    await Promise.all(nodes.map((node) => endNode(node, 'SIGKILL')))
  })
  const start = (words: string[], env: NodeJS.ProcessEnv, prefix?: readonly string[]): NodeProcess => {
    const settings = { ASSAY_MODEL: 'default', ASSAY_SHARD_SAMPLES: String(SHARD_SAMPLES), ASSAY_LEASE_SECONDS: '2' }
    const node = startNode(words, { DATABASE_URL: db.url, ...settings, ...env }, prefix)
    nodes.push(node)
    return node
  }
  const api = start(['--roles', 'api,indexer', '--data', join(dir, 'api'), '--port', String(port)], { ASSAY_HOST: host })
  assert.equal(await api.ready, true, api.output())
  let workers = 0
  return {
    db,
    dir,
    api,
    startWorker: (prefix) =>
      start(['--roles', 'verifier', '--data', join(dir, `worker${workers++}`), '--port', '0'], { ASSAY_GATEWAY: client.server }, prefix),
    async publish() {
      const path = join(dir, 'set.jsonl')
      await writeFile(
        path,
        Array.from({ length: ROWS }, (_, i) => `${JSON.stringify({ text: `letter ${i} of ada to charles` })}\n`).join(''),
      )
      assert.equal((await assay(['keygen'], client)).code, 0)
      const { code, json, errors } = await assay(['publish', path, 'ada/letters', '--license', 'CC0-1.0'], client)
      assert.equal(code, 0, errors)
      const { manifest } = json as { manifest: string }
      return until(async () => {
        const { index_cid } = await db
          .selectFrom('versions')
          .select('index_cid')
          .where('manifest_cid', '=', manifest)
          .executeTakeFirstOrThrow()
        return index_cid === null ? null : CID.parse(index_cid)
      })
    },
    async untilShards(count) {
      await until(async () => ((await shardCount(db)) >= count ? true : null))
    },
    async report() {
      const { code, json, errors } = await assay(['status', 'ada/letters', '--wait'], client)
      assert.equal(code, 0, errors)
      return CID.parse((json as { reports: { report: string }[] }).reports[0]!.report)
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

async function shardCount(db: Database): Promise<number> {
  return (await db.selectFrom('embedding_shards').select('first_sample').execute()).length
}

/** Looks until there is an answer. */
async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== null) return found
    await delay(20)
  }
}

/** Kills a process that holds a job for embedding; one that is dead holds its job until the lease runs out. */
async function killEmbedding(db: Database, killed: Set<number>): Promise<void> {
  const pid = await until(async () => {
    const rows = await db.selectFrom('jobs').select('worker').where('kind', '=', 'embed').where('state', '=', 'running').execute()
    const pids = rows.flatMap(({ worker }) => (worker === null ? [] : [Number(worker.split(':')[1])]))
    return pids.find((one) => !killed.has(one)) ?? null
  })
  process.kill(pid, 'SIGKILL')
  killed.add(pid)
}

/** The report of an index, and the one that this process makes by itself from the api's blocks, without shards: as JSON. */
async function reportAndAlone({ db, dir }: Play, index: CID): Promise<[string, string]> {
  await using blocks = await openBlocks({ dir: join(dir, 'api', 'blocks'), db })
  const made = await loadDocument(blocks, 'report', (await reportsOf(db, index))[0]!.report)
  for (const cid of [made.cid, made.document.findings, made.document.evidence, made.document.recipe]) assert.ok(await blocks.isPinned(cid))
  const encoded = await loadDocument(blocks, 'index', index)
  const alone = await buildReport({
    blocks,
    index: encoded,
    manifest: (await loadDocument(blocks, 'manifest', encoded.document.manifest)).document,
    recipe: await loadDocument(blocks, 'recipe', made.document.recipe),
    embedder: asStored(createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu' })),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  })
  return [made.document, alone].map((document) => Buffer.from(encodeDagJson(document)).toString()) as [string, string]
}

async function assertDoneWithoutFaults(db: Database): Promise<void> {
  const jobs = await db.selectFrom('jobs').select(['kind', 'key', 'state', 'faults', 'error']).execute()
  // What the api makes of the report may still be under way.
  assert.deepEqual(
    jobs.filter(({ kind, state, faults }) => faults > 0 || (state !== 'done' && kind !== 'export')),
    [],
  )
  assert.equal(jobs.filter(({ kind }) => kind === 'embed').length, SHARDS)
  assert.equal(await shardCount(db), SHARDS)
}

test('workers that share only the database and the api make the report that one alone makes, though three of seven are killed', async () => {
  await using stage = await play('127.0.0.1')
  const { db, dir, startWorker, publish, untilShards, report } = stage
  const index = await publish()
  for (let i = 0; i < WORKERS; i++) startWorker()
  const killed = new Set<number>()
  for (const shards of [2, 3, SHARDS / 2]) {
    await untilShards(shards)
    await killEmbedding(db, killed)
  }
  await report()
  await assertDoneWithoutFaults(db)
  // Nothing rests on the workers' disks.
  for (let i = 0; i < WORKERS; i++) await rm(join(dir, `worker${i}`, 'blocks'), { recursive: true, force: true })
  const [made, alone] = await reportAndAlone(stage, index)
  assert.equal(made, alone)
})

test('work goes on from the last shard when the only worker is killed and another one comes', async () => {
  await using stage = await play('127.0.0.1')
  const { db, startWorker, publish, untilShards, report } = stage
  await publish()
  const first = startWorker()
  assert.equal(await first.ready, true, first.output())
  await untilShards(3)
  await endNode(first, 'SIGKILL')
  const stored = await db.selectFrom('embedding_shards').select(['first_sample', 'cid', 'created_at']).orderBy('first_sample').execute()
  startWorker()
  await report()
  const later = await db
    .selectFrom('embedding_shards')
    .select(['first_sample', 'cid', 'created_at'])
    .where(
      'first_sample',
      'in',
      stored.map((shard) => shard.first_sample),
    )
    .orderBy('first_sample')
    .execute()
  assert.deepEqual(later, stored)
  await assertDoneWithoutFaults(db)
})

const isRoot = process.getuid?.() === 0
const hasNamespaces = isRoot && runs('ip', ['netns', 'list'])

function runs(program: string, words: string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test(
  'a worker in another network, which is cut off from the api for a while, goes on when it is back, and the job is not to blame',
  { skip: hasNamespaces ? false : 'it needs root and ip(8) for network namespaces' },
  async () => {
    const name = `assay${process.pid}`
    const subnet = `10.${200 + (process.pid % 50)}.${(process.pid >> 6) % 250}`
    await using cleanup = new AsyncDisposableStack()
    const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'pipe' })
    ip('netns', 'add', name)
    cleanup.defer(() => void ip('netns', 'del', name))
    ip('link', 'add', `${name}a`, 'type', 'veth', 'peer', 'name', `${name}b`, 'netns', name)
    ip('addr', 'add', `${subnet}.1/30`, 'dev', `${name}a`)
    ip('link', 'set', `${name}a`, 'up')
    const inside = (...words: string[]) => ip('-n', name, ...words)
    inside('addr', 'add', `${subnet}.2/30`, 'dev', `${name}b`)
    inside('link', 'set', `${name}b`, 'up')
    inside('link', 'set', 'lo', 'up')

    await using stage = await play(`${subnet}.1`)
    const { db, startWorker, publish, untilShards, report } = stage
    const index = await publish()
    const worker = startWorker(['ip', 'netns', 'exec', name])
    assert.equal(await worker.ready, true, worker.output())
    await untilShards(2)
    inside('link', 'set', `${name}b`, 'down')
    await until(async () => {
      const failed = await db.selectFrom('jobs').select('error').where('error', 'like', '%gateway%').execute()
      return failed.length > 0 ? true : null
    })
    assert.ok((await shardCount(db)) < SHARDS)
    inside('link', 'set', `${name}b`, 'up')
    const made = await report()
    await assertDoneWithoutFaults(db)
    assert.equal((await reportsOf(db, index))[0]!.report.toString(), made.toString())
  },
)

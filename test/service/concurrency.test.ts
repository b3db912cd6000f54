/** Many clients and many processes at once over one database: each thing is done by one of them, and the others are told. */
import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CID } from '../../core/cid.ts'
import { openBlocks } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'
import { assertSchemaCurrent } from '../../store/migrate.ts'
import { listVersions, versionOf } from '../../store/versions.ts'
import { checkLog } from '../../verifier/sequencer/checkLog.ts'
import { testFile } from '../api/registry.ts'
import { testSigner } from '../support/documents.ts'
import { assay, endNode, type NodeProcess } from '../support/node.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { assertDoneOnce, assertKept, createAcknowledged, isExported } from './acknowledged.ts'
import { connect, manifestOf, signed } from './client.ts'
import { type Contribution, writeContribution } from './contributions.ts'
import { addressOf, createNodes, logVkeyOf, type Nodes } from './nodes.ts'
import { createRandom, testSeed } from './random.ts'
import { until } from './until.ts'

const CLIENTS = 10
const CLIENT_NUMBERS = Array.from({ length: CLIENTS }, (_, client) => client)

const temporary = () => mkdtempDisposable(join(tmpdir(), 'assay-concurrency-'))

test('of ten who announce something at once one is first, and the others are told what that means for them', async (t) => {
  await using db = await testDatabase()
  await using dir = await temporary()
  await using nodes = createNodes()
  const server = await addressOf(nodes.start(['--roles', 'api', '--port', '0', '--data', dir.path], { DATABASE_URL: db.url }))
  const file = testFile('data.csv', 'text,label\nhello,1\n')
  const ada = testSigner(1)
  const client = await connect(server, ada)
  assert.equal((await client.upload(file.cid, file.bytes)).status, 201)

  await t.test('the next version of one data set', async () => {
    const first = manifestOf(ada, 'ada/engine', [file])
    const answer = await client.announce('/v1/datasets/ada/engine/versions', signed('manifest', first, ada))
    assert.equal(answer.status, 201)
    const rivals = CLIENT_NUMBERS.map((number) => manifestOf(ada, 'ada/engine', [file], { previous: first.cid, title: `by ${number}` }))
    const answers = await Promise.all(
      rivals.map((manifest) => client.announce('/v1/datasets/ada/engine/versions', signed('manifest', manifest, ada))),
    )
    assert.deepEqual(statuses(answers), { 201: 1, 409: CLIENTS - 1 })
    const winner = rivals[answers.findIndex(({ status }) => status === 201)]!
    for (const refused of answers.filter(({ status }) => status === 409)) {
      const { code, detail } = (await refused.json()) as { code: string; detail: string }
      assert.equal(code, 'conflict')
      assert.ok(detail.includes(winner.cid.toString()), detail)
    }
  })

  await t.test('the same version, as a client does that repeats its request', async () => {
    const manifest = manifestOf(ada, 'ada/twice', [file])
    const body = signed('manifest', manifest, ada)
    const answers = await Promise.all(CLIENT_NUMBERS.map(() => client.announce('/v1/datasets/ada/twice/versions', body)))
    assert.deepEqual(statuses(answers), { 200: CLIENTS - 1, 201: 1 })
    for (const answer of answers) assert.equal(((await answer.json()) as { number: number }).number, 1)
  })

  await t.test('a data set in a namespace that nobody had', async () => {
    const answers = await Promise.all(
      CLIENT_NUMBERS.map(async (number) => {
        const rival = testSigner(100 + number)
        const stranger = await connect(server, rival)
        return stranger.announce('/v1/datasets/commons/set/versions', signed('manifest', manifestOf(rival, 'commons/set', [file]), rival))
      }),
    )
    assert.deepEqual(statuses(answers), { 201: 1, 403: CLIENTS - 1 })
  })

  await t.test('one new file', async () => {
    const large = testFile('large.bin', new Uint8Array(3 * 2 ** 20).fill(7))
    const answers = await Promise.all(CLIENT_NUMBERS.map(() => client.upload(large.cid, large.bytes)))
    const counts = statuses(answers)
    assert.equal(counts[201], 1)
    assert.equal(counts[200], CLIENTS - 1)
  })
})

function statuses(answers: readonly Response[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

test('ten who publish under one name at once, again until it works, make ten versions in a row', async () => {
  await using db = await testDatabase()
  await using dir = await temporary()
  await using nodes = createNodes()
  const server = await addressOf(nodes.start(['--roles', 'api', '--port', '0', '--data', dir.path], { DATABASE_URL: db.url }))
  const home = join(dir.path, 'home')
  assert.equal((await assay(['keygen'], { home, server })).code, 0)
  let conflicts = 0

  async function publish(client: number): Promise<{ number: number; manifest: string }> {
    const path = join(dir.path, `part${client}.csv`)
    await writeFile(path, `text,label\nwritten by ${client},0\n`)
    for (;;) {
      const { code, json, errors } = await assay(['publish', path, 'ada/engine', '--license', 'CC0-1.0'], { home, server })
      if (code === 0) return json as { number: number; manifest: string }
      assert.equal(code, 1, errors)
      assert.match(errors, /the newest version of ada\/engine|ada\/engine has no version/)
      conflicts++
    }
  }

  const published = await Promise.all(CLIENT_NUMBERS.map(publish))
  assert.deepEqual(
    published.map(({ number }) => number).sort((a, b) => a - b),
    CLIENT_NUMBERS.map((number) => number + 1),
  )
  assert.ok(conflicts > 0, 'nobody had a rival')
  const versions = await listVersions(db, 'ada/engine')
  assert.deepEqual(
    versions.map(({ number, manifest }) => `${number} ${manifest.toString()}`).sort(),
    published.map(({ number, manifest }) => `${number} ${manifest}`).sort(),
  )
})

/** Whether every attestation has its entry. */
async function isLogged(db: Database): Promise<boolean> {
  return (await db.selectFrom('attestations').select('id').where('log_index', 'is', null).limit(1).execute()).length === 0
}

/** Nodes that all work for one database and one directory of blocks. */
async function startTeam(nodes: Nodes, db: TestDatabase, dir: string, leaseSeconds = 60) {
  const env = { DATABASE_URL: db.url, ASSAY_LEASE_SECONDS: String(leaseSeconds) }
  const start = (roles: string) => nodes.start(['--roles', roles, '--port', '0', '--data', join(dir, 'data')], env)
  const [api, ...workers] = [start('api'), start('indexer,verifier'), start('indexer,verifier')] as const
  const server = await addressOf(api)
  for (const worker of workers) await addressOf(worker)
  return { api, workers, server, logVkey: await logVkeyOf(server) }
}

/** Everyone publishes a data set of their own and waits for the verdict. */
async function publishAll(server: string, dir: string, seed: number): Promise<Map<string, Contribution>> {
  const contributions = await Promise.all(
    CLIENT_NUMBERS.map(async (client) => {
      const home = join(dir, `home${client}`)
      const contribution = await writeContribution(dir, `client${client}`, client, createRandom(seed + client))
      assert.equal((await assay(['keygen'], { home, server })).code, 0)
      const words = ['publish', contribution.path, contribution.name, '--license', 'CC0-1.0', '--wait']
      const { code, json, errors } = await assay(words, { home, server })
      assert.equal(code, contribution.defect === null ? 0 : 1, errors)
      assert.equal((json as { state: string }).state, contribution.defect === null ? 'verified' : 'failed')
      return contribution
    }),
  )
  return new Map(contributions.map((contribution) => [contribution.name, contribution]))
}

test('two indexers and two verifiers share the work of ten clients, and no job is done by both', async (t) => {
  const seed = testSeed()
  t.diagnostic(`ASSAY_TEST_SEED=${seed}`)
  await using db = await testDatabase()
  await using dir = await temporary()
  await using nodes = createNodes()
  const team = await startTeam(nodes, db, dir.path)
  const publishing = publishAll(team.server, dir.path, seed)
  const seen = new Set<string | null>()
  await until('a job of each of the two verifiers', async () => {
    const jobs = await db.selectFrom('jobs').select('worker').where('kind', '=', 'verify').where('state', '=', 'running').execute()
    for (const { worker } of jobs) seen.add(worker)
    return seen.size === 2
  })
  const contributions = await publishing
  await until('the last exports', () => isExported(db))
  await until('the last entries of the log', () => isLogged(db))
  for (const node of [team.api, ...team.workers]) assert.equal(await endNode(node, 'SIGTERM'), 0, node.output())
  await using blocks = await openBlocks({ dir: join(dir.path, 'data', 'blocks'), db })
  await assertKept(createAcknowledged(), { db, blocks, logVkey: team.logVkey })
  await assertDoneOnce(contributions, { db, blocks, rebuiltReports: 2 })
  const repeated = await db.selectFrom('jobs').select('key').where('attempts', '<>', 1).execute()
  assert.deepEqual(repeated, [])
})

test('a worker that only seemed dead finds its job done by another when it comes back, and changes nothing', async () => {
  await using db = await testDatabase()
  await using dir = await temporary()
  await using nodes = createNodes()
  const team = await startTeam(nodes, db, dir.path, 2)
  const home = join(dir.path, 'home')
  assert.equal((await assay(['keygen'], { home, server: team.server })).code, 0)
  const contributions = new Map<string, Contribution>()

  async function publish(): Promise<string> {
    const number = contributions.size
    const path = join(dir.path, `set${number}.jsonl`)
    const rows = 3000
    await writeFile(
      path,
      Array.from({ length: rows }, (_, row) => `${JSON.stringify({ text: `set ${number}, row ${row}`, label: row % 2 })}\n`).join(''),
    )
    const name = `ada/set${number}`
    contributions.set(name, { name, path, rows, hiddenRows: 0, defect: null })
    const { code, json, errors } = await assay(['publish', path, name, '--license', 'CC0-1.0'], { home, server: team.server })
    assert.equal(code, 0, errors)
    return (json as { manifest: string }).manifest
  }

  const verified = (manifest: string) =>
    until(`the verification of ${manifest}`, async () => (await versionOf(db, CID.parse(manifest))).state === 'verified')

  for (const kind of ['index', 'verify'] as const) {
    // Frozen in the middle of a job, so that its lease runs out.
    const frozen = await until(`a worker frozen at a job of the kind ${kind}`, async () => {
      const manifest = await publish()
      const worker = await until(`a job of the kind ${kind}`, () => workerAt(db, kind, team.workers))
      worker.child.kill('SIGSTOP')
      if ((await workerAt(db, kind, [worker])) !== null) return { worker, manifest }
      worker.child.kill('SIGCONT') // it was done already
      await verified(manifest)
      return null
    })
    await verified(frozen.manifest)

    // The other one rests, so that what is published now is done by the one that comes back, after it has dealt with its old job.
    const other = team.workers.find((worker) => worker !== frozen.worker)!
    other.child.kill('SIGSTOP')
    frozen.worker.child.kill('SIGCONT')
    await verified(await publish())
    other.child.kill('SIGCONT')
  }

  await until('the last exports', () => isExported(db))
  await until('the last entries of the log', () => isLogged(db))
  for (const node of [team.api, ...team.workers]) assert.equal(await endNode(node, 'SIGTERM'), 0, node.output())
  await using blocks = await openBlocks({ dir: join(dir.path, 'data', 'blocks'), db })
  await assertKept(createAcknowledged(), { db, blocks, logVkey: team.logVkey })
  await assertDoneOnce(contributions, { db, blocks, rebuiltReports: 1 })
})

/** Which of these processes holds a running job of this kind; null when none does. */
async function workerAt(db: Database, kind: 'index' | 'verify', workers: readonly NodeProcess[]): Promise<NodeProcess | null> {
  const jobs = await db.selectFrom('jobs').select('worker').where('kind', '=', kind).where('state', '=', 'running').execute()
  return workers.find(({ child }) => jobs.some(({ worker }) => worker?.endsWith(`:${child.pid}`))) ?? null
}

test('of twenty processes that start at once on an empty database those that can serve do, as one registry with one log', async () => {
  await using db = await testDatabase({ migrate: false })
  await using dir = await temporary()
  await using nodes = createNodes()
  const env = { DATABASE_URL: db.url, ASSAY_DATA: dir.path }
  const startApi = () => nodes.start(['--roles', 'api', '--port', '0'], env)
  const migrating = Array.from({ length: 6 }, () => nodes.start(['--migrate'], env))
  let serving = Array.from({ length: 14 }, startApi)

  assert.deepEqual(
    await Promise.all(migrating.map((node) => node.ready)),
    migrating.map(() => false),
  )
  for (const node of migrating) assert.equal(node.child.exitCode, 0, node.output())
  assert.equal(migrating.filter((node) => !node.output().includes('(0 migrations applied)')).length, 1)
  await assertSchemaCurrent(db)

  const cameUp = await Promise.all(serving.map((node) => node.ready))
  const early = serving.filter((_, i) => cameUp[i] === false)
  for (const node of early) {
    assert.equal(node.child.exitCode, 1)
    assert.match(node.output(), /the database lacks .*; run "npm run migrate"/)
  }
  serving = [...serving.filter((_, i) => cameUp[i] === true), ...early.slice(0, 6).map(startApi)]
  const servers = await Promise.all(serving.map(addressOf))

  // One publication to each at once, so that all of their sequencers append.
  const vkeys = new Set(await Promise.all(servers.map(logVkeyOf)))
  assert.equal(vkeys.size, 1)
  const file = testFile('data.csv', 'text,label\nhello,1\n')
  await Promise.all(
    servers.map(async (server, i) => {
      const signer = testSigner(1 + i)
      const client = await connect(server, signer)
      const { ok } = await client.upload(file.cid, file.bytes)
      assert.equal(ok, true)
      const manifest = manifestOf(signer, `client${i}/set`, [file])
      const { status } = await client.announce(`/v1/datasets/client${i}/set/versions`, signed('manifest', manifest, signer))
      assert.equal(status, 201)
    }),
  )
  await until('the last entries of the log', () => isLogged(db))
  assert.equal((await checkLog(db, [...vkeys][0]!)).size, servers.length)
  const checkpoints = await Promise.all(servers.map(async (server) => (await fetch(`${server}/log/checkpoint`)).text()))
  assert.equal(new Set(checkpoints).size, 1)
  for (const node of serving) assert.doesNotMatch(node.output(), /assay: (fault|log|database|fatal)/)
})

test('of three installations that start at once on one database one makes the log, and the others say that it is not theirs', async () => {
  await using db = await testDatabase()
  await using dir = await temporary()
  await using nodes = createNodes()
  const started = [1, 2, 3].map((number) =>
    nodes.start(['--roles', 'api', '--port', '0', '--data', join(dir.path, String(number))], { DATABASE_URL: db.url }),
  )
  const cameUp = await Promise.all(started.map((node) => node.ready))
  assert.equal(cameUp.filter(Boolean).length, 1)
  const owner = started[cameUp.indexOf(true)]!
  await checkLog(db, await logVkeyOf(await addressOf(owner)))
  for (const node of started.filter((one) => one !== owner)) {
    assert.equal(node.child.exitCode, 1)
    assert.match(node.output(), /the log in this database is \S+ and was not signed with the key/)
  }
})

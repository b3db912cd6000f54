import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import type { CID } from '../../core/cid.ts'
import { Problem } from '../../core/problem.ts'
import type { Database } from '../../store/database.ts'
import { saveEmbeddingPlan, saveEmbeddingShard } from '../../store/embeddings.ts'
import {
  claimJob,
  completeJob,
  enqueueMissing,
  extendLease,
  failJob,
  type Job,
  MAX_FAULTS,
  missingJobs,
  quarantinedJobs,
  releaseJob,
  releaseLostClaims,
  retryQuarantined,
} from '../../store/jobs.ts'
import { completeIndex, completeReport, createVersion, failVersion, versionOf } from '../../store/versions.ts'
import { attestationBy, testIndex, testManifest, testReport, testSigner, textCid } from '../support/documents.ts'
import { testDatabase } from '../support/postgres.ts'

const ada = testSigner(1)
const recipe = textCid('recipe')
const CLAIM = { kinds: ['index', 'verify'] as const, worker: 'test', leaseMs: 60_000 }

async function publish(db: Database, name: string): Promise<CID> {
  const manifest = testManifest({ name, author: ada.did })
  await createVersion(db, manifest, attestationBy(ada, 'manifest', manifest))
  return manifest.cid
}

async function claim(db: Database): Promise<Job> {
  const job = await claimJob(db, CLAIM)
  assert.ok(job !== null, 'a job is ready')
  return job
}

/** Lets time pass for the table of jobs: everything in it was an hour ago. */
async function anHourPasses(db: Database): Promise<void> {
  await sql`update jobs set run_at = run_at - interval '1 hour', leased_until = leased_until - interval '1 hour',
    finished_at = finished_at - interval '1 hour'`.execute(db)
}

test('what is to be done follows from the state alone', async () => {
  await using db = await testDatabase()
  const kinds = async () => (await missingJobs(db, { recipe })).map((job) => `${job.kind} ${job.subject.toString()}`)
  const manifest = await publish(db, 'ada/engine')
  const broken = await publish(db, 'ada/broken')
  assert.deepEqual(await kinds(), [`index ${manifest.toString()}`, `index ${broken.toString()}`])
  const index = testIndex(manifest)
  await completeIndex(db, manifest, attestationBy(ada, 'index', index))
  await failVersion(db, broken, 'unreadable')
  assert.deepEqual(await kinds(), [`verify ${index.cid.toString()}`])
  assert.deepEqual(await missingJobs(db, { recipe: null }), [])
  const report = testReport(index.cid, recipe)
  await completeReport(db, report, attestationBy(ada, 'report', report))
  assert.deepEqual(await kinds(), [])
  assert.deepEqual((await missingJobs(db, { recipe: textCid('another recipe') })).length, 1)
})

test('with a model an index is planned, embedded shard by shard and then verified', async () => {
  await using db = await testDatabase()
  const model = 'ab'.repeat(32)
  const kinds = async () => (await missingJobs(db, { recipe, model })).map(({ kind, key }) => `${kind} ${key.split('/').slice(2).join('')}`)
  const manifest = await publish(db, 'ada/engine')
  const { cid: index } = testIndex(manifest)
  await completeIndex(db, manifest, attestationBy(ada, 'index', testIndex(manifest)))
  assert.deepEqual(await kinds(), ['plan '])
  const plan = { index, model, textColumn: 'text', sampleCount: 250, shardSamples: 100, sources: [], origins: null }
  await saveEmbeddingPlan(db, plan)
  assert.deepEqual(await kinds(), ['embed 0', 'embed 100', 'embed 200'])
  await saveEmbeddingShard(db, plan, { firstSample: 100, sampleCount: 100, cid: textCid('b'), copiedSamples: 0 })
  assert.deepEqual(await kinds(), ['embed 0', 'embed 200'])
  await saveEmbeddingShard(db, plan, { firstSample: 0, sampleCount: 100, cid: textCid('a'), copiedSamples: 0 })
  await saveEmbeddingShard(db, plan, { firstSample: 200, sampleCount: 50, cid: textCid('c'), copiedSamples: 0 })
  assert.deepEqual(await kinds(), ['verify '])
  const report = testReport(index, recipe)
  await completeReport(db, report, attestationBy(ada, 'report', report))
  assert.deepEqual(await kinds(), [])
})

test('what others are compared with is embedded by a model of later, though it has its report', async () => {
  await using db = await testDatabase()
  const [model, later] = ['ab'.repeat(32), 'cd'.repeat(32)]
  const manifest = await publish(db, 'ada/engine')
  const { cid: index } = testIndex(manifest)
  await completeIndex(db, manifest, attestationBy(ada, 'index', testIndex(manifest)))
  const report = testReport(index, recipe)
  await completeReport(db, report, attestationBy(ada, 'report', report))
  const kinds = async (aims: object) => (await missingJobs(db, { recipe, model: later, ...aims })).map(({ kind }) => kind)
  assert.deepEqual(await kinds({}), [])
  assert.deepEqual(await kinds({ compared: [index] }), ['plan'])
  await saveEmbeddingPlan(db, { index, model, textColumn: 'text', sampleCount: 1, shardSamples: 100, sources: [], origins: null })
  const plan = { index, model: later, textColumn: 'text', sampleCount: 150, shardSamples: 100, sources: [], origins: null }
  await saveEmbeddingPlan(db, plan)
  assert.deepEqual(await kinds({ compared: [index] }), ['embed', 'embed'])
  await saveEmbeddingShard(db, plan, { firstSample: 0, sampleCount: 100, cid: textCid('a'), copiedSamples: 0 })
  await saveEmbeddingShard(db, plan, { firstSample: 100, sampleCount: 50, cid: textCid('b'), copiedSamples: 0 })
  assert.deepEqual(await kinds({ compared: [index] }), [])
})

test('an index without texts is verified without shards', async () => {
  await using db = await testDatabase()
  const model = 'ab'.repeat(32)
  const manifest = await publish(db, 'ada/engine')
  await completeIndex(db, manifest, attestationBy(ada, 'index', testIndex(manifest)))
  const { cid: index } = testIndex(manifest)
  await saveEmbeddingPlan(db, { index, model, textColumn: null, sampleCount: 0, shardSamples: 100, sources: [], origins: null })
  assert.deepEqual(
    (await missingJobs(db, { recipe, model })).map(({ kind }) => kind),
    ['verify'],
  )
})

test('of a large index some shards wait at a time, and as they are done the next ones do', async () => {
  await using db = await testDatabase()
  const model = 'ab'.repeat(32)
  const manifest = await publish(db, 'ada/engine')
  await completeIndex(db, manifest, attestationBy(ada, 'index', testIndex(manifest)))
  const plan = {
    index: testIndex(manifest).cid,
    model,
    textColumn: 'text',
    sampleCount: 10_000_000,
    shardSamples: 1024,
    sources: [],
    origins: null,
  }
  await saveEmbeddingPlan(db, plan)
  const shards = async () => (await missingJobs(db, { recipe, model })).map(({ key }) => Number(key.split('/')[2]))
  const first = await shards()
  assert.ok(first.length >= 100 && first.length <= 1000)
  await saveEmbeddingShard(db, plan, { firstSample: 0, sampleCount: 1024, cid: textCid('a'), copiedSamples: 0 })
  assert.deepEqual(await shards(), [...first.slice(1), first.length * 1024])
})

test('jobs under another recipe or model are left to others', async () => {
  await using db = await testDatabase()
  const manifest = await publish(db, 'ada/engine')
  await completeIndex(db, manifest, attestationBy(ada, 'index', testIndex(manifest)))
  await enqueueMissing(db, { recipe, model: 'ab'.repeat(32) })
  const kinds = ['plan', 'embed', 'verify'] as const
  assert.equal(await claimJob(db, { ...CLAIM, kinds, aims: { recipe, model: 'cd'.repeat(32) } }), null)
  assert.equal((await claimJob(db, { ...CLAIM, kinds, aims: { recipe, model: 'ab'.repeat(32) } }))?.kind, 'plan')
})

test('what a worker lacks is not counted against the job', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  for (let i = 0; i < 2 * MAX_FAULTS; i++) {
    await failJob(db, await claim(db), new Problem('unavailable', 'no such device'))
    assert.equal(i > 0 && (await claimJob(db, CLAIM)) !== null, false)
    await anHourPasses(db)
  }
  assert.deepEqual(await quarantinedJobs(db), [])
})

test('many that enqueue and claim at once get each job once', async () => {
  await using db = await testDatabase({ maxConnections: 10 })
  for (let i = 0; i < 6; i++) await publish(db, `ada/set${i}`)
  await Promise.all(Array.from({ length: 10 }, () => enqueueMissing(db, { recipe })))
  const claimed = await Promise.all(Array.from({ length: 10 }, () => claimJob(db, CLAIM)))
  const keys = claimed.flatMap((job) => job?.key ?? [])
  assert.equal(keys.length, 6)
  assert.equal(new Set(keys).size, 6)
})

test('a version is seen as indexing while a worker holds its job', async () => {
  await using db = await testDatabase()
  const manifest = await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  assert.equal((await versionOf(db, manifest)).state, 'pinned')
  const job = await claim(db)
  assert.equal(await extendLease(db, job, 60_000, { stage: 'reading rows', done: 5, total: null }), true)
  const version = await versionOf(db, manifest)
  assert.deepEqual([version.state, version.progress], ['indexing', { job: 'index', stage: 'reading rows', done: 5, total: null }])
})

test('a job whose worker dies comes back when its lease runs out, and not before', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  const first = await claim(db)
  assert.equal(await claimJob(db, CLAIM), null)
  await anHourPasses(db)
  const second = await claim(db)
  assert.deepEqual([second.id, second.attempts], [first.id, 2])
})

test('a worker that lost its claim can neither extend, complete, release nor fail the job', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  const lost = await claim(db)
  await anHourPasses(db)
  const current = await claim(db)
  assert.equal(await extendLease(db, lost, 60_000, null), false)
  assert.equal(await completeJob(db, lost), false)
  await releaseJob(db, lost)
  await failJob(db, lost, new Error('late'))
  assert.equal(await extendLease(db, current, 60_000, null), true)
  assert.equal(await completeJob(db, current), true)
})

test('a process that knows it is alone takes back every claim at once', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  await claim(db)
  await releaseLostClaims(db, { expired: true })
  assert.equal(await claimJob(db, CLAIM), null)
  await releaseLostClaims(db, { expired: false })
  assert.equal((await claim(db)).attempts, 2)
})

test('a job that its worker gives back is ready at once and does not count as tried', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  await releaseJob(db, await claim(db))
  assert.equal((await claim(db)).attempts, 1)
})

test('a job that fails waits longer each time, is put aside in the end, and can be called back', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  for (let i = 0; i < MAX_FAULTS; i++) {
    await failJob(db, await claim(db), new Error(`disk full ${i}`))
    assert.equal(await claimJob(db, CLAIM), null)
    await anHourPasses(db)
    await enqueueMissing(db, { recipe })
  }
  assert.equal(await claimJob(db, CLAIM), null)
  assert.deepEqual(
    (await quarantinedJobs(db)).map((job) => job.error),
    [`disk full ${MAX_FAULTS - 1}`],
  )
  assert.equal(await retryQuarantined(db), 1)
  assert.equal((await claim(db)).attempts, 1)
})

test('a job whose workers keep dying is never given up, only tried less often', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  let delayed = 0
  for (let i = 0; i < 30; i++) {
    await claim(db)
    await releaseLostClaims(db, { expired: false })
    if ((await claimJob(db, CLAIM)) === null) {
      delayed++
      await anHourPasses(db)
    } else await releaseLostClaims(db, { expired: false })
    await anHourPasses(db)
  }
  assert.ok(delayed > 10)
  assert.deepEqual(await quarantinedJobs(db), [])
})

test('who looks for what is missing neither waits for jobs that others are at nor touches them', async () => {
  await using db = await testDatabase()
  const manifest = await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe: null })
  const job = await claim(db)
  await db.transaction().execute(async (trx) => {
    await sql`select from jobs where id = ${job.id} for update`.execute(trx)
    await enqueueMissing(db, { recipe: null })
    await completeIndex(db, manifest, attestationBy(ada, 'index', testIndex(manifest)))
    await sql`update jobs set state = 'done', leased_until = null, finished_at = clock_timestamp() where id = ${job.id}`.execute(trx)
    await enqueueMissing(db, { recipe: null })
  })
  await anHourPasses(db)
  assert.equal(await claimJob(db, CLAIM), null)
})

test('a job that is recorded as done without a result comes back', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  await completeJob(db, await claim(db))
  await enqueueMissing(db, { recipe })
  assert.equal(await claimJob(db, CLAIM), null)
  await anHourPasses(db)
  await enqueueMissing(db, { recipe })
  await anHourPasses(db)
  assert.equal((await claim(db)).attempts, 2)
})

test('a worker gets only the kinds of job that it can do', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe })
  assert.equal(await claimJob(db, { ...CLAIM, kinds: ['verify'] }), null)
  assert.equal((await claimJob(db, { ...CLAIM, kinds: ['index'] }))?.kind, 'index')
})

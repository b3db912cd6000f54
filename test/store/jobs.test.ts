import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import type { CID } from '../../core/cid.ts'
import type { Database } from '../../store/database.ts'
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

test('a job that is finished while another process looks for what is missing is not done again', async () => {
  await using db = await testDatabase()
  const manifest = await publish(db, 'ada/engine')
  await enqueueMissing(db, { recipe: null })
  const job = await claim(db)
  // Looks at the state before the job is finished and records what it found after that.
  await db
    .transaction()
    .execute(async (trx) => {
      await sql`select from jobs where id = ${job.id} for update`.execute(trx)
      const looking = enqueueMissing(db, { recipe: null })
      while (!(await hasWaiting(db))) await delay(5)
      await completeIndex(db, manifest, attestationBy(ada, 'index', testIndex(manifest)))
      await sql`update jobs set state = 'done', leased_until = null, finished_at = clock_timestamp() where id = ${job.id}`.execute(trx)
      return { looking }
    })
    .then(({ looking }) => looking)
  await anHourPasses(db)
  assert.equal(await claimJob(db, CLAIM), null)
})

/** Whether a statement of this database waits for a lock. */
async function hasWaiting(db: Database): Promise<boolean> {
  const { rows } = await sql<{ waiting: boolean }>`
    select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock') as waiting`.execute(db)
  return rows[0]!.waiting
}

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

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CID } from '../../core/cid.ts'
import type { Database } from '../../store/database.ts'
import type { JobHandler } from '../../store/jobs.ts'
import { createVersion, failVersion, versionOf, completeIndex } from '../../store/versions.ts'
import { runWorker, type WorkerOptions } from '../../store/worker.ts'
import { attestationBy, testIndex, testManifest, testSigner } from '../support/documents.ts'
import { testDatabase } from '../support/postgres.ts'

const ada = testSigner(1)

async function publish(db: Database, name: string): Promise<CID> {
  const manifest = testManifest({ name, author: ada.did })
  await createVersion(db, manifest, attestationBy(ada, 'manifest', manifest))
  return manifest.cid
}

function startWorker(db: Database, index: JobHandler, options: Partial<WorkerOptions> = {}) {
  const controller = new AbortController()
  const errors: unknown[] = []
  const ended = runWorker({
    db,
    handlers: { index },
    aims: { recipe: null },
    worker: 'test',
    signal: controller.signal,
    onError: (error) => errors.push(error),
    pollMs: 5,
    ...options,
  })
  return {
    errors,
    async stop() {
      controller.abort()
      await ended
    },
  }
}

test('many workers at once index every version exactly once', async () => {
  await using db = await testDatabase({ maxConnections: 10 })
  const manifests: CID[] = []
  for (let i = 0; i < 12; i++) manifests.push(await publish(db, `ada/set${i}`))
  const done: string[] = []
  const { promise: allDone, resolve } = Promise.withResolvers<void>()
  const workers = Array.from({ length: 4 }, () =>
    startWorker(db, async (job) => {
      await completeIndex(db, job.subject, attestationBy(ada, 'index', testIndex(job.subject)))
      if (done.push(job.subject.toString()) === manifests.length) resolve()
    }),
  )
  await allDone
  await Promise.all(workers.map((worker) => worker.stop()))
  assert.deepEqual(done.sort(), manifests.map((cid) => cid.toString()).sort())
  for (const manifest of manifests) assert.equal((await versionOf(db, manifest)).state, 'indexed')
  assert.deepEqual(
    workers.flatMap((worker) => worker.errors),
    [],
  )
})

test('a worker that is stopped aborts its handler and gives the job back', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const first = startWorker(db, async (_, { signal }) => {
    begin()
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  await begun
  await first.stop()
  assert.deepEqual(first.errors, [])

  const { promise: attempts, resolve } = Promise.withResolvers<number>()
  const second = startWorker(db, async (job) => {
    await failVersion(db, job.subject, 'read')
    resolve(job.attempts)
  })
  assert.equal(await attempts, 1)
  await second.stop()
})

test('a handler is told when its claim is lost', async () => {
  await using db = await testDatabase()
  await publish(db, 'ada/engine')
  const { promise: reason, resolve } = Promise.withResolvers<Error>()
  let calls = 0
  const worker = startWorker(
    db,
    async (job, { signal }) => {
      if (calls++ > 0) return failVersion(db, job.subject, 'read')
      await db.updateTable('jobs').set({ attempts: 7 }).execute() // as if another worker had claimed it
      await new Promise<void>((done) => signal.addEventListener('abort', () => done()))
      resolve(signal.reason as Error)
      throw signal.reason
    },
    { leaseMs: 30 },
  )
  assert.match((await reason).message, /claim on index .* is lost/)
  await worker.stop()
  assert.deepEqual(worker.errors, [])
})

test('an error of a handler is reported, and the worker goes on', async () => {
  await using db = await testDatabase()
  const bad = await publish(db, 'ada/bad')
  const good = await publish(db, 'ada/good')
  const { promise, resolve } = Promise.withResolvers<void>()
  const worker = startWorker(db, async (job) => {
    if (job.subject.equals(bad)) throw new Error('disk on fire')
    await completeIndex(db, job.subject, attestationBy(ada, 'index', testIndex(job.subject)))
    resolve()
  })
  await promise
  await worker.stop()
  assert.deepEqual(
    worker.errors.map((error) => (error as Error).message),
    ['disk on fire'],
  )
  assert.equal((await versionOf(db, good)).state, 'indexed')
})

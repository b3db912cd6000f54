import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeDocument } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import type { Database } from '../../store/database.ts'
import { attestationOf, attestationsOf } from '../../store/documents.ts'
import {
  completeIndex,
  completeReport,
  createVersion,
  failVersion,
  listDatasets,
  listVersions,
  reportsOf,
  resolveRef,
  versionOf,
} from '../../store/versions.ts'
import { attestationBy, testIndex, testManifest, testReport, testSigner, textCid } from '../support/documents.ts'
import { testDatabase } from '../support/postgres.ts'

const ada = testSigner(1)
const bob = testSigner(2)
const indexer = testSigner(3)

async function publish(db: Database, fields: Partial<Manifest> & { name: string }, signer = ada) {
  const manifest = testManifest({ author: signer.did, ...fields })
  return { manifest, ...(await createVersion(db, manifest, attestationBy(signer, 'manifest', manifest))) }
}

test('versions of a data set are numbered from 1, each naming the one before', async () => {
  await using db = await testDatabase()
  const first = await publish(db, { name: 'ada/engine' })
  const second = await publish(db, { name: 'ada/engine', previous: first.manifest.cid })
  assert.deepEqual([first.version.number, second.version.number, second.version.state], [1, 2, 'pinned'])
  assert.equal((await resolveRef(db, 'ada/engine')).number, 2)
  assert.equal((await resolveRef(db, 'ada/engine@1')).manifest.toString(), first.manifest.cid.toString())
  assert.equal((await resolveRef(db, second.manifest.cid.toString())).number, 2)
  assert.deepEqual(
    (await listVersions(db, 'ada/engine')).map((version) => version.number),
    [2, 1],
  )
})

test('the same manifest again is the same version', async () => {
  await using db = await testDatabase()
  const first = await publish(db, { name: 'ada/engine' })
  const again = await publish(db, { name: 'ada/engine' })
  assert.deepEqual([first.created, again.created, again.version.number], [true, false, 1])
  await publish(db, { name: 'ada/engine', previous: first.manifest.cid })
  assert.equal((await publish(db, { name: 'ada/engine' })).version.number, 1)
})

test('a version that does not name the newest one is a conflict that says which to name', async () => {
  await using db = await testDatabase()
  const first = await publish(db, { name: 'ada/engine' })
  await assert.rejects(publish(db, { name: 'ada/engine', title: 'fork' }), (error: Error) => {
    assert.match(error.message, /^conflict: .*ada\/engine@1.*previous/)
    assert.ok(error.message.includes(first.manifest.cid.toString()))
    return true
  })
  await assert.rejects(publish(db, { name: 'ada/other', previous: first.manifest.cid }), { code: 'conflict' })
})

test('of ten who publish a next version at once, one succeeds and nine are told of the conflict', async () => {
  await using db = await testDatabase({ maxConnections: 10 })
  const first = await publish(db, { name: 'ada/engine' })
  const attempts = Array.from({ length: 10 }, (_, i) =>
    publish(db, { name: 'ada/engine', previous: first.manifest.cid, title: `version ${i}` }),
  )
  const results = await Promise.allSettled(attempts)
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1)
  for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'conflict')
  assert.equal((await listVersions(db, 'ada/engine')).length, 2)
})

test('ten who publish different data sets at once all succeed', async () => {
  await using db = await testDatabase({ maxConnections: 10 })
  const results = await Promise.all(Array.from({ length: 10 }, (_, i) => publish(db, { name: `ada/set${i}` })))
  assert.ok(results.every(({ created, version }) => created && version.number === 1))
  assert.equal((await listDatasets(db, { limit: 100 })).length, 10)
})

test('a namespace belongs to whoever published in it first, in whatever case it is written', async () => {
  await using db = await testDatabase()
  await publish(db, { name: 'Ada/engine' })
  await assert.rejects(publish(db, { name: 'ada/loom' }, bob), { code: 'forbidden' })
  await assert.rejects(publish(db, { name: 'ADA/Engine' }, bob), { code: 'forbidden' })
  assert.equal((await resolveRef(db, 'aDa/ENGINE')).dataset, 'Ada/engine')
})

test('a refused version leaves no document, attestation, data set or namespace', async () => {
  await using db = await testDatabase()
  const manifest = testManifest({ name: 'eve/set', author: bob.did, previous: textCid('nothing') })
  await assert.rejects(createVersion(db, manifest, attestationBy(bob, 'manifest', manifest)), { code: 'conflict' })
  assert.equal(await attestationOf(db, manifest.cid), null)
  await assert.rejects(listVersions(db, 'eve/set'), { code: 'not-found' })
  assert.equal((await publish(db, { name: 'eve/mine' })).created, true)
})

test('a version goes from pinned to indexed to verified, and doing a step twice changes nothing', async () => {
  await using db = await testDatabase()
  const { manifest } = await publish(db, { name: 'ada/engine' })
  const index = testIndex(manifest.cid)
  const report = testReport(index.cid, textCid('recipe'))
  for (let i = 0; i < 2; i++) await completeIndex(db, manifest.cid, attestationBy(indexer, 'index', index))
  const indexed = await versionOf(db, manifest.cid)
  assert.deepEqual([indexed.state, indexed.index?.toString()], ['indexed', index.cid.toString()])
  for (let i = 0; i < 2; i++) await completeReport(db, report, attestationBy(indexer, 'report', report))
  assert.equal((await versionOf(db, manifest.cid)).state, 'verified')
  assert.equal((await reportsOf(db, index.cid)).length, 1)
  assert.equal((await attestationsOf(db, index.cid)).length, 1)
  assert.equal((await resolveRef(db, index.cid.toString())).number, 1)
})

test('the first report of a verifier under a recipe stands, whatever a second one says', async () => {
  await using db = await testDatabase()
  const { manifest } = await publish(db, { name: 'ada/engine' })
  const index = testIndex(manifest.cid)
  await completeIndex(db, manifest.cid, attestationBy(indexer, 'index', index))
  const first = testReport(index.cid, textCid('recipe'))
  const second = encodeDocument('report', { ...first.document, notCovered: ['rounded another way by another device'] })
  await completeReport(db, first, attestationBy(indexer, 'report', first))
  await completeReport(db, second, attestationBy(indexer, 'report', second))
  const reports = async () => (await reportsOf(db, index.cid)).map(({ report }) => report.toString())
  assert.deepEqual(await reports(), [first.cid.toString()])
  assert.equal(await attestationOf(db, second.cid), null)
  await completeReport(db, second, attestationBy(bob, 'report', second))
  assert.deepEqual(await reports(), [first.cid.toString(), second.cid.toString()])
})

test('a version that failed has its reason and stays failed', async () => {
  await using db = await testDatabase()
  const { manifest } = await publish(db, { name: 'ada/engine' })
  await failVersion(db, manifest.cid, 'data.csv row 3 has 4 fields; the header has 3')
  const index = testIndex(manifest.cid)
  await completeIndex(db, manifest.cid, attestationBy(indexer, 'index', index))
  assert.equal(await attestationOf(db, index.cid), null)
  const version = await versionOf(db, manifest.cid)
  assert.deepEqual([version.state, version.failure, version.index], ['failed', 'data.csv row 3 has 4 fields; the header has 3', null])
})

test('data sets are listed by name, page after page, and found by a part of it', async () => {
  await using db = await testDatabase()
  for (const name of ['ada/b', 'ada/A', 'ada/c_d']) await publish(db, { name })
  const names = async (options: Parameters<typeof listDatasets>[1]) => (await listDatasets(db, options)).map((row) => row.dataset)
  assert.deepEqual(await names({ limit: 2 }), ['ada/A', 'ada/b'])
  assert.deepEqual(await names({ limit: 2, after: 'ada/b' }), ['ada/c_d'])
  assert.deepEqual(await names({ limit: 9, query: 'C_' }), ['ada/c_d'])
  assert.deepEqual(await names({ limit: 9, query: '%' }), [])
})

test('what names no version is told apart from a version that is not there', async () => {
  await using db = await testDatabase()
  await assert.rejects(resolveRef(db, 'ada/engine'), { code: 'not-found' })
  await assert.rejects(resolveRef(db, textCid('x').toString()), { code: 'not-found' })
  for (const ref of ['', 'ada', 'a/b/c', 'ada/engine@0', 'ada/engine@x', '@1'])
    await assert.rejects(resolveRef(db, ref), { code: 'invalid-request' }, ref)
})

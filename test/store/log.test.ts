import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8ToBytes } from '../../core/bytes.ts'
import { saveAttested } from '../../store/documents.ts'
import {
  assignLogIndices,
  createLogState,
  insertLogEntries,
  logIndexOf,
  readLogEntries,
  readLogState,
  readLogTile,
  swapLogState,
  unloggedAttestations,
  writeLogTiles,
} from '../../store/log.ts'
import { attestationBy, testManifest, testSigner } from '../support/documents.ts'
import { testDatabase } from '../support/postgres.ts'

const ada = testSigner(1)
const STATE = { origin: 'assay.test/log', size: 0, rootHash: new Uint8Array(32), checkpoint: utf8ToBytes('note') }

test('the first state is written once, by whoever comes first', async () => {
  await using db = await testDatabase()
  assert.equal(await readLogState(db), null)
  const created = await Promise.all([createLogState(db, STATE), createLogState(db, { ...STATE, origin: 'other' })])
  assert.equal(created.filter(Boolean).length, 1)
})

test('the checkpoint is swapped only from the size that the writer has seen', async () => {
  await using db = await testDatabase()
  await createLogState(db, STATE)
  const next = { size: 2, rootHash: new Uint8Array(32).fill(1), checkpoint: utf8ToBytes('note 2') }
  assert.equal(await swapLogState(db, 0, next), true)
  assert.equal(await swapLogState(db, 0, { ...next, size: 3 }), false)
  const state = await readLogState(db)
  assert.deepEqual([state?.size, state?.origin, Buffer.from(state!.checkpoint).toString()], [2, STATE.origin, 'note 2'])
})

test('attestations get the indices that follow, in the order in which they came', async () => {
  await using db = await testDatabase()
  const attestations = ['ada/a', 'ada/b', 'ada/c'].map((name) => attestationBy(ada, 'manifest', testManifest({ name, author: ada.did })))
  for (const attestation of attestations) await saveAttested(db, attestation)
  const pending = await unloggedAttestations(db, 2)
  assert.deepEqual(
    pending.map(({ envelope }) => envelope.toString()),
    attestations.slice(0, 2).map(({ envelope }) => envelope.toString()),
  )
  await assignLogIndices(
    db,
    10,
    pending.map(({ id }) => id),
  )
  assert.deepEqual(await Promise.all(attestations.map(({ envelope }) => logIndexOf(db, envelope))), [10, 11, null])
  assert.equal((await unloggedAttestations(db, 9)).length, 1)
})

test('entries are read back in order, and no index is written twice', async () => {
  await using db = await testDatabase()
  const entries = ['a', 'b', 'c'].map(utf8ToBytes)
  await insertLogEntries(db, 5, entries)
  assert.deepEqual(
    (await readLogEntries(db, 6, 100)).map((entry) => Buffer.from(entry).toString()),
    ['b', 'c'],
  )
  await assert.rejects(insertLogEntries(db, 7, entries), { code: '23505' })
  assert.deepEqual(await readLogEntries(db, 8, 100), [])
})

test('a tile grows in place', async () => {
  await using db = await testDatabase()
  const tile = (width: number) => ({ level: 0, index: 3, width, bytes: new Uint8Array(32 * width).fill(width) })
  assert.equal(await readLogTile(db, 0, 3), null)
  await writeLogTiles(db, [tile(1)])
  await writeLogTiles(db, [tile(2), { ...tile(5), index: 4 }])
  const stored = await readLogTile(db, 0, 3)
  assert.deepEqual([stored?.width, stored?.bytes.length], [2, 64])
  await assert.rejects(writeLogTiles(db, [{ ...tile(2), bytes: new Uint8Array(32) }]), { code: '23514' })
})

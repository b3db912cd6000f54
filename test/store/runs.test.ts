import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Encoded, encodeDocument } from '../../core/documents/document.ts'
import type { Run } from '../../core/documents/run.ts'
import { POLICIES, type Selection } from '../../core/documents/selection.ts'
import type { Database } from '../../store/database.ts'
import { attestationOf } from '../../store/documents.ts'
import { endsOfRun, findRun, runsOfIndex, saveRun } from '../../store/runs.ts'
import { indexOfSelection, saveSelection, selectionsOfIndex } from '../../store/selections.ts'
import { attestationBy, testSigner, textCid } from '../support/documents.ts'
import { testDatabase } from '../support/postgres.ts'

const ada = testSigner(1)
const bob = testSigner(2)

function testSelection(index: string): Encoded<Selection> {
  return encodeDocument('selection', {
    kind: 'selection',
    version: 1,
    index: textCid(index),
    reports: [],
    rulings: [],
    policy: POLICIES['as-published'],
    sampleCount: 2,
    selectedCount: 2,
    bitmap: textCid('bitmap'),
  })
}

function testRun(selections: Encoded<Selection>[], fields: Partial<Run> = {}): Encoded<Run> {
  return encodeDocument('run', {
    kind: 'run',
    version: 1,
    author: ada.did,
    name: 'first',
    status: 'started',
    createdAt: '2026-11-20T06:00:00.000Z',
    consumed: selections.map(({ cid }) => ({ selection: cid, seed: '7', epochs: 1, shards: 1, batchSize: 1, steps: null })),
    ...fields,
  })
}

async function save(db: Database, run: Encoded<Run>, signer = ada): Promise<void> {
  await saveRun(db, run, attestationBy(signer, 'run', run))
}

test('a run is found by its document, its start and the indices that it consumed', async () => {
  await using db = await testDatabase()
  const [a, b] = [testSelection('a'), testSelection('b')]
  for (const selection of [a, b, a]) await saveSelection(db, selection)
  const start = testRun([a, b])
  const finish = testRun([a, b], { status: 'finished', previous: start.cid, createdAt: '2026-11-20T07:00:00.000Z' })
  for (const run of [start, finish, finish]) await save(db, run)

  const found = await findRun(db, finish.cid)
  assert.equal(found?.started?.toString(), start.cid.toString())
  assert.deepEqual(
    found?.consumed.map(({ selection, index }) => [selection.toString(), index.toString()]),
    [
      [a.cid.toString(), textCid('a').toString()],
      [b.cid.toString(), textCid('b').toString()],
    ],
  )
  const texts = (runs: { run: { toString(): string } }[]) => runs.map(({ run }) => run.toString())
  assert.deepEqual(texts(await endsOfRun(db, start.cid)), [finish.cid.toString()])
  assert.deepEqual(texts(await runsOfIndex(db, textCid('b'))), [start.cid.toString(), finish.cid.toString()])
  assert.deepEqual(await runsOfIndex(db, textCid('c')), [])
  assert.equal((await selectionsOfIndex(db, textCid('a'))).length, 1)
  assert.equal((await indexOfSelection(db, b.cid))?.toString(), textCid('b').toString())
})

test('a run that is sent many times at once is recorded once', async () => {
  await using db = await testDatabase({ maxConnections: 10 })
  const selection = testSelection('a')
  await saveSelection(db, selection)
  for (let round = 0; round < 3; round++) {
    const run = testRun([selection], { name: `run ${round}` })
    await Promise.all(Array.from({ length: 10 }, () => save(db, run)))
    assert.equal((await findRun(db, run.cid))?.consumed.length, 1)
  }
})

test('a run of a selection that is not known leaves nothing', async () => {
  await using db = await testDatabase()
  const run = testRun([testSelection('a')])
  await assert.rejects(save(db, run), { code: 'not-found' })
  assert.equal(await findRun(db, run.cid), null)
  assert.equal(await attestationOf(db, run.cid), null)
})

test('only the author of a start can finish it', async () => {
  await using db = await testDatabase()
  const selection = testSelection('a')
  await saveSelection(db, selection)
  const start = testRun([selection])
  await save(db, start)
  const stolen = testRun([selection], { status: 'finished', previous: start.cid, author: bob.did })
  await assert.rejects(save(db, stolen, bob), { code: 'forbidden' })
  await assert.rejects(save(db, testRun([selection], { status: 'finished' })), { code: 'conflict' })
  await assert.rejects(save(db, testRun([selection], { status: 'failed', previous: textCid('nothing') })), { code: 'conflict' })
})

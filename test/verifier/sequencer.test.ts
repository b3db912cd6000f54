import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import { sql } from 'kysely'
import { bytesToUtf8, utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_DAG_JSON, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { openCheckpoint } from '../../core/log/checkpoint.ts'
import { encodeLogEntry } from '../../core/log/entry.ts'
import { consistencyProof, inclusionProof } from '../../core/merkle/tiles.ts'
import { EMPTY_ROOT, leafHash, verifyConsistency, verifyInclusion } from '../../core/merkle/tree.ts'
import { readLogEntries, readLogState } from '../../store/log.ts'
import { createLogTileReader } from '../../store/logTileReader.ts'
import { checkLog } from '../../verifier/sequencer/checkLog.ts'
import { createSequencer } from '../../verifier/sequencer/sequencer.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

const origin = 'assay.example/log'
const signer = signerFromSeed(new Uint8Array(32).fill(3))
const author = signerFromSeed(new Uint8Array(32).fill(4)).did

/** The n-th attestation of these tests. */
function attestation(n: number) {
  return {
    kind: 'manifest' as const,
    document: cidOf(CODEC_DAG_JSON, utf8ToBytes(`document ${n}`)),
    envelope: cidOf(CODEC_RAW, utf8ToBytes(`envelope ${n}`)),
  }
}

suite('sequencer', () => {
  let db: TestDatabase
  before(async () => {
    db = await testDatabase({ maxConnections: 8 })
  })
  after(async () => {
    await db[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await sql`truncate log_state, log_entries, log_tiles, attestations, documents restart identity cascade`.execute(db)
  })

  const sequencer = () => createSequencer({ db, origin, signer })

  async function attest(from: number, to: number): Promise<void> {
    if (from === to) return
    const rows = Array.from({ length: to - from }, (_, i) => attestation(from + i)).map(({ kind, document, envelope }) => ({
      document: { cid: document.toString(), kind },
      attestation: {
        envelope_cid: envelope.toString(),
        document_cid: document.toString(),
        kind,
        author,
        created_at: new Date(0),
        log_index: null,
      },
    }))
    await db.transaction().execute(async (trx) => {
      await trx
        .insertInto('documents')
        .values(rows.map((row) => row.document))
        .execute()
      await trx
        .insertInto('attestations')
        .values(rows.map((row) => row.attestation))
        .execute()
    })
  }

  test('a new log is the empty one, with a signed checkpoint', async () => {
    const { vkey, appendPending } = sequencer()
    assert.deepEqual(await checkLog(db, vkey), { size: 0, rootHash: EMPTY_ROOT })
    assert.deepEqual(await appendPending(), { appended: 0 })
    const state = await readLogState(db)
    assert.deepEqual(openCheckpoint(state!.checkpoint, vkey), { origin, size: 0, rootHash: EMPTY_ROOT })
    assert.deepEqual(await checkLog(db, vkey), { size: 0, rootHash: EMPTY_ROOT })
  })

  test('every attestation gets one entry, in the order of ids, without gaps', async () => {
    const { vkey, appendPending } = sequencer()
    let size = 0
    for (const portion of [1, 2, 252, 1, 1, 300, 0]) {
      await attest(size, size + portion)
      assert.deepEqual(await appendPending(), { appended: portion })
      size += portion
      assert.equal((await checkLog(db, vkey)).size, size)
    }
    const entries = await readLogEntries(db, 0, size)
    assert.deepEqual(
      entries.map(bytesToUtf8),
      Array.from({ length: size }, (_, n) => bytesToUtf8(encodeLogEntry(attestation(n)))),
    )
    assert.deepEqual(await appendPending(), { appended: 0 })
  })

  test('more than one transaction takes is logged in one call', async () => {
    const { vkey, appendPending } = sequencer()
    await attest(0, 2050)
    assert.deepEqual(await appendPending(), { appended: 2050 })
    assert.equal((await checkLog(db, vkey)).size, 2050)
  })

  test('checkpoints are consistent, and every entry is included in the latest', async () => {
    const { vkey, appendPending } = sequencer()
    const reader = createLogTileReader(db)
    await attest(0, 200)
    await appendPending()
    const old = await checkLog(db, vkey)
    await attest(200, 600)
    await appendPending()
    const { size, rootHash } = await checkLog(db, vkey)
    const proof = await consistencyProof(reader, old.size, size)
    assert.ok(verifyConsistency({ oldSize: old.size, oldRoot: old.rootHash, newSize: size, newRoot: rootHash, proof }))
    for (const index of [0, 255, 256, 599]) {
      const leaf = leafHash(encodeLogEntry(attestation(index)))
      assert.ok(verifyInclusion({ leafHash: leaf, index, size, proof: await inclusionProof(reader, index, size), rootHash }))
    }
  })

  test('sequencers that run at once log everything once', async () => {
    const rivals = Array.from({ length: 4 }, sequencer)
    let appended = 0
    for (let round = 0; round < 5; round++) {
      const attesting = attest(round * 40, round * 40 + 40)
      const results = await Promise.all(rivals.map((rival) => rival.appendPending()))
      await attesting
      appended += results.reduce((sum, result) => sum + result.appended, 0)
      await checkLog(db, rivals[0]!.vkey)
    }
    appended += (await rivals[0]!.appendPending()).appended
    assert.equal(appended, 200)
    assert.equal((await checkLog(db, rivals[0]!.vkey)).size, 200)
  })

  test('a transaction that fails leaves the log as it was and loses nothing', async () => {
    const { vkey, appendPending } = sequencer()
    await attest(0, 10)
    await appendPending()
    const earlier = await checkLog(db, vkey)
    await attest(10, 20)
    // An entry that is in the way, as after a fault of a disk: the insert of index 10 fails.
    await db
      .insertInto('log_entries')
      .values({ index: 10, entry: utf8ToBytes('x') })
      .execute()
    await assert.rejects(appendPending())
    await db.deleteFrom('log_entries').where('index', '=', 10).execute()
    assert.deepEqual(await checkLog(db, vkey), earlier)
    assert.deepEqual(await appendPending(), { appended: 10 })
    assert.equal((await checkLog(db, vkey)).size, 20)
  })

  test('a log is not continued under another key or origin', async () => {
    await attest(0, 1)
    await sequencer().appendPending()
    await attest(1, 2)
    const otherKey = createSequencer({ db, origin, signer: signerFromSeed(new Uint8Array(32).fill(5)) })
    await assert.rejects(otherKey.appendPending(), /not signed with the key/)
    const otherOrigin = createSequencer({ db, origin: 'elsewhere.example/log', signer })
    await assert.rejects(otherOrigin.appendPending(), /assay\.example\/log/)
    assert.equal((await checkLog(db, sequencer().vkey)).size, 1)
  })

  for (const [reason, damage, complaint] of [
    ['a changed entry', sql`update log_entries set entry = set_byte(entry, 30, 65) where index = 3`, /entry 3|DAG-JSON|CID/],
    ['a missing entry', sql`delete from log_entries where index = 3`, /entry from 0 to 299 is missing/],
    ['an entry too many', sql`insert into log_entries values (300, 'x')`, /301 entries are stored/],
    [
      'two entries that changed places',
      sql`update log_entries set index = case index when 3 then 1004 else 1003 end where index in (3, 4)`,
      /missing/,
    ],
    [
      'a changed tile',
      sql`update log_tiles set bytes = set_byte(bytes, 100, 1 + get_byte(bytes, 100) % 255) where level = 0 and index = 0`,
      /tile 0\/0/,
    ],
    [
      'a changed upper tile',
      sql`update log_tiles set bytes = set_byte(bytes, 1, 1 + get_byte(bytes, 1) % 255) where level = 1`,
      /tile 1\/0/,
    ],
    ['a missing tile', sql`delete from log_tiles where level = 0 and index = 1`, /tile 0\/1 is missing/],
    ['a tile too many', sql`insert into log_tiles values (5, 0, 1, decode(repeat('00', 32), 'hex'))`, /4 tiles are stored/],
    ['an attestation without its index', sql`update attestations set log_index = null where log_index = 299`, /entry 299/],
    ['an attestation with the index of another', sql`update attestations set log_index = log_index + 300 where log_index = 7`, /entry 7/],
    ['another size', sql`update log_state set size = 299, published_size = 299`, /the checkpoint has size 300, the state 299/],
    ['another root', sql`update log_state set root_hash = sha256('x')`, /different root hashes/],
    ['another origin', sql`update log_state set origin = 'x'`, /the checkpoint is of assay/],
    ['a changed checkpoint', sql`update log_state set checkpoint = set_byte(checkpoint, 20, 57)`, /does not verify/],
    ['no state', sql`delete from log_state`, /300 entries are stored for a log of size 0/],
  ] as const) {
    test(`the checker finds ${reason}`, async () => {
      const { vkey, appendPending } = sequencer()
      await attest(0, 300)
      await appendPending()
      await checkLog(db, vkey)
      await damage.execute(db)
      await assert.rejects(checkLog(db, vkey), complaint)
    })
  }
})

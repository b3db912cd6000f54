/** What the log lets out: nothing that a restored database could take back, and with a policy nothing that witnesses have not cosigned. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { serve } from '@hono/node-server'
import { createWitnessApp } from '../../api/witness.ts'
import { equalBytes, utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_DAG_JSON, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { ed25519Cosigner, mlDsa44Cosigner } from '../../core/log/cosignature.ts'
import { formatVerificationKey, parseVerificationKey } from '../../core/log/note.ts'
import { formatKey } from '../../core/log/noteKey.ts'
import { openWitnessedCheckpoint, parsePolicy, type Policy } from '../../core/log/policy.ts'
import { checkpointFile, memoryCheckpoint } from '../../store/checkpointFile.ts'
import type { Database } from '../../store/database.ts'
import { readLogState, readPublishedCheckpoint } from '../../store/log.ts'
import { openWitnessState, type WitnessState } from '../../store/witnessState.ts'
import { createSequencer } from '../../verifier/sequencer/sequencer.ts'
import { testDatabase } from '../support/postgres.ts'

const origin = 'assay.example/log'
const signer = signerFromSeed(new Uint8Array(32).fill(3))
const author = signerFromSeed(new Uint8Array(32).fill(4)).did
const logKey = parseVerificationKey(formatVerificationKey(origin, signer.publicKey))
const { signal } = new AbortController()

/** Attestations `from` … `to` − 1 of the history `name`. */
async function attest(db: Database, name: string, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    const document = cidOf(CODEC_DAG_JSON, utf8ToBytes(`${name} ${n}`)).toString()
    const envelope = cidOf(CODEC_RAW, utf8ToBytes(`${name} ${n}`)).toString()
    await db.insertInto('documents').values({ cid: document, kind: 'manifest' }).execute()
    await db
      .insertInto('attestations')
      .values({ envelope_cid: envelope, document_cid: document, kind: 'manifest', author, created_at: new Date(0), log_index: null })
      .execute()
  }
}

/** A log of `count` entries of a history, in a database of its own. */
async function databaseWith(name: string, count: number) {
  const db = await testDatabase()
  await attest(db, name, 0, count)
  await createSequencer({ db, origin, signer }).appendPending()
  return db
}

interface TestWitness extends AsyncDisposable {
  url: string
  /** Its line in a policy. */
  line: string
  state: WitnessState
}

async function startWitness(name: string, path: string, port = 0): Promise<TestWitness> {
  const state = openWitnessState(path)
  const seed = new Uint8Array(32).fill(name.charCodeAt(0))
  const cosigner = name === 'post-quantum' ? mlDsa44Cosigner(name, seed) : ed25519Cosigner(name, signerFromSeed(seed))
  const app = createWitnessApp({
    state,
    logs: [logKey],
    cosigners: [cosigner],
    clock: () => new Date(),
    onFault: (error) => assert.ifError(error),
  })
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port })
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    line: `witness ${name} ${formatKey(cosigner.key)} ${url}`,
    state,
    async [Symbol.asyncDispose]() {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      state[Symbol.dispose]()
      return Promise.resolve()
    },
  }
}

const policyOf = (...lines: string[]): Policy => parsePolicy(utf8ToBytes(`${lines.join('\n')}\n`))
const folder = () => mkdtempDisposable(join(tmpdir(), 'assay-log-'))

for (const [reason, name, count, expected] of [
  ['an older database', 'history', 3, /has a log of 3 entries, but 5 were published/],
  ['an empty database', 'history', 0, /has a log of 0 entries, but 5 were published/],
  ['another history of the same size', 'other', 5, /does not begin with the 5 entries that were published/],
  ['another, longer history', 'other', 9, /does not begin with the 5 entries that were published/],
] as const)
  test(`nothing is signed on ${reason}: a published checkpoint is remembered outside of the database`, async () => {
    await using dir = await folder()
    const memory = () => checkpointFile(join(dir.path, 'keys', 'checkpoint'))
    await using db = await testDatabase()
    await attest(db, 'history', 0, 5)
    await createSequencer({ db, origin, signer, memory: memory() }).appendPending()

    await using restored = count === 0 ? await testDatabase() : await databaseWith(name, count)
    await attest(restored, 'new', 0, 1)
    const before = await readLogState(restored)
    await assert.rejects(createSequencer({ db: restored, origin, signer, memory: memory() }).appendPending(), expected)
    assert.deepEqual(await readLogState(restored), before)
  })

test('a database that is ahead of what was published is taken, and published', async () => {
  const memory = memoryCheckpoint()
  await using db = await testDatabase()
  await attest(db, 'history', 0, 2)
  await createSequencer({ db, origin, signer, memory }).appendPending()
  await attest(db, 'history', 2, 300)
  await createSequencer({ db, origin, signer }).appendPending() // another process, with a memory of its own
  await createSequencer({ db, origin, signer, memory }).appendPending()
  assert.equal((await readPublishedCheckpoint(db))?.size, 300)
})

test('what another process publishes while this one starts is no older database', async () => {
  await using dir = await folder()
  await using db = await testDatabase()
  const file = checkpointFile(join(dir.path, 'checkpoint'))
  const first = createSequencer({ db, origin, signer, memory: file })
  await attest(db, 'history', 0, 2)
  await first.appendPending()
  // The other one publishes more, just before this one has read what was remembered.
  const second = createSequencer({
    db,
    origin,
    signer,
    memory: {
      async read() {
        await attest(db, 'history', 2, 9)
        await first.appendPending()
        return file.read()
      },
      write: async (checkpoint) => file.write(checkpoint),
    },
  })
  assert.equal((await second.publish(signal)).size, 9)
})

test('a database that is exchanged under a running sequencer is noticed', async () => {
  await using db = await databaseWith('history', 5)
  const sequencer = createSequencer({ db, origin, signer })
  await sequencer.appendPending()
  await db.deleteFrom('log_entries').execute()
  await db.deleteFrom('log_tiles').execute()
  await db.deleteFrom('log_state').execute()
  await db.deleteFrom('attestations').execute()
  await assert.rejects(sequencer.appendPending(), /but 5 were published/)
})

test('a checkpoint is published when a quorum of its witnesses has cosigned it, and readers see the last such until then', async () => {
  await using dir = await folder()
  await using db = await testDatabase()
  const file = join(dir.path, 'ada.sqlite')
  await using bob = await startWitness('bob', join(dir.path, 'bob.sqlite'))
  await using quantum = await startWitness('post-quantum', join(dir.path, 'quantum.sqlite'))
  let ada = await startWitness('ada', file)
  const port = Number(new URL(ada.url).port)
  const policy = policyOf(ada.line, bob.line, quantum.line, 'group both 2 ada bob', 'group all all both post-quantum', 'quorum all')
  const required = { ...policy, logs: [{ key: logKey }] }
  const sequencer = createSequencer({ db, origin, signer, policy })

  await attest(db, 'history', 0, 3)
  await sequencer.appendPending()
  assert.equal(await readPublishedCheckpoint(db), null)
  assert.deepEqual(await sequencer.publish(signal), { size: 3, logSize: 3, lacks: null, refusals: [] })
  const first = openWitnessedCheckpoint((await readPublishedCheckpoint(db))!.checkpoint, required)
  assert.equal(first.checkpoint.size, 3)
  assert.deepEqual(first.witnesses.map((witness) => witness.name).toSorted(), ['ada', 'bob', 'post-quantum'])

  await ada[Symbol.asyncDispose]()
  await attest(db, 'history', 3, 10)
  await sequencer.appendPending()
  const waiting = await sequencer.publish(signal)
  assert.deepEqual([waiting.size, waiting.logSize, waiting.refusals.map(({ name }) => name)], [3, 10, ['ada']])
  assert.match(waiting.lacks!, /2 of \(ada, bob\)/)
  assert.equal((await readPublishedCheckpoint(db))?.size, 3)

  ada = await startWitness('ada', file, port)
  await using _ = ada
  // Another process knows nothing of what the witnesses have seen; they tell it.
  const other = createSequencer({ db, origin, signer, policy })
  assert.equal((await other.publish(signal)).lacks, null)
  assert.equal(openWitnessedCheckpoint((await readPublishedCheckpoint(db))!.checkpoint, required).checkpoint.size, 10)
})

test('a log that shows two histories gets the second one cosigned by nobody, and the witness keeps what shows it', async () => {
  await using dir = await folder()
  await using ada = await startWitness('ada', join(dir.path, 'ada.sqlite'))
  const policy = policyOf(ada.line, 'quorum ada')
  await using honest = await testDatabase()
  await using fork = await testDatabase()
  await attest(honest, 'history', 0, 5)
  await attest(fork, 'other', 0, 5)
  const [one, two] = [honest, fork].map((db) => createSequencer({ db, origin, signer, policy }))
  for (const sequencer of [one!, two!]) await sequencer.appendPending()
  assert.equal((await one!.publish(signal)).lacks, null)
  assert.match((await two!.publish(signal)).refusals[0]!.reason, /409|size that it has seen/)
  assert.equal(await readPublishedCheckpoint(fork), null)
  await attest(fork, 'other', 5, 9)
  await two!.appendPending()
  assert.match((await two!.publish(signal)).refusals[0]!.reason, /422/)
  const [seen, ...others] = ada.state.latest()
  assert.deepEqual([seen!.origin, seen!.size, others], [origin, 5, []])
  assert.ok(equalBytes(seen!.rootHash, (await readLogState(honest))!.rootHash))
  assert.ok(ada.state.evidence().length > 0)
})

test('law: of requests that race, a witness never cosigns a smaller tree after a larger one', async () => {
  await using dir = await folder()
  const file = join(dir.path, 'witness.sqlite')
  // Two processes of one witness share the file.
  await using one = await startWitness('ada', file)
  await using two = await startWitness('ada', file)
  await using db = await testDatabase()
  const [first, second] = [one, two].map(({ line }) => policyOf(line, 'quorum ada'))
  for (let round = 0; round < 10; round++) {
    await attest(db, 'history', 3 * round, 3 * round + 3)
    await createSequencer({ db, origin, signer }).appendPending()
    const asked = [first!, second!].map((policy) => createSequencer({ db, origin, signer, policy }).publish(signal))
    const answers = await Promise.all(asked)
    assert.ok(answers.every(({ lacks }) => lacks === null))
    assert.equal(one.state.latest()[0]!.size, 3 * round + 3)
    assert.deepEqual(one.state.latest(), two.state.latest())
  }
})

test('a request that is no request gets 400, and another method or path nothing', async () => {
  await using dir = await folder()
  await using ada = await startWitness('ada', join(dir.path, 'ada.sqlite'))
  const post = async (body: string) => (await fetch(`${ada.url}/add-checkpoint`, { method: 'POST', body })).status
  assert.deepEqual(await Promise.all(['', 'old 0\n', 'old 0\n\nx\n', 'x'.repeat(400_000)].map(post)), [400, 400, 400, 413])
  assert.equal((await fetch(`${ada.url}/add-checkpoint`)).status, 404)
  assert.match(await (await fetch(ada.url)).text(), /^witness ada\+[0-9a-f]{8}\+.*\nassay.example\/log nothing yet\n$/)
})

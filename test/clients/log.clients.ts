/** The log against programs that share no code with it: Go's x/mod/sumdb, tessera's fsck, and a foreign witness. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { serve } from '@hono/node-server'
import { sql } from 'kysely'
import { bytesToBase64, utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_DAG_JSON, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { openWitnessedCheckpoint, parsePolicy } from '../../core/log/policy.ts'
import { parseVerificationKey } from '../../core/log/note.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { consistencyProof, inclusionProof } from '../../core/merkle/tiles.ts'
import { EMPTY_ROOT } from '../../core/merkle/tree.ts'
import { nativeSha256 } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'
import { readLogEntries, readLogState, readPublishedCheckpoint } from '../../store/log.ts'
import { createLogTileReader } from '../../store/logTileReader.ts'
import { createSequencer } from '../../verifier/sequencer/sequencer.ts'
import { startRegistry } from '../api/registry.ts'
import { temporaryFolder } from '../cli/temporary.ts'
import { until } from '../service/until.ts'
import { freePort } from '../support/node.ts'
import { goProgram } from './goPrograms.ts'

const run = promisify(execFile)
const SIZES = 1000
const FSCK_ENTRIES = 100_000

const ORIGIN = 'registry.test/log'
const signer = signerFromSeed(new Uint8Array(32).fill(3))

/** Attestations `from` … `to` − 1 for the sequencer to find. */
async function attest(db: Database, from: number, to: number): Promise<void> {
  const cids = (codec: number, what: string) =>
    Array.from({ length: to - from }, (_, i) => cidOf(codec, utf8ToBytes(`${what} ${from + i}`), nativeSha256).toString())
  const [documents, envelopes] = [cids(CODEC_DAG_JSON, 'document'), cids(CODEC_RAW, 'envelope')]
  await sql`insert into documents (cid, kind) select unnest(${documents}::text[]), 'manifest'`.execute(db)
  await sql`
    insert into attestations (envelope_cid, document_cid, kind, author, created_at)
    select envelope, document, 'manifest', ${signer.did}, now() from unnest(${envelopes}::text[], ${documents}::text[]) as t (envelope, document)`.execute(
    db,
  )
}

interface ServedLog extends AsyncDisposable {
  db: Database
  url: string
  vkey: string
}

/** A registry whose log is served over HTTP. */
async function serveLog(): Promise<ServedLog> {
  const registry = await startRegistry()
  const server = serve({ fetch: registry.app.fetch, hostname: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return {
    db: registry.db,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`,
    vkey: registry.sequencer.vkey,
    async [Symbol.asyncDispose]() {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await registry[Symbol.asyncDispose]()
    },
  }
}

test(`Go's x/mod/sumdb finds every checkpoint, inclusion and consistency proof of ${SIZES} sizes as we do, from our tiles`, async (t) => {
  const program = await goProgram('tlogcheck')
  if ('missing' in program) return t.skip(program.missing)
  await using log = await serveLog()
  await using folder = await temporaryFolder()
  const { db } = log
  const sequencer = createSequencer({ db, origin: ORIGIN, signer, hash: nativeSha256 })
  const tiles = createLogTileReader(db)
  const lines: string[] = []
  let size = 0
  for (let i = 0; i < SIZES; i++) {
    const oldSize = size
    size += 1 + ((i * 7919) % 37)
    await attest(db, oldSize, size)
    await sequencer.appendPending()
    const { checkpoint } = (await readPublishedCheckpoint(db))!
    const index = (i * 104_729) % size
    const [entry] = await readLogEntries(db, index, index + 1)
    const proofs = {
      inclusion: await inclusionProof(tiles, index, size),
      consistency: oldSize === 0 ? [] : await consistencyProof(tiles, oldSize, size),
    }
    const listed = (hashes: readonly Uint8Array[]) => hashes.map(bytesToBase64)
    lines.push(
      JSON.stringify({
        Checkpoint: bytesToBase64(checkpoint),
        Index: index,
        Entry: bytesToBase64(entry!),
        Inclusion: listed(proofs.inclusion),
        OldSize: oldSize,
        Consistency: listed(proofs.consistency),
      }),
    )
  }
  const file = join(folder.path, 'checks.jsonl')
  await writeFile(file, lines.map((line) => `${line}\n`).join(''))
  const { stdout } = await run(program.path, [log.url, log.vkey, file])
  assert.equal(stdout, `${SIZES}\n`)
  // One hash changed, and it must say so.
  const changed = lines[SIZES - 1]!.replace(/"Inclusion":\["./, (start) => `${start.slice(0, -1)}${start.endsWith('A') ? 'B' : 'A'}`)
  await writeFile(file, `${changed}\n`)
  await assert.rejects(run(program.path, [log.url, log.vkey, file]), /another inclusion proof/)
})

test(`tessera's fsck passes on a served log of ${FSCK_ENTRIES} entries`, async (t) => {
  const program = await goProgram('fsck')
  if ('missing' in program) return t.skip(program.missing)
  await using log = await serveLog()
  await using folder = await temporaryFolder()
  const sequencer = createSequencer({ db: log.db, origin: ORIGIN, signer, hash: nativeSha256 })
  const block = 10_000
  for (let from = 0; from < FSCK_ENTRIES; from += block) await attest(log.db, from, from + block)
  await attest(log.db, FSCK_ENTRIES, FSCK_ENTRIES + 77)
  await sequencer.appendPending()
  const key = join(folder.path, 'log.vkey')
  await writeFile(key, log.vkey)
  // It ends with 0 whatever it finds, and says on standard error what that was.
  const check = async () =>
    (await run(program.path, ['-storage_url', log.url, '-public_key', key, '-ui=false', '-v', '1', '-N', '4'], { timeout: 600_000 })).stderr
  const passed = await check()
  assert.match(passed, /Completed ranges/)
  assert.doesNotMatch(passed, /fsck failed/)
  await sql`update log_entries set entry = entry || '\\x20'::bytea where index = 50000`.execute(log.db)
  assert.match(await check(), /fsck failed/)
})

test('a foreign witness, litewitness, cosigns our log from its first entry on, and never a fork of it', async (t) => {
  const program = await goProgram('litewitness')
  if ('missing' in program) return t.skip(program.missing)
  await using log = await serveLog()
  await using folder = await temporaryFolder()
  const witness = await startLitewitness(program.path, folder.path, log.vkey)
  try {
    const policy = parsePolicy(utf8ToBytes(`log ${log.vkey}\nwitness lite ${witness.vkey} ${witness.url}\nquorum lite\n`))
    const sequencer = createSequencer({ db: log.db, origin: ORIGIN, signer, policy })
    const { signal } = new AbortController()
    for (const size of [1, 2, 255, 256, 257, 1000]) {
      await attest(log.db, (await readLogState(log.db))?.size ?? 0, size)
      await sequencer.appendPending()
      assert.deepEqual((await sequencer.publish(signal)).refusals, [])
      const published = (await readPublishedCheckpoint(log.db))!
      assert.equal(openWitnessedCheckpoint(published.checkpoint, policy).checkpoint.size, size)
    }
    await using fork = await serveLog()
    await attest(fork.db, 500, 1700)
    const forked = createSequencer({ db: fork.db, origin: ORIGIN, signer, policy })
    await forked.appendPending()
    assert.match((await forked.publish(signal)).refusals[0]!.reason, /422/)
  } finally {
    await witness.end()
  }
})

/** Keys of litewitness live in an ssh-agent, and its logs in a database that its own tool (which no proxy has) would fill. */
async function startLitewitness(path: string, dir: string, logVkey: string) {
  const [socket, keyFile, database] = [join(dir, 'agent'), join(dir, 'key'), join(dir, 'litewitness.db')]
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', keyFile])
  await until('the agent', async () =>
    run('ssh-add', [keyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket } }).then(
      () => true,
      () => false,
    ),
  )
  const fingerprint = (await run('ssh-keygen', ['-l', '-f', keyFile])).stdout.split(' ')[1]!
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(path, ['-name', 'lite.test/w', '-db', database, '-ssh-agent', socket, '-key', fingerprint, '-listen', address], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let vkey: string | undefined
  createInterface(child.stderr).on('line', (line) => (vkey ??= /vkey=(\S+)/.exec(line)?.[1]?.replaceAll('"', '')))
  await until(
    'the witness',
    async () =>
      vkey !== undefined &&
      fetch(`http://${address}/`).then(
        () => true,
        () => false,
      ),
  )
  const { name } = parseVerificationKey(logVkey)
  using db = new DatabaseSync(database, { timeout: 10_000 })
  db.prepare('insert into log (origin, tree_size, tree_hash) values (?, 0, ?)').run(name, bytesToBase64(EMPTY_ROOT))
  db.prepare('insert into key (origin, key) values (?, ?)').run(name, logVkey)
  return {
    url: `http://${address}`,
    vkey: vkey!,
    async end() {
      const ended = Promise.all([once(child, 'exit'), once(agent, 'exit')])
      child.kill('SIGINT')
      agent.kill('SIGTERM')
      await ended
    },
  }
}

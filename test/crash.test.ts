/** The service is killed again and again while it is at work; nothing that it acknowledged may be lost, and nothing done twice. */
import assert from 'node:assert/strict'
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { CID } from '../core/cid.ts'
import { openBlocks } from '../store/blocks.ts'
import { openDatabase } from '../store/database.ts'
import { loadDocument } from '../store/documents.ts'
import { startPostgres } from '../store/embeddedPostgres.ts'
import { checkLog } from '../verifier/sequencer/checkLog.ts'
import { assay, endNode, freePort, startNode } from './support/node.ts'

const KILLS = 50
const LONGEST_LIFE_MS = 1200

/** Numbers in [0, 1) that look random, the same in every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`after ${KILLS} kills at random moments every acknowledged upload is whole, all work is done, once, and the log verifies`, async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'assay-crash-'))
  const data = join(dir.path, 'data')
  const client = { home: join(dir.path, 'home'), server: '' }
  const port = await freePort()
  client.server = `http://127.0.0.1:${port}`
  const random = createRandom(50)
  const published = new Map<string, string>()
  assert.equal((await assay(['keygen'], client)).code, 0)

  /** Publishes set after set until told to stop; a set that was not acknowledged is published again the next time. */
  async function publishUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const name = `ada/set${published.size}`
      const path = join(dir.path, `set${published.size}.jsonl`)
      await writeFile(
        path,
        Array.from({ length: 40 }, (_, i) => `${JSON.stringify({ text: `${name} says ${i}`, label: i % 2 })}\n`).join(''),
      )
      const { code, json } = await assay(['publish', path, name, '--license', 'CC0-1.0'], { ...client, signal })
      if (code === 0) published.set(name, (json as { manifest: string }).manifest)
      else await delay(20)
    }
  }

  for (let kill = 0; kill < KILLS; kill++) {
    const node = startNode(['--data', data, '--port', String(port)])
    const stop = new AbortController()
    const publishing = node.ready.then((ready) => (ready ? publishUntil(stop.signal) : undefined))
    // Some die while they start, most while they work.
    if (random() < 0.8) await node.ready
    await delay(random() * LONGEST_LIFE_MS)
    await endNode(node, 'SIGKILL')
    stop.abort()
    await publishing
    if (random() < 0.2) await killPostgres(join(data, 'postgres'))
  }

  const node = startNode(['--data', data, '--port', String(port)])
  assert.equal(await node.ready, true, node.output())
  for (const [name, manifest] of published) {
    const { code, json, errors } = await assay(['status', name, '--wait'], client)
    assert.equal(code, 0, errors)
    const { state, number, manifest: current } = json as { state: string; number: number; manifest: string }
    assert.deepEqual({ name, state, number, current }, { name, state: 'verified', number: 1, current: manifest })
  }
  const { logVkey } = (await (await fetch(`${client.server}/v1/service`)).json()) as { logVkey: string }
  assert.equal(await endNode(node, 'SIGTERM'), 0, node.output())
  assert.ok(published.size > KILLS / 5, `only ${published.size} sets were published`)

  await using server = await startPostgres(join(data, 'postgres'))
  const db = openDatabase(server.url)
  try {
    await using blocks = await openBlocks({ dir: join(data, 'blocks'), db })
    for (const cid of published.values()) {
      const { document } = await loadDocument(blocks, 'manifest', CID.parse(cid))
      for (const file of document.files) assert.equal((await blocks.readAll(file.cid, 2 ** 20)).length, file.sizeBytes)
      assert.equal(await blocks.isPinned(document.root), true)
    }
    const { rows } = await sql<Record<string, number>>`select
      (select count(*) from versions) as versions,
      (select count(*) from versions where state = 'verified') as verified,
      (select count(*) from reports) as reports,
      (select count(*) from jobs) as jobs,
      (select count(*) from jobs where state = 'done') as done,
      (select count(*) from attestations) as attestations,
      (select count(*) from log_entries) as logged`.execute(db)
    const { versions, ...counts } = rows[0]!
    assert.ok(versions! >= published.size)
    assert.deepEqual(counts, {
      verified: versions,
      reports: versions,
      jobs: 2 * versions!,
      done: 2 * versions!,
      attestations: 3 * versions!,
      logged: 3 * versions!,
    })
    await checkLog(db, logVkey)
  } finally {
    await db.destroy()
  }
})

async function killPostgres(directory: string): Promise<void> {
  const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number(text.split('\n')[0])
  if (pid > 0) process.kill(pid, 'SIGKILL')
}

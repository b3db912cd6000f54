import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CID } from '../../core/cid.ts'
import type { Blocks } from '../../store/blocks.ts'
import { findFile } from '../../store/files.ts'
import { testBlocks } from '../support/blocks.ts'
import { testDatabase } from '../support/postgres.ts'

const UPLOADER = fileURLToPath(new URL('../support/uploader.ts', import.meta.url))

interface Acknowledged {
  cid: string
  sizeBytes: number
  sha256: string
}

/** Runs an uploader and kills it when it has acknowledged so many files, at whatever it is doing then. */
async function uploadUntilKilled(args: string[], count: number): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [UPLOADER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const acknowledged: Acknowledged[] = []
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('{') && line.endsWith('}')) acknowledged.push(JSON.parse(line) as Acknowledged)
    if (acknowledged.length >= count) child.kill('SIGKILL')
  }
  await closed
  return acknowledged
}

async function assertWhole(blocks: Blocks, { cid, sizeBytes, sha256 }: Acknowledged): Promise<void> {
  const hash = createHash('sha256')
  let read = 0
  for await (const bytes of blocks.readFile(CID.parse(cid))) {
    hash.update(bytes)
    read += bytes.length
  }
  assert.deepEqual({ read, sha256: hash.digest('hex') }, { read: sizeBytes, sha256 })
}

test('every acknowledged upload is whole, pinned and recorded after its server was killed, time after time', async () => {
  await using db = await testDatabase()
  await using blocks = await testBlocks(db)
  const all: Acknowledged[] = []
  for (let round = 0; round < 6; round++) {
    const acknowledged = await uploadUntilKilled([db.url, blocks.dir, String(round)], 1 + round * 3)
    assert.ok(acknowledged.length > round * 3)
    all.push(...acknowledged)
  }
  for (const file of all) {
    await assertWhole(blocks, file)
    assert.equal(await blocks.isPinned(CID.parse(file.cid)), true)
    const row = await findFile(db, CID.parse(file.cid))
    assert.deepEqual([row?.sizeBytes, row?.sha256], [file.sizeBytes, file.sha256])
  }
})

test('two servers over the same blocks that are killed in the middle harm neither each other nor what comes after', async () => {
  await using db = await testDatabase()
  await using blocks = await testBlocks(db)
  const rounds = await Promise.all(['same', 'same'].map((series) => uploadUntilKilled([db.url, blocks.dir, series], 5)))
  const after = await uploadUntilKilled([db.url, blocks.dir, 'same'], 8)
  for (const file of [...rounds.flat(), ...after]) await assertWhole(blocks, file)
})

import assert from 'node:assert/strict'
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { utf8ToBytes } from '../../core/bytes.ts'
import { CID, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { BlockFiles } from '../../store/blockFiles.ts'
import { openBlocks } from '../../store/blocks.ts'
import { testBlocks } from '../support/blocks.ts'

async function files(dir: string): Promise<string[]> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path)
  bytes[bytes.length >> 1]! ^= 1
  await writeFile(path, bytes)
}

test('a damaged block is reported, never served', async () => {
  await using blocks = await testBlocks()
  const { cid } = await blocks.importBytes(utf8ToBytes('precious'))
  await flipByte((await BlockFiles.open(blocks.dir)).pathOf(cid))
  await assert.rejects(blocks.get(cid), { code: 'block-corrupt' })
  await assert.rejects(blocks.readAll(cid, 100), { code: 'block-corrupt' })
})

test('a damaged or truncated block is mended by putting it again', async () => {
  await using blocks = await testBlocks()
  const bytes = utf8ToBytes('precious')
  const { cid } = await blocks.importBytes(bytes)
  const path = (await BlockFiles.open(blocks.dir)).pathOf(cid)
  for (const harm of [() => flipByte(path), () => writeFile(path, 'prec')]) {
    await harm()
    await blocks.importBytes(bytes)
    assert.deepEqual(Buffer.from(await blocks.get(cid)), Buffer.from(bytes))
  }
})

test('blocks survive closing and opening, and are the same under any codec', async () => {
  await using blocks = await testBlocks()
  const cid = await blocks.put(CODEC_RAW, utf8ToBytes('{}'))
  await using again = await openBlocks({ dir: blocks.dir })
  assert.equal(Buffer.from(await again.get(cid)).toString(), '{}')
  assert.equal(await again.has(CID.createV1(0x0129, cid.multihash)), true)
})

test('a failed import leaves no file at all', async () => {
  await using blocks = await testBlocks()
  const expected = cidOf(CODEC_RAW, utf8ToBytes('other'))
  async function* source() {
    for (let i = 0; i < 4; i++) yield new Uint8Array(1024 * 1024).fill(i)
  }
  await assert.rejects(blocks.importFile(source(), { expected }), { code: 'cid-mismatch' })
  assert.deepEqual(await files(blocks.dir), [])
})

test('staged blocks of a process that died are cleared away, those of a live one are not', async () => {
  await using blocks = await testBlocks()
  const old = join(blocks.dir, 'staging', 'old')
  const fresh = join(blocks.dir, 'staging', 'fresh')
  await writeFile(old, 'x')
  await writeFile(fresh, 'x')
  await utimes(old, new Date(0), new Date(0))
  await BlockFiles.open(blocks.dir)
  assert.deepEqual(await files(blocks.dir), [fresh])
})

test('all blocks are listed by their multihash', async () => {
  await using blocks = await testBlocks()
  const put = await Promise.all(['a', 'b', 'c'].map((text) => blocks.put(CODEC_RAW, utf8ToBytes(text))))
  const listed = await Array.fromAsync((await BlockFiles.open(blocks.dir)).getAll(), (pair) => pair.cid.toString())
  assert.deepEqual(listed.sort(), put.map((cid) => cid.toString()).sort())
})

/**
 * The contract of Blocks, held by block files with pins in Postgres and by memory alike. The CIDs of files and directories were made by
 * ipfs-unixfs-importer 17.1.1 with `profile: 'unixfs-v1-2025'`.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { utf8ToBytes } from '../../core/bytes.ts'
import { CID, CODEC_DAG_JSON, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { encodeDagJson } from '../../core/documents/document.ts'
import { type Blocks, openBlocks } from '../../store/blocks.ts'
import { testBlocks } from '../support/blocks.ts'
import { testDatabase } from '../support/postgres.ts'

const MIB = 1024 * 1024

const STORES: Record<string, () => Promise<Blocks>> = {
  'block files with pins in Postgres': async () => {
    const db = await testDatabase()
    const blocks = await testBlocks(db)
    return Object.assign(Object.create(blocks) as Blocks, {
      async [Symbol.asyncDispose]() {
        await blocks[Symbol.asyncDispose]()
        await db[Symbol.asyncDispose]()
      },
    })
  },
  memory: () => openBlocks(),
}

/** Bytes that look random, the same each time. */
function noise(length: number, seed = 'seed'): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i += 32)
    bytes.set(
      createHash('sha256')
        .update(`${seed}${i}`)
        .digest()
        .subarray(0, length - i),
      i,
    )
  return bytes
}

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length)
}

async function read(blocks: Blocks, cid: CID, options?: Parameters<Blocks['readFile']>[1]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(blocks.readFile(cid, options)))
}

for (const [name, open] of Object.entries(STORES)) {
  describe(name, () => {
    test('a block comes back as it was put, under the CID of its bytes', async () => {
      await using blocks = await open()
      const bytes = utf8ToBytes('{"a":1}')
      const cid = await blocks.put(CODEC_DAG_JSON, bytes)
      assert.equal(cid.toString(), cidOf(CODEC_DAG_JSON, bytes).toString())
      assert.deepEqual(Buffer.from(await blocks.get(cid)), Buffer.from(bytes))
      assert.equal(await blocks.has(cid), true)
    })

    test('a block that was never put is missing', async () => {
      await using blocks = await open()
      const cid = cidOf(CODEC_RAW, utf8ToBytes('nowhere'))
      assert.equal(await blocks.has(cid), false)
      await assert.rejects(blocks.get(cid), { code: 'block-missing' })
      await assert.rejects(read(blocks, cid), { code: 'block-missing' })
    })

    test('a file has the CID of the profile unixfs-v1-2025 and its SHA-256, however it is cut', async () => {
      await using blocks = await open()
      const bytes = noise(2.5 * MIB)
      for (const length of [4099, MIB, bytes.length]) {
        const file = await blocks.importFile(inPieces(bytes, length))
        assert.deepEqual(
          { ...file, cid: file.cid.toString() },
          {
            cid: 'bafybeigumuo3kgpnnrrmt4uh5irjkj5xo7a55pgcxcaxd3rpkyqzlukrue',
            sizeBytes: bytes.length,
            sha256: createHash('sha256').update(bytes).digest('hex'),
          },
        )
        assert.equal(await blocks.fileSize(file.cid), bytes.length)
      }
    })

    test('an empty file is the raw block without bytes', async () => {
      await using blocks = await open()
      const file = await blocks.importBytes(new Uint8Array(0))
      assert.equal(file.cid.toString(), 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
      assert.equal((await read(blocks, file.cid)).length, 0)
    })

    test('law: any range of a file reads as the same range of its bytes', async () => {
      await using blocks = await open()
      const bytes = Buffer.from(noise(2 * MIB + 77))
      const { cid } = await blocks.importBytes(bytes)
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length + 10), fc.nat(bytes.length + 10), async (offset, length) => {
          assert.ok((await read(blocks, cid, { offset, length })).equals(bytes.subarray(offset, offset + length)))
        }),
        { numRuns: 40 },
      )
    })

    test('a whole file is read up to a limit only', async () => {
      await using blocks = await open()
      const { cid } = await blocks.importBytes(noise(100))
      assert.deepEqual(Buffer.from(await blocks.readAll(cid, 100)), Buffer.from(noise(100)))
      await assert.rejects(blocks.readAll(cid, 99), { code: 'too-large' })
    })

    test('bytes that make another CID are refused and leave nothing', async () => {
      await using blocks = await open()
      const bytes = noise(1.5 * MIB)
      const expected = cidOf(CODEC_RAW, utf8ToBytes('something else'))
      await assert.rejects(blocks.importFile(inPieces(bytes, 65536), { expected }), { code: 'cid-mismatch' })
      assert.equal(await blocks.has(cidOf(CODEC_RAW, bytes.subarray(0, MIB))), false)
      assert.equal(await blocks.has(cidOf(CODEC_RAW, bytes.subarray(MIB))), false)
    })

    test('a source that breaks off leaves nothing, and the error is its own', async () => {
      await using blocks = await open()
      const bytes = noise(1.5 * MIB)
      async function* broken() {
        yield bytes
        throw new Error('connection reset')
      }
      await assert.rejects(blocks.importFile(broken()), { message: 'connection reset' })
      assert.equal(await blocks.has(cidOf(CODEC_RAW, bytes.subarray(0, MIB))), false)
    })

    test('an import that fails takes nothing away from one that shares its blocks', async () => {
      await using blocks = await open()
      const shared = noise(MIB)
      const longer = Buffer.concat([shared, noise(10, 'tail')])
      const fails = blocks.importFile(inPieces(longer, 65536), { expected: cidOf(CODEC_RAW, shared) })
      const [succeeded, failed] = await Promise.allSettled([blocks.importFile(inPieces(shared, 65536)), fails])
      assert.equal(failed.status, 'rejected')
      assert.equal(succeeded.status, 'fulfilled')
      assert.ok((await read(blocks, succeeded.value.cid)).equals(shared))
    })

    test('an aborted import stops with the reason of its signal and leaves nothing', async () => {
      await using blocks = await open()
      const controller = new AbortController()
      const bytes = noise(MIB)
      async function* source() {
        yield bytes
        controller.abort(new Error('client went away'))
        yield bytes
      }
      await assert.rejects(blocks.importFile(source(), { signal: controller.signal }), { message: 'client went away' })
      assert.equal(await blocks.has(cidOf(CODEC_RAW, bytes)), false)
    })

    test('a directory links its files by path', async () => {
      await using blocks = await open()
      const a = await blocks.importBytes(utf8ToBytes('a'))
      const b = await blocks.importBytes(utf8ToBytes('b'))
      const directory = await blocks.importDirectory([
        { path: 'a.txt', ...a },
        { path: 'deep/b.txt', ...b },
      ])
      assert.equal(directory.toString(), 'bafybeiayb36xhij2ln5mfyrpdfwk7as2amqizzo2wmzit5x3oqw67gth5e')
    })

    test('pinning keeps all that is below, once or twice, until it is unpinned', async () => {
      await using blocks = await open()
      const { cid } = await blocks.importBytes(noise(1.5 * MIB))
      const leaf = cidOf(CODEC_RAW, noise(1.5 * MIB).subarray(0, MIB))
      assert.equal(await blocks.isPinned(cid), false)
      await blocks.pin(cid)
      await blocks.pin(cid)
      assert.deepEqual([await blocks.isPinned(cid), await blocks.isPinned(leaf)], [true, true])
      await blocks.unpin(cid)
      await blocks.unpin(cid)
      assert.deepEqual([await blocks.isPinned(cid), await blocks.isPinned(leaf)], [false, false])
    })

    test('a part that two roots share stays pinned until both let go', async () => {
      await using blocks = await open()
      const file = await blocks.importBytes(utf8ToBytes('shared'))
      const directory = await blocks.importDirectory([{ path: 'f', ...file }])
      await Promise.all([blocks.pin(file.cid), blocks.pin(directory)])
      await blocks.unpin(file.cid)
      assert.equal(await blocks.isPinned(file.cid), true)
      await blocks.unpin(directory)
      assert.equal(await blocks.isPinned(file.cid), false)
    })

    test('a document can be pinned without what it links to, and with it later', async () => {
      await using blocks = await open()
      const file = await blocks.importBytes(utf8ToBytes('linked'))
      const document = await blocks.put(CODEC_DAG_JSON, encodeDagJson({ file: file.cid }))
      await blocks.pin(document, { recursive: false })
      assert.deepEqual([await blocks.isPinned(document), await blocks.isPinned(file.cid)], [true, false])
      await blocks.pin(document)
      assert.equal(await blocks.isPinned(file.cid), true)
      await blocks.pin(document, { recursive: false })
      assert.equal(await blocks.isPinned(file.cid), true)
    })

    test('a DAG with a missing part cannot be pinned, and no part of it is', async () => {
      await using blocks = await open()
      const file = await blocks.importBytes(utf8ToBytes('here'))
      const absent = cidOf(CODEC_RAW, utf8ToBytes('absent'))
      const directory = await blocks.importDirectory([
        { path: 'a', ...file },
        { path: 'b', cid: absent, sizeBytes: 6 },
      ])
      await assert.rejects(blocks.pin(directory), { code: 'block-missing' })
      assert.equal(await blocks.isPinned(directory), false)
    })
  })
}

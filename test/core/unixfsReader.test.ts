import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { importer } from 'ipfs-unixfs-importer'
import { concatBytes, utf8ToBytes } from '../../core/bytes.ts'
import { type CID, CODEC_DAG_JSON, CODEC_DAG_PB, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { buildDirectory } from '../../core/unixfs/directory.ts'
import { CHUNK_BYTES, createFileBuilder } from '../../core/unixfs/file.ts'
import { fileSize, listDirectory, readFileRange } from '../../core/unixfs/reader.ts'
import { createBlockMap, importFiles, noise } from './unixfs.ts'

const { put, get, blocks } = createBlockMap()

function write(content: Uint8Array): CID {
  const builder = createFileBuilder({ onBlock: put })
  builder.push(content)
  return builder.finish().cid
}

async function read(cid: CID, offset?: number, length?: number): Promise<Uint8Array> {
  return concatBytes(...(await Array.fromAsync(readFileRange(get, cid, offset, length))))
}

/** A node as a stranger may write it. */
function forge(message: ConstructorParameters<typeof UnixFS>[0], links: readonly { cid: CID; name?: string }[]): CID {
  const bytes = dagPb.encode({
    Data: new UnixFS(message).marshal(),
    Links: links.map(({ cid, name = '' }) => ({ Hash: cid, Name: name, Tsize: 1 })),
  })
  const cid = cidOf(CODEC_DAG_PB, bytes)
  put(cid, bytes)
  return cid
}

const CONTENT = noise(5 * CHUNK_BYTES + 7)
const FILE = write(CONTENT)
const HELLO = write(utf8ToBytes('hello'))

test('a file has the size and the bytes that were written', async () => {
  assert.equal(await fileSize(get, FILE), CONTENT.length)
  assert.deepEqual(await read(FILE), CONTENT)
  assert.equal(await fileSize(get, HELLO), 5)
  assert.deepEqual(await read(HELLO), utf8ToBytes('hello'))
})

test('the empty file is read as nothing', async () => {
  assert.deepEqual(await read(write(new Uint8Array(0))), new Uint8Array(0))
})

test('law: a range is that slice of the file', async () => {
  const places = fc.oneof(
    fc.nat(CONTENT.length + 10),
    fc.nat(6).map((chunk) => chunk * CHUNK_BYTES),
  )
  await fc.assert(
    fc.asyncProperty(places, places, async (offset, length) => {
      assert.ok(Buffer.from(await read(FILE, offset, length)).equals(CONTENT.subarray(offset, offset + length)))
    }),
    { numRuns: 50 },
  )
})

test('a range asks for the blocks that it touches and no others', async () => {
  const asked: string[] = []
  const counting = (cid: CID) => {
    asked.push(cid.toString())
    return get(cid)
  }
  await Array.fromAsync(readFileRange(counting, FILE, 2 * CHUNK_BYTES - 1, 2))
  const leaf = (i: number) => cidOf(CODEC_RAW, CONTENT.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)).toString()
  assert.deepEqual(asked, [FILE.toString(), leaf(1), leaf(2)])
})

test('files of another profile are read, too', async () => {
  const content = noise(300_000)
  for (const options of [
    { profile: 'unixfs-v0-2015' as const },
    { rawLeaves: false, reduceSingleLeafToSelf: false, leafType: 'raw' as const },
  ]) {
    const store = { put: async (cid: CID, bytes: unknown) => (put(cid, bytes as Uint8Array), cid) }
    const [file] = await Array.fromAsync(importer([{ content }], store as unknown as Parameters<typeof importer>[1], options))
    assert.deepEqual(await read(file!.cid, 1000, 200_000), content.subarray(1000, 201_000))
  }
})

test('a directory that ipfs-unixfs-importer sharded is listed', async () => {
  const { cid, blocks: theirs } = await importFiles(
    Array.from({ length: 6000 }, (_, i) => ({ path: `file-${i}`, content: utf8ToBytes('x') })),
    { wrap: true },
  )
  const entries = await Array.fromAsync(listDirectory(async (block) => theirs.get(block.toString())!, cid))
  assert.equal(entries.length, 6000)
  assert.ok(entries.every((entry) => /^file-\d+$/.test(entry.name)))
})

test('a size that the child contradicts is refused', async () => {
  const liar = forge({ type: 'file', blockSizes: [6n] }, [{ cid: HELLO }])
  await assert.rejects(read(liar), { code: 'invalid-file' })
})

test('sizes for other links than there are, are refused', async () => {
  const liar = forge({ type: 'file', blockSizes: [5n, 5n] }, [{ cid: HELLO }])
  await assert.rejects(read(liar), { code: 'invalid-file' })
})

test('a claimed size beyond 2^53 is refused', async () => {
  const liar = forge({ type: 'file', blockSizes: [2n ** 60n] }, [{ cid: HELLO }])
  await assert.rejects(fileSize(get, liar), { code: 'invalid-file' })
})

test('a file that is deeper than any honest one is refused', async () => {
  let cid = HELLO
  for (let depth = 0; depth < 40; depth++) cid = forge({ type: 'file', blockSizes: [5n] }, [{ cid }])
  await assert.rejects(read(cid), { code: 'invalid-file' })
})

test('a directory is no file, and a file no directory', async () => {
  const directory = buildDirectory([{ path: 'a', cid: HELLO, sizeBytes: 5 }], put)
  await assert.rejects(read(directory), { code: 'invalid-file' })
  await assert.rejects(fileSize(get, directory), { code: 'invalid-file' })
  await assert.rejects(Array.fromAsync(listDirectory(get, HELLO)), { code: 'invalid-file' })
  await assert.rejects(Array.fromAsync(listDirectory(get, forge({ type: 'file' }, []))), { code: 'invalid-file' })
})

test('a shard that links to a plain directory is refused', async () => {
  const directory = buildDirectory([{ path: 'a', cid: HELLO, sizeBytes: 5 }], put)
  const shard = forge({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n }, [{ cid: directory, name: '00' }])
  await assert.rejects(Array.fromAsync(listDirectory(get, shard)), { code: 'invalid-file' })
})

test('a shard whose fanout is no power of two is refused', async () => {
  const shard = forge({ type: 'hamt-sharded-directory', fanout: 100n, hashType: 0x22n }, [])
  await assert.rejects(Array.fromAsync(listDirectory(get, shard)), { code: 'invalid-file' })
})

test('a shard that is there twice is refused, so that no directory is endless', async () => {
  const shard = { type: 'hamt-sharded-directory' as const, fanout: 256n, hashType: 0x22n }
  let cid = forge(shard, [])
  const twice = (child: CID) => ['00', '01'].map((name) => ({ cid: child, name }))
  for (let depth = 0; depth < 12; depth++) cid = forge(shard, twice(cid))
  await assert.rejects(Array.fromAsync(listDirectory(get, cid)), { code: 'invalid-file' })
})

test('shards that are deeper than any honest ones are refused', async () => {
  let cid = forge({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n }, [])
  for (let depth = 0; depth < 20; depth++)
    cid = forge({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n }, [{ cid, name: '00' }])
  await assert.rejects(Array.fromAsync(listDirectory(get, cid)), { code: 'invalid-file' })
})

test('a name that is there twice is refused', async () => {
  const directory = forge({ type: 'directory' }, [
    { cid: HELLO, name: 'a' },
    { cid: FILE, name: 'a' },
  ])
  await assert.rejects(Array.fromAsync(listDirectory(get, directory)), { code: 'invalid-file' })
})

for (const name of ['', '.', '..', 'a/b', 'a\0']) {
  test(`an entry with the name ${JSON.stringify(name)} is refused`, async () => {
    const directory = forge({ type: 'directory' }, [{ cid: HELLO, name }])
    await assert.rejects(Array.fromAsync(listDirectory(get, directory)), { code: 'invalid-file' })
  })
}

test('a symlink and a document are no UnixFS files', async () => {
  await assert.rejects(read(forge({ type: 'symlink', data: utf8ToBytes('/etc/passwd') }, [])), { code: 'unsupported-format' })
  const document = utf8ToBytes('{}')
  const cid = cidOf(CODEC_DAG_JSON, document)
  put(cid, document)
  await assert.rejects(read(cid), { code: 'unsupported-format' })
})

test('a block that is no protobuf is refused', async () => {
  const bytes = utf8ToBytes('not a node')
  const cid = cidOf(CODEC_DAG_PB, bytes)
  put(cid, bytes)
  await assert.rejects(read(cid), { code: 'invalid-file' })
})

test('a missing block fails the read when its turn comes', async () => {
  const content = noise(3 * CHUNK_BYTES, 9)
  const cid = write(content)
  blocks.delete(cidOf(CODEC_RAW, content.subarray(2 * CHUNK_BYTES)).toString())
  assert.deepEqual(await read(cid, 0, CHUNK_BYTES), content.subarray(0, CHUNK_BYTES))
  await assert.rejects(read(cid), /no block/)
})

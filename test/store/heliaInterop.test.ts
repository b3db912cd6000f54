/** What Assay stores, stock IPFS software reads, and the other way round: Helia's own UnixFS over the same block files. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { unixfs } from '@helia/unixfs'
import { createHeliaLight } from 'helia'
import { concatBytes } from '../../core/bytes.ts'
import { BlockFiles } from '../../store/blockFiles.ts'
import { openBlocks } from '../../store/blocks.ts'

/** More than one chunk, no two chunks alike. */
const BYTES = Uint8Array.from({ length: 3 * 1024 * 1024 + 17 }, (_, i) => (i * 2654435761) >>> 24)

async function temporary(): Promise<{ dir: string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'assay-interop-'))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

test('a stock Helia reads the files and folders that Assay has stored', async () => {
  await using folder = await temporary()
  await using blocks = await openBlocks({ dir: folder.dir })
  const { cid, sizeBytes } = await blocks.importFile(one(BYTES))
  const root = await blocks.importDirectory([
    { path: 'a/b.bin', cid, sizeBytes },
    { path: 'c.bin', cid, sizeBytes },
  ])

  const helia = await createHeliaLight({ blockstore: await BlockFiles.open(folder.dir) }).start()
  const fs = unixfs(helia)
  const names = (await Array.fromAsync(fs.ls(root))).map(({ name }) => name)
  const read = concatBytes(...(await Array.fromAsync(fs.cat(root, { path: 'a/b.bin' }))))
  await helia.stop()

  assert.deepEqual(names, ['a', 'c.bin'])
  assert.deepEqual(read, BYTES)
})

test('a file that a stock Helia adds has the CID that Assay gives it, and Assay reads it', async () => {
  await using folder = await temporary()
  const helia = await createHeliaLight({ blockstore: await BlockFiles.open(folder.dir) }).start()
  const added = await unixfs(helia).addBytes(BYTES)
  await helia.stop()

  await using blocks = await openBlocks({ dir: folder.dir })
  await using memory = await openBlocks()
  const imported = await memory.importFile(one(BYTES))
  assert.equal(added.toString(), imported.cid.toString())
  assert.deepEqual(await blocks.readAll(added, BYTES.length), BYTES)
})

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

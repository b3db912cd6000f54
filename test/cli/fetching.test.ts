import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { RecordBatchFileWriter, RecordBatchReader } from 'apache-arrow'
import fc from 'fast-check'
import { fetchFile } from '../../cli/fetching.ts'
import { selectedRows } from '../../cli/fetchingSamples.ts'
import { createBitmap } from '../../core/bitmap.ts'
import { CODEC_RAW, type CID, cidOf } from '../../core/cid.ts'
import type { FileObject } from '../../core/documents/manifest.ts'
import { Problem } from '../../core/problem.ts'
import { buildBatch, rowsOf } from '../../core/samples/arrow.ts'
import type { Schema } from '../../core/samples/schema.ts'
import { CHUNK_BYTES, createFileBuilder } from '../../core/unixfs/file.ts'
import { temporaryFolder } from './temporary.ts'

const { signal } = new AbortController()

/** A file of four chunks, the last one short, and a source that counts what is asked for. */
function remoteFile() {
  const content = Buffer.alloc(3 * CHUNK_BYTES + 1000)
  for (let i = 0; i < content.length; i += 4) content.writeUInt32LE(i, Math.min(i, content.length - 4))
  const blocks = new Map<string, Uint8Array>()
  const builder = createFileBuilder({ onBlock: (cid, bytes) => void blocks.set(cid.toString(), bytes.slice()) })
  builder.push(content)
  const { cid, sizeBytes } = builder.finish()
  const file: FileObject = { path: 'data/rows.bin', cid, sizeBytes, sha256: createHash('sha256').update(content).digest('hex') }
  const asked: string[] = []
  const getBlock = async (wanted: CID) => {
    asked.push(wanted.toString())
    const bytes = blocks.get(wanted.toString())
    if (bytes === undefined) throw new Problem('block-missing', wanted.toString())
    return bytes
  }
  return { content, blocks, file, asked, options: { getBlock, signal, onBytes: () => undefined } }
}

test('a file comes whole, under its own name, and nothing else stays', async () => {
  await using folder = await temporaryFolder()
  const { content, file, options } = remoteFile()
  assert.deepEqual(await fetchFile(file, folder.path, options), { path: 'data/rows.bin', kept: false })
  assert.ok(content.equals(await readFile(join(folder.path, 'data/rows.bin'))))
  assert.deepEqual(await readdir(join(folder.path, 'data')), ['rows.bin'])
})

test('a file that is there is kept; one that was altered is fetched again', async () => {
  await using folder = await temporaryFolder()
  const { content, file, asked, options } = remoteFile()
  await fetchFile(file, folder.path, options)
  asked.length = 0
  assert.equal((await fetchFile(file, folder.path, options)).kept, true)
  assert.deepEqual(asked, [])
  const target = join(folder.path, 'data/rows.bin')
  await writeFile(target, Buffer.concat([Buffer.from('X'), content.subarray(1)]))
  assert.equal((await fetchFile(file, folder.path, options)).kept, false)
})

test('a fetch that broke off asks only for what it lacks', async () => {
  await using folder = await temporaryFolder()
  const { content, blocks, file, asked, options } = remoteFile()
  const last = cidOf(CODEC_RAW, content.subarray(3 * CHUNK_BYTES)).toString()
  const withheld = blocks.get(last)!
  blocks.delete(last)
  await assert.rejects(fetchFile(file, folder.path, options), /block-missing/)
  assert.deepEqual(await readdir(join(folder.path, 'data')), ['.rows.bin.part'])
  blocks.set(last, withheld)
  asked.length = 0
  await fetchFile(file, folder.path, options)
  assert.deepEqual(asked, [file.cid.toString(), last])
  assert.ok(content.equals(await readFile(join(folder.path, 'data/rows.bin'))))
})

test('law: whatever a broken fetch left behind, the file that comes out is the right one', async () => {
  const { content, file, options } = remoteFile()
  const chunk = fc.constantFrom(
    content.subarray(0, CHUNK_BYTES),
    content.subarray(CHUNK_BYTES, 2 * CHUNK_BYTES),
    content.subarray(2 * CHUNK_BYTES, 3 * CHUNK_BYTES),
    Buffer.alloc(CHUNK_BYTES),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 5 }), fc.nat({ max: 5000 }), async (chunks, tail) => {
      await using folder = await temporaryFolder()
      const flat = { ...file, path: 'rows.bin' }
      await writeFile(join(folder.path, '.rows.bin.part'), Buffer.concat([...chunks, Buffer.alloc(tail, 1)]))
      await fetchFile(flat, folder.path, options)
      assert.ok(content.equals(await readFile(join(folder.path, 'rows.bin'))))
    }),
    { numRuns: 12 },
  )
})

test('blocks that make another file than the manifest says are refused, and no file appears', async () => {
  await using folder = await temporaryFolder()
  const { file, options } = remoteFile()
  await assert.rejects(fetchFile({ ...file, sha256: '0'.repeat(64) }, folder.path, options), /make another file/)
  assert.deepEqual(await readdir(join(folder.path, 'data')), ['.rows.bin.part'])
})

const SCHEMA: Schema = [
  { name: 'n', type: { type: 'int64' } },
  { name: 'text', type: { type: 'utf8' } },
]

test('a shard gives exactly its selected rows, in their order', () => {
  const rows = Array.from({ length: 10 }, (_, n) => ({ n, text: `row ${n}` }))
  const writer = new RecordBatchFileWriter()
  writer.write(buildBatch(SCHEMA, rows.slice(0, 4)))
  writer.write(buildBatch(SCHEMA, rows.slice(4)))
  writer.finish()
  const bytes = writer.toUint8Array(true)
  const cid = cidOf(CODEC_RAW, bytes)
  const shard = { cid, firstSample: 100, sampleCount: 10, sizeBytes: bytes.length }
  const bitmap = createBitmap(200)
  for (const number of [99, 101, 104, 109, 110]) bitmap.set(number)
  const batches = [...RecordBatchReader.from(selectedRows(bytes, shard, bitmap))]
  assert.deepEqual(
    batches.flatMap((batch) => rowsOf(SCHEMA, batch)),
    [rows[1], rows[4], rows[9]],
  )
  assert.throws(() => selectedRows(bytes, { ...shard, sampleCount: 11 }, bitmap), /10 rows, but the index says 11/)
})

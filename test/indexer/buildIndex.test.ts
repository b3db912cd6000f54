import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tableFromIPC } from 'apache-arrow'
import { equalBytes, hexToBytes } from '../../core/bytes.ts'
import { encodeDocument } from '../../core/documents/document.ts'
import { levelFileReader } from '../../core/merkle/builder.ts'
import { inclusionProof } from '../../core/merkle/tiles.ts'
import { leafHash, verifyInclusion } from '../../core/merkle/tree.ts'
import { sampleDigest } from '../../core/samples/encoding.ts'
import type { Schema } from '../../core/samples/schema.ts'
import type { Row } from '../../core/samples/value.ts'
import { buildIndex } from '../../indexer/buildIndex.ts'
import { type Blocks, openBlocks } from '../../store/blocks.ts'
import { openSamples } from '../../store/samples.ts'
import { testBlocks } from '../support/blocks.ts'
import { publish } from './manifests.ts'
import { arrowBytes, parquetBytes } from './sources.ts'

const NEVER = new AbortController().signal

async function indexOf(blocks: Blocks, contents: Record<string, string | Uint8Array>, more = {}) {
  return buildIndex({ blocks, hash: blocks.hash, manifest: await publish(blocks, contents, more), signal: NEVER })
}

const jsonLines = (rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

test('every sample is in the shards, in the tree and in the digest table under its number', async () => {
  await using blocks = await openBlocks()
  const rows: Row[] = Array.from({ length: 9000 }, (_, i) => ({ id: i, text: `row ${i % 1000}`, score: i % 3 === 0 ? null : i / 4 }))
  const index = await indexOf(blocks, { 'a.jsonl': jsonLines(rows.slice(0, 5000)), 'b.jsonl': jsonLines(rows.slice(5000)) })
  assert.deepEqual(index.files, [
    { path: 'a.jsonl', firstSample: 0, sampleCount: 5000 },
    { path: 'b.jsonl', firstSample: 5000, sampleCount: 4000 },
  ])
  const samples = openSamples(blocks, index)
  const numbers = [8999, 0, 4999, 5000, 4096, 4095, 0]
  assert.deepEqual(
    await samples.takeRows(numbers),
    numbers.map((number) => rows[number]),
  )
  const tiles = levelFileReader(async (level, offset, length) =>
    (await blocks.readAll(index.tree.levels[level]!, 2 ** 24)).subarray(offset, offset + length),
  )
  for (const number of numbers) {
    const proof = await inclusionProof(tiles, number, index.sampleCount)
    const leaf = leafHash(sampleDigest(rows[number]!))
    assert.ok(verifyInclusion({ leafHash: leaf, index: number, size: index.sampleCount, proof, rootHash: hexToBytes(index.tree.rootHash) }))
  }
  const table = Buffer.from(await blocks.readAll(index.digestTable, 2 ** 24))
  assert.equal(table.length, index.sampleCount * 40)
  const seen = new Set<number>()
  for (let at = 0; at < table.length; at += 40) {
    const number = Number(table.readBigUInt64BE(at + 32))
    seen.add(number)
    assert.ok(equalBytes(table.subarray(at, at + 32), sampleDigest(rows[number]!)))
    assert.ok(at === 0 || table.compare(table, at - 40, at, at, at + 40) > 0, 'sorted')
  }
  assert.equal(seen.size, index.sampleCount)
})

test('the index depends on the manifest alone', async () => {
  const contents = { 'a.csv': 'id,text\n1,x\n2,y\n', 'b.csv': 'id,text\n1.5,\n', 'README.md': '# about\n' }
  const indexes = []
  for (let i = 0; i < 2; i++) {
    await using blocks = await openBlocks()
    indexes.push(encodeDocument('index', await indexOf(blocks, contents)).cid.toString())
  }
  assert.equal(indexes[0], indexes[1])
})

test('the same rows have the same digests through every reader', async () => {
  const schema: Schema = [
    { name: 'n', type: { type: 'int64' } },
    { name: 'f', type: { type: 'float64' } },
    { name: 't', type: { type: 'utf8' } },
    { name: 'b', type: { type: 'bool' } },
  ]
  const rows: Row[] = [
    { n: 1, f: 1, t: 'héllo, "wörld"\n', b: true },
    { n: null, f: -0.5, t: '日本 🎌', b: null },
    { n: -9007199254740993n, f: 1e300, t: 'x', b: false },
    { n: 0, f: null, t: null, b: false },
  ]
  const cell = (value: unknown) =>
    value === null ? '' : `"${(value as string | number | bigint | boolean).toString().replaceAll('"', '""')}"`
  const json = (row: Row) =>
    `{${Object.entries(row)
      .map(([name, value]) => `"${name}":${typeof value === 'bigint' ? String(value) : JSON.stringify(value)}`)
      .join()}}`
  const column = (name: string) => rows.map((row) => row[name]!)
  const contents = {
    'data.jsonl': rows.map((row) => `${json(row)}\n`).join(''),
    'data.csv': ['n,f,t,b', ...rows.map((row) => Object.values(row).map(cell).join(','))].join('\r\n'),
    'data.parquet': parquetBytes({
      columnData: [
        { name: 'n', data: column('n').map((value) => (value === null ? null : BigInt(value as number | bigint))), type: 'INT64' },
        { name: 'f', data: column('f'), type: 'DOUBLE' },
        { name: 't', data: column('t'), type: 'STRING' },
        { name: 'b', data: column('b'), type: 'BOOLEAN' },
      ],
    }),
    'data.arrow': arrowBytes('file', schema, [rows]),
    'data.arrows': arrowBytes('stream', schema, [rows.slice(0, 1), rows.slice(1)]),
  }
  await using blocks = await openBlocks()
  const roots = new Map<string, string>()
  for (const [path, content] of Object.entries(contents)) {
    const index = await indexOf(blocks, { [path]: content })
    assert.deepEqual(index.schema, schema, path)
    roots.set(path, index.tree.rootHash)
  }
  assert.equal(new Set(roots.values()).size, 1, JSON.stringify([...roots]))
})

test('statistics count nulls and give ranges and lengths', async () => {
  await using blocks = await openBlocks()
  const index = await indexOf(blocks, {
    'a.jsonl': jsonLines([
      { i: 5, f: 0.5, t: 'é' },
      { i: -3, f: null, t: 'abcd' },
      { i: null, f: 2, t: null },
    ]),
  })
  assert.deepEqual(index.statistics, [
    { name: 'i', nullCount: 1, minimum: '-3', maximum: '5' },
    { name: 'f', nullCount: 1, minimum: '0.5', maximum: '2' },
    { name: 't', nullCount: 1, meanLengthBytes: 3 },
  ])
})

test('large rows make small batches, all of one size but the last of a shard, readable by any Arrow reader', async () => {
  await using blocks = await openBlocks()
  const text = 'x'.repeat(10_000)
  const index = await indexOf(blocks, { 'a.jsonl': jsonLines(Array.from({ length: 300 }, (_, i) => ({ i, text }))) })
  const [shard] = index.shards
  const bytes = await blocks.readAll(shard!.cid, 2 ** 26)
  assert.equal(bytes.length, shard!.sizeBytes)
  assert.deepEqual(
    tableFromIPC(bytes).batches.map((batch) => batch.numRows),
    [64, 64, 64, 64, 44],
  )
})

test('files that hold no samples are left out and named', async () => {
  await using blocks = await openBlocks()
  const index = await indexOf(blocks, {
    '.hidden.jsonl': 'x',
    'README.txt': 'about',
    'data/a.TXT': 'one\n\ntwo\n',
    'image.png': 'x',
    LICENSE: 'x',
  })
  assert.deepEqual(
    index.files.map((file) => file.path),
    ['data/a.TXT'],
  )
  assert.deepEqual(index.skippedFiles, ['.hidden.jsonl', 'LICENSE', 'README.txt', 'image.png'])
  await assert.rejects(indexOf(blocks, { 'README.md': '# x', 'photo.heic': 'x' }), {
    code: 'unsupported-format',
    detail: /none of the files \(README\.md, photo\.heic\) can be read; supported are \.jsonl/,
  })
})

test('an empty data set is refused', async () => {
  await using blocks = await openBlocks()
  await assert.rejects(indexOf(blocks, { 'a.jsonl': '\n\n' }), { code: 'invalid-file', detail: /empty/ })
  await assert.rejects(indexOf(blocks, { 'a.csv': 'a,b\n' }), { code: 'invalid-file', detail: /empty/ })
  await assert.rejects(indexOf(blocks, { 'a.txt': '' }), { code: 'invalid-file', detail: /empty/ })
})

test('an abort stops the work', async () => {
  await using blocks = await openBlocks()
  const manifest = await publish(blocks, { 'a.jsonl': '{"a":1}\n' })
  const reason = new Error('the lease is lost')
  await assert.rejects(buildIndex({ blocks, hash: blocks.hash, manifest, signal: AbortSignal.abort(reason) }), (error) => error === reason)
})

test('samples are streamed from any number to any other, and taken with the columns that are asked for', async () => {
  await using blocks = await openBlocks()
  const rows: Row[] = Array.from({ length: 10_000 }, (_, i) => ({ id: i, text: `row ${i}` }))
  const samples = openSamples(blocks, await indexOf(blocks, { 'a.jsonl': jsonLines(rows) }), { cacheBytes: 1 })
  for (const [from, to] of [
    [0, 10_000],
    [4000, 4200],
    [9_999, 20_000],
    [5, 5],
  ] as const) {
    const ids: unknown[] = []
    for await (const batch of samples.rows(from, to)) ids.push(...Array.from(batch.getChild('id')!.toArray() as BigInt64Array, Number))
    assert.deepEqual(
      ids,
      rows.slice(from, to).map((row) => row['id']),
    )
  }
  const batch = await samples.take([9000, 1, 9000], ['text'])
  assert.deepEqual(batch.schema.names, ['text'])
  assert.deepEqual([...batch.getChild('text')!], ['row 9000', 'row 1', 'row 9000'])
  await assert.rejects(samples.take([10_000]), { code: 'not-found' })
})

test('damage that is met halfway through a file ends the work, and no part of what was being written is kept', async () => {
  const data = Array.from({ length: 20_000 }, (_, i) => `row ${i} ${(i * 7919) % 1013}`)
  const bytes = parquetBytes({ codec: 'UNCOMPRESSED', rowGroupSize: 10_000, columnData: [{ name: 't', data, type: 'STRING' }] })
  // The length of one string in the last third of the file.
  const at = Buffer.from(bytes).indexOf('row 15000 ')
  bytes[at - 1] = 0x7f
  await using blocks = await testBlocks()
  const manifest = await publish(blocks, { 'a.parquet': bytes })
  const before = await filesBelow(blocks.dir)
  await assert.rejects(buildIndex({ blocks, hash: blocks.hash, manifest, signal: NEVER }), {
    code: 'invalid-file',
    detail: /^a\.parquet column "t"/,
  })
  assert.deepEqual(await filesBelow(blocks.dir), before)
})

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

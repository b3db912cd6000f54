import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleDigest } from '../../core/samples/encoding.ts'
import { buildIndex } from '../../indexer/buildIndex.ts'
import { type Blocks, openBlocks } from '../../store/blocks.ts'
import { openSamples } from '../../store/samples.ts'
import { publish } from './manifests.ts'
import { parquetBytes } from './sources.ts'

const NEVER = new AbortController().signal
const bytes = (text: string) => new TextEncoder().encode(text)

async function indexOf(blocks: Blocks, contents: Record<string, string | Uint8Array>) {
  return buildIndex({ blocks, hash: blocks.hash, manifest: await publish(blocks, contents), signal: NEVER })
}

async function rowsOf(blocks: Blocks, contents: Record<string, string | Uint8Array>) {
  const index = await indexOf(blocks, contents)
  return { index, rows: await openSamples(blocks, index).takeRows([...Array(index.sampleCount).keys()]) }
}

test('each image file is a sample of its bytes, its path and its folder as the class', async () => {
  await using blocks = await openBlocks()
  const { index, rows } = await rowsOf(blocks, {
    'README.md': '# x',
    'train/cat/1.jpg': 'a',
    'train/dog/1.PNG': 'b',
    'test/dog/2.jpg': 'c',
  })
  assert.deepEqual(rows, [
    { image: bytes('c'), file_name: 'test/dog/2.jpg', label: 'dog' },
    { image: bytes('a'), file_name: 'train/cat/1.jpg', label: 'cat' },
    { image: bytes('b'), file_name: 'train/dog/1.PNG', label: 'dog' },
  ])
  assert.deepEqual(index.schema, [
    { name: 'image', type: { type: 'binary' } },
    { name: 'file_name', type: { type: 'utf8' } },
    { name: 'label', type: { type: 'utf8' } },
  ])
  assert.deepEqual(index.skippedFiles, ['README.md'])
  assert.deepEqual(index.files[1], { path: 'train/cat/1.jpg', firstSample: 1, sampleCount: 1 })
})

test('the folders of splits, and a folder that holds all images, are no classes', async () => {
  await using blocks = await openBlocks()
  for (const paths of [
    ['a.jpg', 'b.jpg'],
    ['train/a.jpg', 'validation/b.jpg'],
    ['images/a.jpg', 'images/b.jpg'],
  ]) {
    const { index } = await rowsOf(blocks, Object.fromEntries(paths.map((path) => [path, path])))
    assert.deepEqual(index.schema.map(({ name }) => name), ['image', 'file_name']) // prettier-ignore
  }
})

test('metadata are joined to the images that they name, and go before the folders', async () => {
  await using blocks = await openBlocks()
  const { index, rows } = await rowsOf(blocks, {
    'train/cat/1.jpg': 'a',
    'train/dog/1.jpg': 'b',
    'train/metadata.csv': 'file_name,label,width\ndog/1.jpg,7,3\n',
    'test/1.jpg': 'c',
    'test/metadata.jsonl': '{"file_name":"1.jpg","label":8,"note":"x"}\n',
  })
  assert.deepEqual(rows, [
    { image: bytes('c'), file_name: 'test/1.jpg', label: 8, note: 'x', width: null },
    { image: bytes('a'), file_name: 'train/cat/1.jpg', label: null, note: null, width: null },
    { image: bytes('b'), file_name: 'train/dog/1.jpg', label: 7, note: null, width: 3 },
  ])
  assert.deepEqual(index.skippedFiles, ['test/metadata.jsonl', 'train/metadata.csv'])
})

test('metadata of no image, of an image that is not there, or twice of one are refused by file and row', async () => {
  await using blocks = await openBlocks()
  for (const [metadata, detail] of [
    ['name,label\n1.jpg,x\n', /^metadata\.csv: no column "file_name"/],
    ['file_name,label\n1.jpg,x\n2.jpg,y\n', /^metadata\.csv row 2 column "file_name": there is no image 2\.jpg$/],
    ['file_name,label\n1.jpg,x\n1.jpg,y\n', /^metadata\.csv row 2: another row is about 1\.jpg already$/],
  ] as const)
    await assert.rejects(indexOf(blocks, { '1.jpg': 'a', 'metadata.csv': metadata }), { code: 'invalid-sample', detail })
})

test('a few images beside a table illustrate it; a list beside many images is no table', async () => {
  await using blocks = await openBlocks()
  const table = await indexOf(blocks, { 'data.jsonl': '{"a":1}\n', 'figure.png': 'x' })
  assert.deepEqual([table.schema.map(({ name }) => name), table.skippedFiles], [['a'], ['figure.png']])
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}.png`, 'x']))
  const images = await indexOf(blocks, { ...many, 'classes.txt': 'cat\ndog\n' })
  assert.deepEqual([images.sampleCount, images.skippedFiles], [10, ['classes.txt']])
})

test('an image is the same sample in a folder and as a value of a table', async () => {
  await using blocks = await openBlocks()
  const folder = await rowsOf(blocks, { 'cat/1.jpg': 'a', 'dog/1.jpg': 'b' })
  const table = await rowsOf(blocks, {
    'rows.parquet': parquetBytes({
      columnData: [
        { name: 'image', type: 'BYTE_ARRAY', data: [bytes('a'), bytes('b')] },
        { name: 'file_name', data: ['cat/1.jpg', 'dog/1.jpg'] },
        { name: 'label', data: ['cat', 'dog'] },
      ],
    }),
  })
  assert.deepEqual(folder.rows.map((row) => sampleDigest(row)), table.rows.map((row) => sampleDigest(row))) // prettier-ignore
  assert.equal(folder.index.tree.rootHash, table.index.tree.rootHash)
})

test('large images are written in batches of bounded size, and one that is too large is refused', async () => {
  await using blocks = await openBlocks()
  const large = (seed: number) => new Uint8Array(3 * 1024 * 1024).fill(seed)
  const index = await indexOf(
    blocks,
    Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`${String(i).padStart(2, '0')}.png`, large(i)])),
  )
  assert.ok(index.shards.length > 1)
  for await (const batch of openSamples(blocks, index).rows()) assert.equal(batch.numRows, 1)
  await assert.rejects(indexOf(blocks, { 'a.png': new Uint8Array(64 * 1024 * 1024 + 1) }), {
    code: 'invalid-file',
    detail: /^a\.png: an image of/,
  })
})

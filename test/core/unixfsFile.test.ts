import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_RAW, cidOf } from '../../core/cid.ts'
import type { Sha256 } from '../../core/hash.ts'
import { CHUNK_BYTES, createFileBuilder, fileDagSize } from '../../core/unixfs/file.ts'
import { createBlockMap, importFiles, noise } from './unixfs.ts'

const nativeSha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer')

function build(pieces: Iterable<Uint8Array>) {
  const { blocks, put } = createBlockMap()
  const builder = createFileBuilder({ hash: nativeSha256, onBlock: put })
  for (const piece of pieces) builder.push(piece)
  return { ...builder.finish(), blocks }
}

/** Cuts at these places, sorted. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

test('the empty file is the empty raw block', () => {
  const file = build([])
  assert.equal(file.cid.toString(), 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
  assert.deepEqual([file.sizeBytes, file.dagSizeBytes, file.blocks.size], [0, 0, 1])
})

test('a file of one leaf is that leaf', () => {
  const file = build([utf8ToBytes('hello')])
  assert.equal(file.cid.toString(), 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq')
})

for (const length of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5]) {
  test(`a file of ${length} bytes has the blocks that ipfs-unixfs-importer makes`, async () => {
    const content = noise(length)
    const theirs = await importFiles([{ content }])
    const ours = build([content])
    assert.equal(ours.cid.toString(), theirs.cid.toString())
    assert.deepEqual(ours.blocks, theirs.blocks)
    assert.equal(ours.sizeBytes, length)
    assert.equal(ours.dagSizeBytes, theirs.dagSizeBytes)
  })
}

/** Golden: ipfs-unixfs-importer 17.1.1, profile unixfs-v1-2025, files of zeros. */
for (const [sizeBytes, cid, dagSizeBytes] of [
  [1024 * CHUNK_BYTES, 'bafybeibqawkaltgjfdebq4no6nmfcvkcw7k52xqzclkwfmrkn6oxw7srmy', 1_073_793_035],
  [1024 * CHUNK_BYTES + 1, 'bafybeigx4uyebjbq65346xh6cjrt6yshbdudzudhnqecwbzvymslxj7gje', 1_073_793_198],
  [1025 * CHUNK_BYTES, 'bafybeigt7wofv4vnxbg3titijasuw4ptg5kfztec4smsk7opdt7z6djoxq', 1_074_841_783],
] as const) {
  test(`a file of ${sizeBytes} zeros has the root that ipfs-unixfs-importer gave it`, () => {
    const zeros = new Uint8Array(CHUNK_BYTES)
    const zerosDigest = nativeSha256(zeros)
    // The same chunk a thousand times over: hashed once.
    const builder = createFileBuilder({
      hash: (bytes) => (bytes.buffer === zeros.buffer && bytes.length === CHUNK_BYTES ? zerosDigest : nativeSha256(bytes)),
    })
    for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES) builder.push(zeros.subarray(0, Math.min(left, CHUNK_BYTES)))
    const file = builder.finish()
    assert.equal(file.cid.toString(), cid)
    assert.equal(file.sizeBytes, sizeBytes)
    assert.equal(file.dagSizeBytes, dagSizeBytes)
    assert.equal(fileDagSize(sizeBytes), dagSizeBytes)
  })
}

test('law: however a file is cut, its DAG is the same', () => {
  const content = noise(2 * CHUNK_BYTES + 100)
  const whole = build([content])
  fc.assert(
    fc.property(fc.array(fc.nat(content.length), { maxLength: 6 }), (places) => {
      const { cid, blocks } = build(cut(content, places))
      assert.equal(cid.toString(), whole.cid.toString())
      assert.deepEqual([...blocks.keys()], [...whole.blocks.keys()])
    }),
    { numRuns: 15 },
  )
})

test('what is pushed may be overwritten afterwards, unless it was a whole chunk', () => {
  const buffer = utf8ToBytes('hello')
  const { blocks, put } = createBlockMap()
  const builder = createFileBuilder({ onBlock: put })
  builder.push(buffer)
  buffer.fill(0)
  assert.deepEqual(blocks.get(builder.finish().cid.toString()), utf8ToBytes('hello'))
})

test('whole chunks are given out without a copy', () => {
  const content = new Uint8Array(2 * CHUNK_BYTES)
  const given: Uint8Array[] = []
  const builder = createFileBuilder({ hash: nativeSha256, onBlock: (cid, bytes) => cid.code === CODEC_RAW && given.push(bytes) })
  builder.push(content)
  builder.finish()
  assert.deepEqual(
    given.map((bytes) => [bytes.buffer === content.buffer, bytes.byteOffset]),
    [
      [true, 0],
      [true, CHUNK_BYTES],
    ],
  )
})

test('law: the size of a DAG follows from the size of the file', () => {
  const digest = new Uint8Array(32)
  const length = fc.oneof(
    fc.nat(40 * CHUNK_BYTES),
    fc.nat(40).map((chunks) => chunks * CHUNK_BYTES),
  )
  const zeros = new Uint8Array(CHUNK_BYTES)
  fc.assert(
    fc.property(length, (sizeBytes) => {
      const builder = createFileBuilder({ hash: () => digest })
      for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES) builder.push(zeros.subarray(0, Math.min(left, CHUNK_BYTES)))
      assert.equal(fileDagSize(sizeBytes), builder.finish().dagSizeBytes)
    }),
  )
})

test('a finished file takes no more bytes', () => {
  const builder = createFileBuilder()
  assert.equal(builder.finish().cid.toString(), cidOf(CODEC_RAW, new Uint8Array(0)).toString())
  assert.throws(() => builder.push(Uint8Array.of(1)), /finished/)
  assert.throws(() => builder.finish(), /finished/)
})

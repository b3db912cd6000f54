import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableFromIPC } from 'apache-arrow'
import { Problem } from '../../core/problem.ts'
import { loadEmbeddings, storeEmbeddings } from '../../verifier/embedding/artifact.ts'
import { testBlocks } from '../support/blocks.ts'

const MODEL = 'ab'.repeat(32)

/** Enough for several record batches. */
function sample(count: number, dimensions: number) {
  const valid = Uint8Array.from({ length: count }, (_, i) => (i % 7 === 3 ? 0 : 1))
  const vectors = Float32Array.from({ length: count * dimensions }, (_, i) => (valid[Math.floor(i / dimensions)] ? Math.fround(i / 7) : 0))
  return { model: MODEL, dimensions, vectors, valid }
}

test('embeddings that are stored come back, and have one address', async () => {
  await using blocks = await testBlocks()
  for (const count of [0, 1, 8, 4096, 9001]) {
    const embeddings = sample(count, 5)
    const cid = await storeEmbeddings(blocks, embeddings)
    assert.deepEqual(await loadEmbeddings(blocks, cid, { model: MODEL, dimensions: 5, count }), embeddings)
    assert.equal((await storeEmbeddings(blocks, sample(count, 5))).toString(), cid.toString())
  }
})

test('any Arrow reader can read them', async () => {
  await using blocks = await testBlocks()
  const embeddings = sample(10, 3)
  const table = tableFromIPC(await blocks.readAll(await storeEmbeddings(blocks, embeddings), 1_000_000))
  assert.equal(table.numRows, 10)
  assert.equal(table.schema.metadata.get('assay:model'), MODEL)
  assert.equal(table.get(3)?.['embedding'], null)
  assert.deepEqual([...table.get(4)!['embedding']], [...embeddings.vectors.subarray(12, 15)])
})

test('embeddings of another model, size or kind are refused', async () => {
  await using blocks = await testBlocks()
  const cid = await storeEmbeddings(blocks, sample(10, 3))
  const expected = { model: MODEL, dimensions: 3, count: 10 }
  const refused = (reason: RegExp) => (error: unknown) =>
    error instanceof Problem && error.code === 'invalid-file' && reason.test(error.detail)
  await assert.rejects(loadEmbeddings(blocks, cid, { ...expected, model: 'cd'.repeat(32) }), refused(/another model/))
  await assert.rejects(loadEmbeddings(blocks, cid, { ...expected, dimensions: 4 }), refused(/not one column of 4/))
  await assert.rejects(loadEmbeddings(blocks, cid, { ...expected, count: 9 }), refused(/more than 9/))
  await assert.rejects(loadEmbeddings(blocks, cid, { ...expected, count: 11 }), refused(/10 samples instead of 11/))
  const { cid: text } = await blocks.importBytes(new TextEncoder().encode('no Arrow file at all, by any means'))
  await assert.rejects(loadEmbeddings(blocks, text, expected), refused(/does not end with "ARROW1"/))
})

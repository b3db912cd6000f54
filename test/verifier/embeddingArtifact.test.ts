import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableFromIPC } from 'apache-arrow'
import { Problem } from '../../core/problem.ts'
import { createVectors, loadVectors, storeVectors } from '../../verifier/embedding/artifact.ts'
import { testBlocks } from '../support/blocks.ts'

const MODEL = 'ab'.repeat(32)
const COLUMNS = [
  { name: 'embedding', dimensions: 5 },
  { name: 'block-3', dimensions: 2 },
]

function sample(count: number, columns = COLUMNS) {
  const vectors = createVectors(count, columns)
  for (let row = 0; row < count; row++) {
    if (row % 7 === 3) continue
    vectors.valid[row] = 1
    for (const { dimensions, values } of vectors.columns)
      for (let i = row * dimensions; i < (row + 1) * dimensions; i++) values[i] = Math.sin(i) / 7
  }
  return vectors
}

test('vectors that are stored come back, and have one address', async () => {
  await using blocks = await testBlocks()
  for (const count of [0, 1, 8, 9001]) {
    const vectors = sample(count)
    const cid = await storeVectors(blocks, MODEL, vectors)
    assert.deepEqual(await loadVectors(blocks, cid, { model: MODEL, columns: COLUMNS, count }), vectors)
    assert.equal((await storeVectors(blocks, MODEL, sample(count))).toString(), cid.toString())
  }
})

test('any Arrow reader can read them', async () => {
  await using blocks = await testBlocks()
  const vectors = sample(10)
  const table = tableFromIPC(await blocks.readAll(await storeVectors(blocks, MODEL, vectors), 1_000_000))
  assert.equal(table.numRows, 10)
  assert.equal(table.schema.metadata.get('assay:model'), MODEL)
  assert.equal(table.get(3)?.['embedding'], null)
  assert.deepEqual(Float16Array.from(table.get(4)!['block-3'] as Iterable<number>), vectors.columns[1]!.values.slice(8, 10))
})

test('vectors of another model, size or shape are refused', async () => {
  await using blocks = await testBlocks()
  const cid = await storeVectors(blocks, MODEL, sample(10))
  const expected = { model: MODEL, columns: COLUMNS, count: 10 }
  const refused = (reason: RegExp) => (error: unknown) =>
    error instanceof Problem && error.code === 'invalid-file' && reason.test(error.detail)
  await assert.rejects(loadVectors(blocks, cid, { ...expected, model: 'cd'.repeat(32) }), refused(/another model/))
  await assert.rejects(
    loadVectors(blocks, cid, { ...expected, columns: COLUMNS.slice(0, 1) }),
    refused(/expected "embedding" of 5 float16/),
  )
  await assert.rejects(loadVectors(blocks, cid, { ...expected, count: 9 }), refused(/10 samples in 1 batches instead of 9/))
  await assert.rejects(loadVectors(blocks, cid, { ...expected, count: 11 }), refused(/10 samples in 1 batches instead of 11/))
  const { cid: text } = await blocks.importBytes(new TextEncoder().encode('no Arrow file at all, by any means'))
  await assert.rejects(loadVectors(blocks, text, expected), refused(/does not end with "ARROW1"/))
})

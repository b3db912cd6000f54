/** Vectors that are read some rows at a time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { selectVectors, takeVectors, vectorBlocks, vectorsInMemory } from '../../verifier/vectors.ts'

const DIMENSIONS = 3

/** Row `n` is n, n + ½, n + ¼. */
function source(count: number) {
  return vectorsInMemory(
    Float32Array.from({ length: count * DIMENSIONS }, (_, i) => Math.floor(i / DIMENSIONS) + [0, 0.5, 0.25][i % DIMENSIONS]!),
    DIMENSIONS,
  )
}

const rowsOf = (values: Float32Array) => [...values].filter((_, i) => i % DIMENSIONS === 0)

test('law: rows come as they are asked for, in whatever order and however far apart', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9999), { maxLength: 60 }), async (rows) => {
      assert.deepEqual(rowsOf(await takeVectors(source(10_000), rows)), rows)
    }),
  )
})

test('law: a selection is a source of its own, whatever is read of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(300), { minLength: 1 }), fc.nat(), fc.nat(), async (chosen, a, b) => {
      const rows = Int32Array.from(chosen).sort()
      const selected = selectVectors(source(301), rows)
      const first = a % rows.length
      const count = 1 + (b % (rows.length - first))
      assert.deepEqual(rowsOf(await selected.read(first, count)), [...rows.subarray(first, first + count)])
    }),
  )
})

test('blocks cover all rows once, in order, and none where there are none', async () => {
  const blocks = await Array.fromAsync(vectorBlocks(source(10), 4))
  assert.deepEqual(
    blocks.map(({ first, count }) => [first, count]),
    [
      [0, 4],
      [4, 4],
      [8, 2],
    ],
  )
  assert.deepEqual(
    blocks.flatMap(({ values }) => rowsOf(values)),
    Array.from({ length: 10 }, (_, row) => row),
  )
  assert.deepEqual(await Array.fromAsync(vectorBlocks(source(0))), [])
})

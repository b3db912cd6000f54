import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { bitmapFromBytes, createBitmap } from '../../core/bitmap.ts'
import { Problem } from '../../core/problem.ts'

/** Sizes across several blocks of the directory, and sparse and dense sets within them. */
const anySet = fc
  .record({ size: fc.integer({ min: 0, max: 10_000 }), picks: fc.array(fc.nat(), { maxLength: 200 }), invert: fc.boolean() })
  .map(({ size, picks, invert }) => {
    const picked = new Set(size === 0 ? [] : picks.map((pick) => pick % size))
    return { size, members: Array.from({ length: size }, (_, i) => i).filter((i) => picked.has(i) !== invert) }
  })

function bitmapOf(size: number, members: readonly number[]) {
  const bitmap = createBitmap(size)
  for (const member of members) bitmap.set(member)
  return bitmap
}

suite('bitmap', () => {
  test('law: a bitmap answers as the set that it holds', () => {
    fc.assert(
      fc.property(anySet, ({ size, members }) => {
        const bitmap = bitmapOf(size, members)
        assert.deepEqual([...bitmap], members)
        assert.equal(bitmap.count(), members.length)
        members.forEach((member, k) => assert.equal(bitmap.selectNth(k), member))
        for (let i = 0, below = 0; i <= size; i++) {
          assert.equal(bitmap.rank(i), below)
          if (i < size && bitmap.get(i)) below++
        }
        assert.throws(() => bitmap.selectNth(members.length), RangeError)
      }),
      { numRuns: 40 },
    )
  })

  test('law: a bitmap comes back from its bytes', () => {
    fc.assert(
      fc.property(anySet, ({ size, members }) => {
        assert.deepEqual([...bitmapFromBytes(bitmapOf(size, members).bytes, size)], members)
      }),
      { numRuns: 40 },
    )
  })

  test('counts follow a change', () => {
    const bitmap = bitmapOf(10, [1, 2, 9])
    assert.equal(bitmap.count(), 3)
    bitmap.set(2, false)
    assert.deepEqual([bitmap.count(), bitmap.selectNth(1)], [2, 9])
  })

  test('sample 0 is the least significant bit of the first byte', () => {
    assert.deepEqual(bitmapOf(9, [0, 8]).bytes, Uint8Array.of(1, 1))
  })

  test('foreign bytes of a wrong length, or with bits past the end, are refused', () => {
    for (const [bytes, size] of [
      [[0], 9],
      [[0, 0], 8],
      [[0, 2], 9],
      [[128], 7],
      [[0], 0],
    ] as const)
      assert.throws(
        () => bitmapFromBytes(Uint8Array.from(bytes), size),
        (error) => error instanceof Problem && error.code === 'invalid-document',
      )
  })

  test('an index outside is an error, not a silent false', () => {
    const bitmap = createBitmap(8)
    for (const index of [-1, 8, 1.5, NaN]) {
      assert.throws(() => bitmap.get(index), RangeError)
      assert.throws(() => bitmap.set(index), RangeError)
    }
    assert.throws(() => bitmap.rank(9), RangeError)
  })
})

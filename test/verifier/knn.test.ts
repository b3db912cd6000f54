import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nearestNeighbours } from '../../verifier/knn.ts'

/** Unit vectors that look random, from a seed. */
function unitVectors(count: number, dimensions: number, seed: number): Float32Array {
  const vectors = new Float32Array(count * dimensions)
  let state = seed >>> 0
  for (let row = 0; row < count; row++) {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions)
    for (let d = 0; d < dimensions; d++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      vector[d] = state / 2 ** 31 - 1
    }
    const norm = Math.hypot(...vector)
    for (let d = 0; d < dimensions; d++) vector[d]! /= norm
  }
  return vectors
}

function dot(vectors: Float32Array, dimensions: number, a: number, b: number): number {
  let sum = 0
  for (let d = 0; d < dimensions; d++) sum += vectors[a * dimensions + d]! * vectors[b * dimensions + d]!
  return sum
}

const all = (count: number) => new Uint8Array(count).fill(1)

test('law: neighbours are those of brute force, nearest first, ties to the lower number', async () => {
  const shape = fc.record({
    count: fc.integer({ min: 0, max: 60 }),
    dimensions: fc.integer({ min: 1, max: 9 }),
    k: fc.integer({ min: 1, max: 12 }),
    seed: fc.nat(),
    copies: fc.array(fc.tuple(fc.nat(59), fc.nat(59)), { maxLength: 20 }),
    missing: fc.array(fc.nat(59), { maxLength: 10 }),
  })
  await fc.assert(
    fc.asyncProperty(shape, async ({ count, dimensions, k, seed, copies, missing }) => {
      const vectors = unitVectors(count, dimensions, seed)
      const valid = all(count)
      for (const [from, to] of copies)
        if (from < count && to < count) vectors.copyWithin(to * dimensions, from * dimensions, (from + 1) * dimensions)
      for (const row of missing)
        if (row < count) {
          valid[row] = 0
          vectors.fill(0, row * dimensions, (row + 1) * dimensions)
        }
      const found = await nearestNeighbours({ dimensions, vectors, valid, k, threads: 1 })
      for (let row = 0; row < count; row++) {
        const others = [...valid.keys()].filter((other) => other !== row && valid[other] && valid[row])
        const best = others.map((other) => dot(vectors, dimensions, row, other)).sort((a, b) => b - a)
        for (let i = 0; i < k; i++) {
          const sample = found.samples[row * k + i]!
          const similarity = found.similarities[row * k + i]!
          if (i >= others.length) {
            assert.equal(sample, -1)
            continue
          }
          assert.ok(others.includes(sample))
          assert.ok(Math.abs(similarity - best[i]!) < 1e-6, 'the i-th best similarity')
          assert.ok(Math.abs(similarity - dot(vectors, dimensions, row, sample)) < 1e-6, 'the similarity of this sample')
          if (i === 0) continue
          const previous = found.similarities[row * k + i - 1]!
          assert.ok(previous > similarity || (previous === similarity && found.samples[row * k + i - 1]! < sample))
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('neighbours are found across the blocks of the search, and the same each time', async () => {
  const count = 4096 + 300
  const dimensions = 16
  const vectors = unitVectors(count, dimensions, 7)
  // Equal rows in different blocks: each has the others first, lowest first.
  const equal = [3, 255, 256, 4095, 4096, count - 1]
  for (const row of equal.slice(1)) vectors.copyWithin(row * dimensions, 3 * dimensions, 4 * dimensions)
  const first = await nearestNeighbours({ dimensions, vectors, valid: all(count), k: 8, threads: 2 })
  for (const row of equal)
    assert.deepEqual(
      [...first.samples.subarray(row * 8, row * 8 + 5)],
      equal.filter((other) => other !== row),
    )
  for (const row of [0, 1000, 4096]) {
    const others = Array.from({ length: count }, (_, other) => other).filter((other) => other !== row)
    const best = others.toSorted((a, b) => dot(vectors, dimensions, row, b) - dot(vectors, dimensions, row, a)).slice(0, 8)
    assert.deepEqual([...first.samples.subarray(row * 8, row * 8 + 8)], best)
  }
  const again = await nearestNeighbours({ dimensions, vectors, valid: all(count), k: 8, threads: 1 })
  assert.deepEqual(again, first)
})

test('a search that is aborted ends with the reason', async () => {
  const abort = new AbortController()
  const stop = new Error('stop')
  const search = nearestNeighbours({
    dimensions: 4,
    vectors: unitVectors(2000, 4, 1),
    valid: all(2000),
    k: 3,
    signal: abort.signal,
    onProgress: () => abort.abort(stop),
  })
  await assert.rejects(search, stop)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCid } from '../../core/cid.ts'
import type { ModelReference, Tolerance } from '../../core/documents/recipe.ts'
import { atHalfPrecision, compareVectors, type VectorSet } from '../../verifier/numerics/differences.ts'
import { similarityToleranceMillionths, toleranceFrom } from '../../verifier/numerics/tolerance.ts'
import { numbersFrom } from './sentences.ts'

const MODEL = parseCid('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')

function unitRows(count: number, dimensions: number, seed: number): VectorSet {
  const random = numbersFrom(seed)
  const vectors = Float32Array.from({ length: count * dimensions }, () => random() - 0.5)
  for (let row = 0; row < count; row++) {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions)
    const norm = Math.hypot(...vector)
    for (let d = 0; d < dimensions; d++) vector[d]! /= norm
  }
  return { dimensions, vectors }
}

test('a set does not differ from itself', () => {
  const set = unitRows(50, 16, 1)
  const { rows, pairs, identicalRows, component, cosineDistance, similarity, fingerprints } = compareVectors(set, set)
  assert.deepEqual([rows, pairs, identicalRows], [50, 50 * 8, 50])
  assert.deepEqual([component.greatest, cosineDistance.greatest, similarity.greatest], [0, 0, 0])
  assert.deepEqual(fingerprints, [0, 0, 0, 0, 0, 0, 0, 0, 50])
})

test('one row that differs is the greatest difference, and no quantile hides it in a small set', () => {
  const set = unitRows(50, 16, 2)
  const other = { dimensions: 16, vectors: set.vectors.slice() }
  // A turn by 0.01 in the plane of the first two components.
  const [x, y] = [set.vectors[0]!, set.vectors[1]!]
  const length = Math.hypot(x, y)
  const angle = Math.atan2(y, x) + 0.01 / length
  other.vectors[0] = length * Math.cos(angle)
  other.vectors[1] = length * Math.sin(angle)
  const { identicalRows, cosineDistance, similarity } = compareVectors(set, other)
  assert.equal(identicalRows, 49)
  assert.equal(cosineDistance.median, 0)
  assert.ok(Math.abs(cosineDistance.q9999 - 0.00005) < 0.000002, `${cosineDistance.q9999}`)
  assert.ok(similarity.greatest > 0 && similarity.greatest <= 0.0101)
})

test('half precision moves no similarity by more than a few hundred-thousandths', () => {
  const set = unitRows(200, 384, 3)
  const { cosineDistance, similarity, fingerprints } = compareVectors(set, atHalfPrecision(set))
  assert.ok(cosineDistance.greatest < 1e-6 && similarity.greatest < 1e-4)
  assert.ok(fingerprints.slice(0, 6).every((rows) => rows === 0))
})

test('sets of different shapes are not compared', () => {
  assert.throws(() => compareVectors(unitRows(2, 16, 1), unitRows(3, 16, 1)), RangeError)
})

test('a tolerance is four times the quantile; a similarity may be off on both sides', () => {
  const quantiles = (q9999: number) => ({ median: 0, q9999, greatest: 1 })
  const tolerance: Tolerance = toleranceFrom(
    { model: MODEL, device: 'webgpu', mode: 'fp32' },
    { cosineDistance: quantiles(1e-9), similarity: quantiles(2.5e-6), fingerprints: [0, 0, 0, 0, 0, 0, 0, 3, 97] },
  )
  assert.deepEqual(tolerance, {
    model: MODEL,
    device: 'webgpu',
    mode: 'fp32',
    cosineDistanceBillionths: 4,
    similarityBillionths: 10_000,
    fingerprintComponents: 6,
  })
  const models = [{ model: MODEL, mode: 'fp32' } as ModelReference]
  assert.equal(similarityToleranceMillionths({ models, tolerances: [tolerance] }), 20)
  assert.equal(similarityToleranceMillionths({ models, tolerances: [] }), 0)
  assert.equal(similarityToleranceMillionths({ models: [], tolerances: [tolerance] }), 0)
})

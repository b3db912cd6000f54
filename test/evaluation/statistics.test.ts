import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { solveSymmetric } from '../../verifier/evaluation/statistics/cholesky.ts'
import { mean, meanInterval, quantile } from '../../verifier/evaluation/statistics/moments.ts'
import { createRandom } from '../../verifier/random.ts'
import { confusion, f1, hitsAtK } from '../../verifier/evaluation/statistics/retrieval.ts'
import { auroc, thresholdAtRate, truePositiveRate } from '../../verifier/evaluation/statistics/roc.ts'
import { wilson } from '../../verifier/evaluation/statistics/wilson.ts'

const scores = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 40 })

test('Wilson’s interval is that of his paper’s formula: 10 of 10 are at least 72 %', () => {
  const { low, high } = wilson(10, 10)
  assert.equal(low.toFixed(4), '0.7225')
  assert.equal(high, 1)
  assert.deepEqual(wilson(0, 0), { low: 0, high: 1 })
})

test('law: Wilson’s interval holds the share that was seen and stays within 0 and 1', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, share) => {
      const successes = Math.round(share * trials)
      const { low, high } = wilson(successes, trials)
      assert.ok(low >= 0 && low <= successes / trials && successes / trials <= high && high <= 1)
    }),
  )
})

test('law: the area under the ROC curve is the share of pairs in the right order, ties counting one half', () => {
  fc.assert(
    fc.property(scores, scores, (positives, negatives) => {
      const wins = positives.flatMap((a) => negatives.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)))
      const area = auroc(positives, negatives)!
      assert.ok(Math.abs(area.value - mean(wins)) < 1e-12)
      assert.ok(area.low <= area.value && area.value <= area.high)
    }),
  )
})

test('law: no more negatives than allowed reach the threshold, and the next lower score would let too many in', () => {
  fc.assert(
    fc.property(scores, fc.double({ min: 0, max: 0.5, noNaN: true }), (negatives, rate) => {
      const threshold = thresholdAtRate(negatives, rate)
      const allowed = Math.floor(rate * negatives.length + 1e-9)
      assert.ok(negatives.filter((score) => score >= threshold).length <= allowed)
      const next = Math.max(...negatives.filter((score) => score < threshold))
      assert.ok(negatives.filter((score) => score >= next).length > allowed)
    }),
  )
})

test('the true positive rate is taken at a threshold that the negatives set', () => {
  const negatives = Array.from({ length: 100 }, (_, i) => i)
  assert.equal(truePositiveRate([98, 99, 100, 101], negatives, 0.01)?.value, 0.75)
  assert.equal(truePositiveRate([98, 99, 100, 101], negatives, 0)?.value, 0.5)
  assert.equal(truePositiveRate([], negatives, 0.01), null)
})

test('F1 counts what was found, missed and wrongly found; rows that do not count are left out', () => {
  const counts = confusion([1, 1, 0, 0, 1], [1, 0, 1, 0, 1], (row) => row < 4)
  assert.deepEqual(counts, { truePositives: 1, falsePositives: 1, falseNegatives: 1, trueNegatives: 1 })
  assert.equal(f1(counts), 0.5)
  assert.equal(f1(confusion([0], [0])), null)
})

test('hits are counted among the rows of highest score', () => {
  assert.deepEqual(hitsAtK([5, 1, 9, 5], [true, true, false, false], 2), { hits: 1, of: 2 })
  assert.deepEqual(hitsAtK([5], [true], 100), { hits: 1, of: 1 })
})

test('quantiles interpolate between order statistics', () => {
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5)
  assert.equal(quantile([7], 0.9), 7)
  assert.ok(Number.isNaN(quantile([], 0.5)))
  const { value, low, high } = meanInterval([1, 2, 3])
  assert.ok(low < value && value === 2 && value < high)
})

test('law: drawn numbers are different, below the bound, and the same for the same name', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(200), fc.integer({ min: 1, max: 200 }), (name, count, bound) => {
      const drawn = createRandom(name).choose(count, bound)
      assert.equal(drawn.length, Math.min(count, bound))
      assert.equal(new Set(drawn).size, drawn.length)
      assert.ok(drawn.every((number) => number >= 0 && number < bound))
      assert.deepEqual(createRandom(name).choose(count, bound), drawn)
    }),
  )
})

test('drawn numbers fall evenly', () => {
  const random = createRandom('even')
  const counts = new Uint32Array(10)
  for (let i = 0; i < 10_000; i++) counts[random.below(10)]!++
  assert.ok(
    counts.every((count) => Math.abs(count - 1000) < 150),
    String(counts),
  )
})

test('law: what solves a system gives its right side back', () => {
  const matrices = fc.integer({ min: 1, max: 6 }).chain((n) =>
    fc.record({
      roots: fc.array(fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: n, maxLength: n }), {
        minLength: n,
        maxLength: n,
      }),
      right: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: n, maxLength: n }),
    }),
  )
  fc.assert(
    fc.property(matrices, ({ roots, right }) => {
      const n = right.length
      const at = (i: number, j: number) => mean(roots.map((row) => row[i]! * row[j]! * n)) + (i === j ? 1 : 0)
      const x = solveSymmetric(
        Float64Array.from({ length: n * n }, (_, k) => at(Math.floor(k / n), k % n)),
        Float64Array.from(right),
      )
      for (let i = 0; i < n; i++) assert.ok(Math.abs(x.reduce((sum, value, j) => sum + at(i, j) * value, 0) - right[i]!) < 1e-9)
    }),
  )
  assert.throws(() => solveSymmetric(Float64Array.of(-1), Float64Array.of(1)), RangeError)
})

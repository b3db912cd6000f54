import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { missProbability, sampleRows } from '../../core/rowSample.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('law: a sample is distinct rows in rising order, as many as asked for or all', () => {
  fc.assert(
    fc.property(bytes32, bytes32, fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 400 }), (beacon, root, rowCount, count) => {
      const rows = sampleRows({ beacon, root, rowCount, count })
      assert.equal(rows.length, Math.min(rowCount, count))
      for (const [i, row] of rows.entries()) assert.ok(row >= 0 && row < rowCount && (i === 0 || rows[i - 1]! < row))
      assert.deepEqual(sampleRows({ beacon, root, rowCount, count }), rows)
    }),
    { numRuns: 60 },
  )
})

test('law: another beacon or another root chooses other rows', () => {
  fc.assert(
    fc.property(bytes32, bytes32, bytes32, (beacon, root, other) => {
      const options = { beacon, root, rowCount: 1_000_000, count: 20 }
      fc.pre(!other.every((byte, i) => byte === beacon[i]) && !other.every((byte, i) => byte === root[i]))
      assert.notDeepEqual(sampleRows({ ...options, beacon: other }), sampleRows(options))
      assert.notDeepEqual(sampleRows({ ...options, root: other }), sampleRows(options))
    }),
    { numRuns: 30 },
  )
})

test('the rows are those of the construction in the header', () => {
  const beacon = new Uint8Array(32).fill(1)
  const root = new Uint8Array(32).fill(2)
  const seed = createHash('sha256').update(beacon).update(root).digest()
  const first = createHash('sha256').update(seed).update(Buffer.alloc(8)).digest()
  // 2⁶⁴ is a multiple of 2²⁰: no number is passed over.
  const expected = [0, 8, 16, 24].map((at) => Number(first.readBigUInt64BE(at) % 2n ** 20n)).sort((a, b) => a - b)
  assert.deepEqual(sampleRows({ beacon, root, rowCount: 2 ** 20, count: 4 }), expected)
})

test('every row is as likely as every other', () => {
  const hits = Array.from({ length: 50 }, () => 0)
  for (let i = 0; i < 4000; i++) {
    const beacon = createHash('sha256').update(String(i)).digest()
    for (const row of sampleRows({ beacon, root: new Uint8Array(32), rowCount: 50, count: 5 })) hits[row]!++
  }
  // 400 expected, standard deviation 19: a chi-square of 49 degrees passes 100 once in 10⁵ trials.
  const chiSquare = hits.reduce((sum, hit) => sum + ((hit - 400) ** 2 / 400) * (50 / 45), 0)
  assert.ok(chiSquare < 100, `${chiSquare}`)
})

test('299 rows miss one in a hundred once in twenty times, 2,995 one in a thousand', () => {
  assert.ok(missProbability(0.01, 299) <= 0.05 && missProbability(0.01, 298) > 0.05)
  assert.ok(missProbability(0.001, 2995) <= 0.05 && missProbability(0.001, 2994) > 0.05)
})

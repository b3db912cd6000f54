import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { createInverseOrder, createOrder, MAX_ORDER_SIZE, type OrderKey } from '../../core/order.ts'
import { Problem } from '../../core/problem.ts'
import vectors from './vectors/order.json' with { type: 'json' }

const anyKey = (maxSize: number): fc.Arbitrary<OrderKey> =>
  fc.record({ seed: fc.string({ unit: 'grapheme', maxLength: 20 }), epoch: fc.nat(), size: fc.integer({ min: 1, max: maxSize }) })

function permutation(key: OrderKey): number[] {
  return Array.from({ length: key.size }, (_, position) => position).map(createOrder(key))
}

suite('order', () => {
  test('law: it is a bijection for every size', () => {
    for (let size = 0; size <= 300; size++)
      assert.deepEqual(
        permutation({ seed: 'a', epoch: 0, size }).toSorted((a, b) => a - b),
        Array.from({ length: size }, (_, i) => i),
      )
    fc.assert(
      fc.property(anyKey(3000), (key) => {
        assert.equal(new Set(permutation(key)).size, key.size)
      }),
      { numRuns: 20 },
    )
  })

  test('law: the inverse undoes it, up to the largest size', () => {
    const anyLargeKey = anyKey(1).chain((key) =>
      fc.maxSafeInteger().map((size) => ({ ...key, size: 1 + (Math.abs(size) % MAX_ORDER_SIZE) })),
    )
    fc.assert(
      fc.property(anyLargeKey, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (key, share) => {
        const position = Math.floor(share * key.size)
        const rank = createOrder(key)(position)
        assert.ok(rank >= 0 && rank < key.size)
        assert.equal(createInverseOrder(key)(rank), position)
      }),
    )
  })

  test('another seed, epoch or size is another order', () => {
    const key = { seed: '7', epoch: 0, size: 1000 }
    const orders = [key, { ...key, seed: '8' }, { ...key, epoch: 1 }, { ...key, seed: '70' }].map((each) => permutation(each).join())
    assert.equal(new Set(orders).size, 4)
    assert.notDeepEqual(permutation({ ...key, size: 1001 }).slice(0, 20), permutation(key).slice(0, 20))
  })

  test('every arrangement of four samples comes about as often as another', () => {
    const seeds = 4800
    const counts = new Map<string, number>()
    for (let seed = 0; seed < seeds; seed++) {
      const arrangement = permutation({ seed: String(seed), epoch: 0, size: 4 }).join()
      counts.set(arrangement, (counts.get(arrangement) ?? 0) + 1)
    }
    const expected = seeds / 24
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    assert.equal(counts.size, 24)
    // 23 degrees of freedom: a fair shuffle passes 58 once in 10,000; the seeds are fixed, so this run is always the same.
    assert.ok(chiSquare < 58, `chi-square ${chiSquare}`)
  })

  test('a sample falls on every tenth of the epoch alike, and neighbours part', () => {
    const size = 1000
    const tenths = Array.from({ length: 10 }, () => 0)
    let neighbours = 0
    for (let epoch = 0; epoch < 20; epoch++) {
      const ranks = permutation({ seed: 'x', epoch, size })
      ranks.slice(0, 100).forEach((rank) => tenths[Math.floor(rank / 100)]!++)
      neighbours += ranks.filter((rank, i) => i > 0 && Math.abs(rank - ranks[i - 1]!) === 1).length
    }
    // 200 expected in each tenth (standard deviation about 13), about 40 pairs of neighbours.
    for (const count of tenths) assert.ok(Math.abs(count - 200) < 55, `tenths ${tenths.join(' ')}`)
    assert.ok(neighbours > 10 && neighbours < 80, `${neighbours} neighbours`)
  })

  test('keys and positions out of range are refused', () => {
    const isProblem = (error: unknown) => error instanceof Problem && error.code === 'invalid-request'
    assert.throws(() => createOrder({ seed: '\ud800', epoch: 0, size: 1 }), isProblem)
    assert.throws(() => createOrder({ seed: '', epoch: -1, size: 1 }), isProblem)
    assert.throws(() => createOrder({ seed: '', epoch: 0, size: MAX_ORDER_SIZE + 1 }), isProblem)
    assert.throws(() => createOrder({ seed: '', epoch: 0, size: 1.5 }), isProblem)
    const order = createOrder({ seed: '', epoch: 0, size: 5 })
    for (const position of [-1, 5, 0.5, NaN]) assert.throws(() => order(position), RangeError)
  })

  test('the published vectors hold', () => {
    for (const { seed, epoch, size, positions, ranks } of vectors) {
      const order = createOrder({ seed, epoch, size })
      assert.deepEqual(positions.map(order), ranks, JSON.stringify({ seed, epoch, size }))
    }
  })
})

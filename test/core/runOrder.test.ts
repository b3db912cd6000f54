import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { createBitmap } from '../../core/bitmap.ts'
import { createInverseOrder, createOrder } from '../../core/order.ts'
import { Problem } from '../../core/problem.ts'
import {
  formatCursor,
  locate,
  parseCursor,
  type Place,
  positionAt,
  positionOf,
  type RunPlan,
  sampleAt,
  shardLength,
  stepOf,
  stepsOf,
  stepsPerEpoch,
} from '../../core/runOrder.ts'

const anyRun = fc.record({
  selectedCount: fc.integer({ min: 0, max: 60 }),
  plan: fc.record({
    epochs: fc.integer({ min: 1, max: 3 }),
    shards: fc.integer({ min: 1, max: 9 }),
    batchSize: fc.integer({ min: 1, max: 9 }),
    steps: fc.constant(null),
  }),
})

/** What the workers do, played through: each takes its batch of every step, and each epoch is read to its end. */
function play(plan: RunPlan, selectedCount: number): (Place & { step: number; row: number })[] {
  const read: (Place & { step: number; row: number })[] = []
  let step = 0
  for (let epoch = 0; epoch < plan.epochs; epoch++) {
    const shards = Array.from({ length: plan.shards }, (_, shard) => {
      const positions: number[] = []
      for (let position = shard; position < selectedCount; position += plan.shards) positions.push(position)
      return positions
    })
    for (; shards.some((positions) => positions.length > 0); step++)
      shards.forEach((positions, shard) => {
        positions
          .splice(0, plan.batchSize)
          .forEach((position, i) => read.push({ epoch, shard, position, step, row: shard * plan.batchSize + i }))
      })
  }
  return read
}

suite('order of a run', () => {
  test('law: the shards of every epoch are disjoint and cover all positions', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 40 }), (selectedCount, shards) => {
        const positions = Array.from({ length: shards }, (_, shard) =>
          Array.from({ length: shardLength(selectedCount, shards, shard) }, (_, offset) => positionAt(shards, shard, offset)),
        ).flat()
        assert.deepEqual(
          positions.toSorted((a, b) => a - b),
          Array.from({ length: selectedCount }, (_, i) => i),
        )
      }),
    )
  })

  test('law: every row that a run reads is located where its worker reads it, and no other row is', () => {
    fc.assert(
      fc.property(anyRun, ({ plan, selectedCount }) => {
        const read = play(plan, selectedCount)
        const steps = plan.epochs * stepsPerEpoch(plan, selectedCount)
        assert.equal(stepsOf(plan, selectedCount), steps)
        const located = Array.from({ length: steps + 1 }, (_, step) =>
          Array.from({ length: plan.shards * plan.batchSize + 1 }, (_, row) => {
            const place = locate(plan, selectedCount, step, row)
            return place === null ? [] : [{ ...place, step, row }]
          }),
        ).flat(2)
        assert.deepEqual(located, read)
      }),
    )
  })

  test('law: from a position to its step is the way back', () => {
    fc.assert(
      fc.property(anyRun, fc.nat(20), ({ plan, selectedCount }, steps) => {
        for (const cut of [plan, { ...plan, steps }])
          for (const { epoch, position, step, row } of play(plan, selectedCount))
            assert.deepEqual(stepOf(cut, selectedCount, epoch, position), cut.steps !== null && step >= cut.steps ? null : { step, row })
      }),
      { numRuns: 50 },
    )
  })

  test('a run that stopped has no rows after its last step', () => {
    const plan: RunPlan = { epochs: 2, shards: 2, batchSize: 3, steps: 3 }
    assert.deepEqual(locate(plan, 10, 2, 0), { epoch: 1, shard: 0, position: 0 })
    assert.equal(locate(plan, 10, 3, 0), null)
    assert.equal(stepsOf({ ...plan, steps: 99 }, 10), 4)
  })

  test('rows and steps that are no whole numbers from 0 are nowhere', () => {
    const plan: RunPlan = { epochs: 1, shards: 1, batchSize: 2, steps: null }
    for (const [step, row] of [
      [-1, 0],
      [0, -1],
      [0.5, 0],
      [0, NaN],
    ] as const)
      assert.equal(locate(plan, 10, step, row), null)
    assert.equal(stepOf(plan, 10, 1, 0), null)
    assert.equal(stepOf(plan, 10, 0, 10), null)
  })

  test('law: an epoch reads each selected sample once, and each sample finds its position', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(400)), fc.nat(), (selected, epoch) => {
        const bitmap = createBitmap(401)
        for (const sample of selected) bitmap.set(sample)
        const key = { seed: 's', epoch, size: selected.length }
        const order = createOrder(key)
        const samples = selected.map((_, position) => sampleAt(bitmap, order, position))
        assert.deepEqual(new Set(samples), new Set(selected))
        samples.forEach((sample, position) => assert.equal(positionOf(bitmap, createInverseOrder(key), sample), position))
        assert.equal(selected.includes(400) || positionOf(bitmap, order, 400) === null, true)
      }),
      { numRuns: 30 },
    )
  })

  test('law: a cursor comes back from its text, and other text is refused', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (epoch, offset) => {
        assert.deepEqual(parseCursor(formatCursor({ epoch, offset })), { epoch, offset })
      }),
    )
    for (const text of ['', '1', '1.', '.1', '01.0', '1.0.0', '-1.0', '1e3.0', ' 1.0', '1.9999999999999999'])
      assert.throws(
        () => parseCursor(text),
        (error) => error instanceof Problem && error.code === 'invalid-request',
        text,
      )
  })
})

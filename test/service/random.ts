/** Numbers that look random and follow from a seed, so that what a test drew can be drawn again. */
import { randomInt } from 'node:crypto'

/** ASSAY_TEST_SEED, to repeat what another run did, or a fresh one. */
export function testSeed(): number {
  return Number(process.env['ASSAY_TEST_SEED'] ?? randomInt(2 ** 31))
}

export interface Random {
  /** In [0, 1). */
  next(): number
  /** From 0 to below `count`. */
  below(count: number): number
  pick<T>(items: readonly T[]): T
  /** True with this probability. */
  chance(probability: number): boolean
}

/** mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed | 0
  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number) => Math.floor(next() * count)
  return { next, below, pick: (items) => items[below(items.length)]!, chance: (probability) => next() < probability }
}

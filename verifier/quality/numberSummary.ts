/** What is kept of a column of numbers: range, whether it is every integer of its range once, and its mean by label. */
import { mix } from '../numeric.ts'

export interface Moments {
  count: number
  /** Of the values less the column's first. */
  sum: number
  squares: number
}

export interface NumberSummary {
  first: number
  minimum: number
  maximum: number
  count: number
  /** Whether all are integers that a double holds exactly. */
  integers: boolean
  /** Whether each is above the one before, or each below. */
  rising: boolean
  falling: boolean
  last: number
  /** Sum of the values' hashes modulo 2^48: two sets of numbers that share it are the same set. */
  hashSum: number
  /** By label, the first thousand. */
  byLabel: Map<string, Moments>
}

const MODULUS = 2 ** 48
const MOST_LABELS = 1000

export function createNumberSummary(): NumberSummary {
  return {
    first: 0,
    minimum: Infinity,
    maximum: -Infinity,
    count: 0,
    integers: true,
    rising: true,
    falling: true,
    last: 0,
    hashSum: 0,
    byLabel: new Map(),
  }
}

/** Counts a finite number. */
export function addNumber(summary: NumberSummary, value: number, label: string | null): void {
  if (summary.count === 0) summary.first = value
  else {
    summary.rising &&= value > summary.last
    summary.falling &&= value < summary.last
  }
  summary.last = value
  summary.count++
  summary.minimum = Math.min(summary.minimum, value)
  summary.maximum = Math.max(summary.maximum, value)
  summary.integers &&= Number.isSafeInteger(value)
  if (summary.integers) summary.hashSum = (summary.hashSum + hashOf(value)) % MODULUS
  if (label === null) return
  let moments = summary.byLabel.get(label)
  if (moments === undefined) {
    if (summary.byLabel.size >= MOST_LABELS) return
    summary.byLabel.set(label, (moments = { count: 0, sum: 0, squares: 0 }))
  }
  const shifted = value - summary.first
  moments.count++
  moments.sum += shifted
  moments.squares += shifted * shifted
}

/** Whether the values are all integers from the least to the greatest, each once, in whatever order. */
export function isSequence({ count, integers, minimum, maximum, hashSum }: NumberSummary): boolean {
  if (!integers || count < 2 || maximum - minimum + 1 !== count) return false
  let sum = 0
  for (let value = minimum; value <= maximum; value++) sum = (sum + hashOf(value)) % MODULUS
  return sum === hashSum
}

/** The share of the values' variance that lies between labels (η²), 0 … 1; null with fewer than two labels or without variance. */
export function varianceBetweenLabels({ byLabel }: NumberSummary): number | null {
  const groups = [...byLabel.values()]
  if (groups.length < 2) return null
  let [count, sum, squares, between] = [0, 0, 0, 0]
  for (const group of groups) {
    count += group.count
    sum += group.sum
    squares += group.squares
    between += (group.sum * group.sum) / group.count
  }
  const total = squares - (sum * sum) / count
  return total > 0 ? Math.min(1, Math.max(0, (between - (sum * sum) / count) / total)) : null
}

function hashOf(integer: number): number {
  const high = Math.floor(integer / 2 ** 32)
  return mix(mix(high) ^ (integer - high * 2 ** 32))
}

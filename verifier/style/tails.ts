/**
 * Sums over all samples that score at least so high, as functions of the score that no last digit makes jump: each sample is spread over the
 * two nearest points of a grid, and between points the sums are straight lines. What is learnt from them changes little where scores do.
 */

const LOWEST = -8
const POINTS = 513
const STEPS = 8

/** Sums at the points of the grid. */
export type Tail = Float64Array

/** Of samples with these scores the sum of `weight` over those above each point. */
export function tailOf(scores: Float64Array, weight: (place: number) => number): Tail {
  const tail = new Float64Array(POINTS)
  for (let place = 0; place < scores.length; place++) {
    const amount = weight(place)
    if (amount === 0) continue
    const { point, part } = locate(scores[place]!)
    tail[point]! += amount * (1 - part)
    tail[point + 1]! += amount * part
  }
  for (let point = POINTS - 2; point >= 0; point--) tail[point]! += tail[point + 1]!
  return tail
}

/** The value of a function on the grid at a score. */
export function valueAt(values: Tail, score: number): number {
  const { point, part } = locate(score)
  return (1 - part) * values[point]! + part * values[point + 1]!
}

/** The score of a point. */
export function scoreOf(point: number): number {
  return LOWEST + point / STEPS
}

/** 1 for a value of at most `low`, 0 for one of at least `high`, and a straight line between. */
export function ramp(value: number, low: number, high: number): number {
  return Math.min(1, Math.max(0, (high - value) / (high - low)))
}

function locate(score: number): { point: number; part: number } {
  const position = Math.min(POINTS - 1.001, Math.max(0, (score - LOWEST) * STEPS))
  const point = Math.floor(position)
  return { point, part: position - point }
}

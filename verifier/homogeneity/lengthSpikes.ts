/** Lengths that many more texts have than the lengths beside them: cut at a limit, or made by a template. */

export interface LengthSpike {
  /** In UTF-16 units. */
  length: number
  count: number
  /** What the lengths around it would have it. */
  expected: number
}

/** Short texts are alike by nature, long ones are counted together. */
const SHORTEST = 32
const LONGEST = 2 ** 17
const WINDOW = 16
const TIMES = 4
const DEVIATIONS = 6

/** Spikes of at least `least` texts, the highest first. `lengthOf` is −1 where there is no text. */
export function lengthSpikes(count: number, lengthOf: (sample: number) => number, least: number): LengthSpike[] {
  const histogram = new Uint32Array(LONGEST + 1)
  for (let sample = 0; sample < count; sample++) {
    const length = lengthOf(sample)
    if (length >= 0) histogram[Math.min(length, LONGEST)]!++
  }
  const spikes: LengthSpike[] = []
  for (let length = SHORTEST; length < LONGEST; length++) {
    const own = histogram[length]!
    if (own < least) continue
    let around = 0
    for (let near = length - WINDOW; near <= length + WINDOW; near++) if (near !== length) around += histogram[near] ?? 0
    const expected = around / (2 * WINDOW)
    if (own > TIMES * expected + DEVIATIONS * Math.sqrt(expected) + 1) spikes.push({ length, count: own, expected })
  }
  return spikes.sort((a, b) => b.count - a.count || a.length - b.length)
}

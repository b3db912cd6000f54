/** Some samples of a set, chosen and put in order by a hash. */
import { mix } from './numeric.ts'

/** The samples whose hash is lowest, about `wanted` of them, lowest first. */
export function earlySamples(count: number, seed: number, wanted: number): number[] {
  const limit = Math.min(1, wanted / Math.max(1, count)) * 2 ** 32
  const early: { sample: number; hash: number }[] = []
  for (let sample = 0; sample < count; sample++) {
    const hash = mix(sample ^ seed)
    if (hash < limit) early.push({ sample, hash })
  }
  return early.sort((a, b) => a.hash - b.hash || a.sample - b.sample).map(({ sample }) => sample)
}

/**
 * What would have been found: the least rate of labels put at random in place of right ones at which the estimated rate raises the alarm,
 * whichever of several draws it is. Measured with the models as they were fitted; only the rate is estimated anew.
 */
import type { Power } from '../../core/documents/report.ts'
import { mix } from '../numeric.ts'
import { chanceOfRate, noiseRateOf } from './noiseModel.ts'

export const REQUIRED_ATTACK = 'labels replaced at random by those of other classes'

export interface PowerOptions {
  /** Ascending. */
  ratesMillionths: readonly number[]
  seeds: number
  seed: number
  tolerated: number
  alpha: number
}

/** `classProbability(place, class)` is what the models say of a class, were no label wrong. */
export function measurePower(
  given: Float64Array,
  classes: Int32Array,
  classCount: number,
  classProbability: (place: number, label: number) => number,
  { ratesMillionths, seeds, seed, tolerated, alpha }: PowerOptions,
): Power {
  const isFound = (rateMillionths: number) => {
    for (let draw = 0; draw < seeds; draw++) {
      const limit = Math.floor((rateMillionths / 1_000_000) * 0x100000000)
      const changed = given.slice()
      for (let place = 0; place < changed.length; place++) {
        const random = mix(place ^ mix(seed ^ mix(draw + 1)))
        if (random >= limit) continue
        const other = mix(random ^ seed) % (classCount - 1)
        changed[place] = classProbability(place, other < classes[place]! ? other : other + 1)
      }
      if (chanceOfRate(changed, classCount, noiseRateOf(changed, classCount), tolerated) >= alpha) return false
    }
    return true
  }
  return { attack: REQUIRED_ATTACK, minimumRateMillionths: ratesMillionths.find(isFound) ?? null }
}

/**
 * Whether the samples that are written most alike have one label more often than their content explains. That a way of writing goes with
 * a label is natural ("how many …" asks for a number): the null hypothesis is that it multiplies the odds of the label by `factor`, and
 * what is natural in a data set is told by its other classes, which the same search was made for.
 */
import { ln } from '../numeric.ts'
import { logTail } from '../trigger/association.ts'
import type { Separation } from './separation.ts'
import { ramp, tailOf } from './tails.ts'

export interface ExcessOptions {
  /** The fewest samples that are looked at together, and how many times more each next time. */
  leastTail: number
  growth: number
  /** Share of them that has the label, at least. */
  purity: number
  /** Share of them, at least, whose label content does not account for: a little that is left unexplained of each of many adds up by itself. */
  unexplained: number
}

export interface Subject {
  separation: Pick<Separation, 'order' | 'scores'>
  isMember: Uint8Array
  probabilities: Float64Array
}

export interface Excess {
  /** Of the samples that score highest, so many are looked at, of which `members` have the label where their content suggests `expected`. */
  count: number
  members: number
  expected: number
  /** Of the members, so many at least (with 95 % confidence) have their label neither by content nor by what a factor explains. */
  unexplained: number
  /** Upper bound of the logarithm of the chance of so many, over all counts that were tried; at most 0. */
  logChance: number
}

/** Factors by which a way of writing may change the odds of a label. */
const FACTORS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]
/** Below this, what is seen is what a factor explains. */
const NATURAL_Z = 1
const FACTOR_OF_EVIDENCE = 3
/** Content is trusted no further than this when it speaks against a label, so that one sure text decides nothing. */
const LEAST_PROBABILITY = 0.02
/** Of the standard normal distribution, 95 % are below it. */
const ONE_SIDED_95 = 1.645

/** By what factor the way of writing changes the odds of this class: the least that explains what is seen. */
export function naturalFactor(subject: Subject, options: ExcessOptions): number {
  return FACTORS.find((factor) => deviation(subject, factor, options) < NATURAL_Z) ?? 2 * FACTORS.at(-1)!
}

/**
 * Half of the squared z at a factor that is rarely exceeded: what the class adds to the log-odds of each of its samples. The same as in the
 * tails by count, but along the score and by degrees, since scores of samples rest on it.
 */
export function classEvidence({ separation: { scores }, isMember, probabilities }: Subject, { leastTail, purity }: ExcessOptions): number {
  const chance = (place: number) => multiplied(probabilities[place]!, FACTOR_OF_EVIDENCE)
  const counts = tailOf(scores, () => 1)
  const members = tailOf(scores, (place) => isMember[place]!)
  const expected = tailOf(scores, chance)
  const variance = tailOf(scores, (place) => chance(place) * (1 - chance(place)))
  let largest = 0
  for (let point = 0; point < counts.length; point++) {
    const count = counts[point]!
    if (count <= 0 || 2 * count > scores.length) continue
    const z = (members[point]! - expected[point]!) / Math.sqrt(variance[point]! + 1)
    const impure = 1 - members[point]! / count
    largest = Math.max(largest, z * ramp(impure, 1 - purity, 1.25 * (1 - purity)) * ramp(-count, -leastTail, -leastTail / 2))
  }
  return (largest * largest) / 2
}

/** The strongest excess over what content and a factor explain; null where no tail is pure and unexplained enough. */
export function strongestExcess(subject: Subject, factor: number, options: ExcessOptions): Excess | null {
  const { separation, probabilities } = subject
  const pure = tailsOf(subject, options)
  let best: Excess | null = null
  const price = ln(Math.max(1, tailCounts(separation.order.length, options).length))
  for (const { count, members, expected } of pure) {
    if (members - expected < options.unexplained * count) continue
    const chances = Float64Array.from(separation.order.subarray(0, count), (place) => multiplied(probabilities[place]!, factor))
    const logChance = Math.min(0, logTail(chances, members) + price)
    if (best !== null && logChance >= best.logChance) continue
    let [mean, variance] = [0, 0]
    for (const chance of chances) {
      mean += chance
      variance += chance * (1 - chance)
    }
    const unexplained = Math.max(0, Math.floor(members - mean - ONE_SIDED_95 * Math.sqrt(variance)))
    best = { count, members, expected, unexplained, logChance }
  }
  return best
}

/** The largest z over all tails; −∞ where none is pure enough. */
function deviation(subject: Subject, factor: number, options: ExcessOptions): number {
  const { separation, isMember, probabilities } = subject
  let [largest, excess, variance, at] = [-Infinity, 0, 0, 0]
  for (const { count } of tailsOf(subject, options)) {
    for (; at < count; at++) {
      const place = separation.order[at]!
      const p = multiplied(probabilities[place]!, factor)
      excess += isMember[place]! - p
      variance += p * (1 - p)
    }
    largest = Math.max(largest, excess / Math.sqrt(variance + 1))
  }
  return largest
}

function tailsOf(
  { separation: { order }, isMember, probabilities }: Subject,
  options: ExcessOptions,
): Pick<Excess, 'count' | 'members' | 'expected'>[] {
  const tails: Pick<Excess, 'count' | 'members' | 'expected'>[] = []
  let [members, expected, at] = [0, 0, 0]
  for (const count of tailCounts(order.length, options)) {
    for (; at < count; at++) {
      members += isMember[order[at]!]!
      expected += probabilities[order[at]!]!
    }
    if (members >= options.purity * count) tails.push({ count, members, expected })
  }
  return tails
}

/** Up to half of all samples. */
function tailCounts(all: number, { leastTail, growth }: ExcessOptions): number[] {
  const counts: number[] = []
  for (let count = leastTail; 2 * count <= all; count = Math.floor(count * growth)) counts.push(count)
  return counts
}

/** What content gives to the label, at least LEAST_PROBABILITY, with odds multiplied by `factor`. */
function multiplied(chance: number, factor: number): number {
  const p = Math.max(LEAST_PROBABILITY, chance)
  return (factor * p) / (factor * p + 1 - p)
}

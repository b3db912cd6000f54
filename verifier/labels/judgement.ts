/** Which labels are wrong, given several views of the class: chances of each, the rate of them all, and what is confused with what. */
import type { LabelledSamples } from './labelledSamples.ts'
import { fitWeights, type NoiseRate, noiseRateOf, probabilities, thousandths, wrongOdds } from './noiseModel.ts'

export interface Judgement {
  noise: NoiseRate
  /** Probability of each given class, were no label wrong, by place. */
  given: Float64Array
  /** Log-odds in thousandths that each label is wrong. */
  scores: Int32Array
  /** The likeliest other class of each place. */
  suggested: Int32Array
  confusion: Confusion
  /** 1 for labels that no other class contradicts, 0 for those that one does with more than its usual confidence; between, between. */
  trust: Float64Array
  /** The probability of a class at a place, were no label wrong. */
  probability: (place: number, label: number) => number
}

/** The confident joint (Northcutt et al. 2021): places of a class that are another one with more than that one's usual confidence. */
export interface Confusion {
  /** Pairs of classes, the most frequent first. */
  pairs: { given: number; suggested: number; count: number }[]
  /** Places that are confidently of some class. */
  counted: number
}

/** The rate that scores rest on, at least: even where none is estimated, a wrong label is thinkable. */
const LEAST_RATE = 0.001
/** Probability above its usual by which another class takes all trust from a label: gradual, so that no last digit decides. */
const DISTRUST = 0.02
/** Cells of the views that the weights are fitted on. */
const FITTED_CELLS = 4_000_000

export function judgeLabels({ classes, classNames, fitted }: LabelledSamples, views: readonly Float32Array[]): Judgement {
  const classCount = classNames.length
  const every = Math.max(1, Math.ceil((classes.length * classCount) / FITTED_CELLS))
  const weights = fitWeights(
    { views, classes, classCount },
    [...fitted.keys()].filter((place) => place % every === 0),
  )

  const given = new Float64Array(classes.length)
  const others = new Float64Array(classes.length)
  const suggested = new Int32Array(classes.length)
  const confidence = new Float64Array(classCount)
  const sizes = new Float64Array(classCount)
  const p = new Float64Array(classCount)
  for (let place = 0; place < classes.length; place++) {
    const own = classes[place]!
    probabilities(views, weights, place * classCount, p)
    let [rest, best] = [0, own === 0 ? 1 : 0]
    for (let c = 0; c < classCount; c++) {
      if (c === own) continue
      rest += p[c]!
      if (p[c]! > p[best]!) best = c
    }
    given[place] = p[own]!
    others[place] = rest
    suggested[place] = best
    confidence[own]! += p[own]!
    sizes[own]!++
  }

  const noise = noiseRateOf(given, classCount)
  const rate = Math.min(1 - LEAST_RATE, Math.max(LEAST_RATE, noise.rate))
  const joint = new Map<number, number>()
  const trust = new Float64Array(classes.length)
  let counted = 0
  for (let place = 0; place < classes.length; place++) {
    probabilities(views, weights, place * classCount, p)
    let found = -1
    let contradiction = 0
    for (let c = 0; c < classCount; c++) {
      const usual = confidence[c]! / sizes[c]!
      if (p[c]! >= usual && (found < 0 || p[c]! > p[found]!)) found = c
      if (c !== classes[place]) contradiction = Math.max(contradiction, Math.min(p[c]! - usual, p[c]! - p[classes[place]!]!))
    }
    trust[place] = 1 - Math.min(1, contradiction / DISTRUST)
    if (found < 0) continue
    counted++
    const pair = classes[place]! * classCount + found
    if (found === classes[place]) continue
    joint.set(pair, (joint.get(pair) ?? 0) + 1)
  }
  return {
    noise,
    given,
    scores: Int32Array.from(given, (chance, place) => thousandths(wrongOdds(chance, others[place]!, rate, classCount))),
    suggested,
    confusion: {
      pairs: [...joint]
        .map(([pair, count]) => ({ given: Math.floor(pair / classCount), suggested: pair % classCount, count }))
        .sort((a, b) => b.count - a.count || a.given - b.given || a.suggested - b.suggested),
      counted,
    },
    trust,
    probability(place, label) {
      probabilities(views, weights, place * classCount, p)
      return p[label]!
    },
  }
}

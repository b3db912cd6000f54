/** Fits the weights of the synthetic-text probe (probe.ts). Deterministic: the same texts in the same order give the same weights. */
import { mix, sigmoid } from '../numeric.ts'
import { BUCKETS, createFeatureReader, lengthOf } from './features.ts'
import { windows } from './windows.ts'

const EPOCHS = 40
const RATE = 4
const DECAY = 1e-5

export interface ProbeExample {
  canonicalText: string
  machine: boolean
}

/**
 * Logistic regression on vectors of unit length, the two classes weighted alike, by stochastic gradient descent; weights are scaled to 16-bit
 * integers. Texts are cut to their first 250 words, so that length says nothing; those of fewer than 50 words are left out.
 */
export function fitProbe(examples: readonly ProbeExample[]): Int16Array {
  const featuresOf = createFeatureReader()
  const data = examples.flatMap(({ canonicalText, machine }) => {
    const [window] = windows(canonicalText)
    return window === undefined ? [] : [{ features: featuresOf(window), machine: machine ? 1 : 0 }]
  })
  const weights = new Float64Array(BUCKETS)
  const machines = data.reduce((sum, { machine }) => sum + machine, 0)
  const weightOf = [data.length / (2 * (data.length - machines)), data.length / (2 * machines)]
  let bias = 0
  let step = 0
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const order = [...data.keys()].sort((a, b) => mix(a * EPOCHS + epoch) - mix(b * EPOCHS + epoch))
    for (const place of order) {
      const { features, machine } = data[place]!
      const scale = 1 / lengthOf(features)
      let sum = bias
      for (let i = 0; i < features.buckets.length; i++) sum += weights[features.buckets[i]!]! * features.values[i]! * scale
      const rate = RATE / (1 + (step++ / data.length) * 0.3)
      const update = rate * weightOf[machine]! * (machine - sigmoid(sum))
      for (let i = 0; i < features.buckets.length; i++) {
        const bucket = features.buckets[i]!
        weights[bucket] = weights[bucket]! * (1 - rate * DECAY) + update * features.values[i]! * scale
      }
      bias += 0.05 * update
    }
  }
  const largest = weights.reduce((max, weight) => Math.max(max, Math.abs(weight)), 1e-300)
  return Int16Array.from(weights, (weight) => Math.round((weight / largest) * 32_767))
}

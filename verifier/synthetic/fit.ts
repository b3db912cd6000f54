/**
 * Fits the synthetic-text probe: node verifier/synthetic/fit.ts OUTPUT FILE.jsonl … with rows {text, label: "human" | "machine"}; other
 * labels are passed over. Texts are cut to at most 250 words, so that length says nothing, and shorter than 50 words left out. Every
 * fifth text by hash is kept out of the fit and used to print how well the probe ranks.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { mix, sigmoid } from '../numeric.ts'
import { canonicalText } from '../text/canonical.ts'
import { BUCKETS, createFeatureReader, type Features, lengthOf } from './features.ts'
import { createProbe } from './probe.ts'
import { windows } from './windows.ts'

const EPOCHS = 40
const RATE = 4
const DECAY = 1e-5

interface Example {
  text: string
  features: Features
  machine: number
  heldOut: boolean
}

const [output, ...paths] = process.argv.slice(2)
if (output === undefined || paths.length === 0) throw new Error('usage: fit.ts OUTPUT FILE.jsonl …')

const featuresOf = createFeatureReader()
const examples = paths.flatMap((path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line, number): Example[] => {
      const { text, label } = JSON.parse(line) as { text: string; label: string }
      const [window] = windows(canonicalText(text))
      if (window === undefined || (label !== 'human' && label !== 'machine')) return []
      const features = featuresOf(window)
      return [{ text: window, features, machine: label === 'machine' ? 1 : 0, heldOut: mix(number) % 5 === 0 }]
    }),
)
const training = examples.filter(({ heldOut }) => !heldOut)
const weights = fit(training)
const largest = weights.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0)
const quantized = Int16Array.from(weights, (weight) => Math.round((weight / largest) * 32_767))
writeFileSync(output, new Uint8Array(quantized.buffer))

const probe = createProbe(quantized)
const scored = examples.filter(({ heldOut }) => heldOut).map(({ text, machine }) => ({ machine, score: probe.score(text) }))
console.log(`${training.length} texts fitted, ${scored.length} held out, area under the ROC curve ${areaUnderCurve(scored).toFixed(4)}`)

/** Logistic regression on vectors of unit length, the two classes weighted alike, by stochastic gradient descent. */
function fit(data: readonly Example[]): Float64Array {
  const result = new Float64Array(BUCKETS)
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
      for (let i = 0; i < features.buckets.length; i++) sum += result[features.buckets[i]!]! * features.values[i]! * scale
      const rate = RATE / (1 + (step++ / data.length) * 0.3)
      const update = rate * weightOf[machine]! * (machine - sigmoid(sum))
      for (let i = 0; i < features.buckets.length; i++) {
        const bucket = features.buckets[i]!
        result[bucket] = result[bucket]! * (1 - rate * DECAY) + update * features.values[i]! * scale
      }
      bias += 0.05 * update
    }
  }
  return result
}

function areaUnderCurve(rows: readonly { machine: number; score: number }[]): number {
  const machine = rows.filter((row) => row.machine === 1)
  const human = rows.filter((row) => row.machine === 0)
  let wins = 0
  for (const a of machine) for (const b of human) wins += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0
  return wins / (machine.length * human.length)
}

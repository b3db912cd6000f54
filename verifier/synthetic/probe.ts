/** The synthetic-text probe: one weight a bucket (verifier/synthetic/README.md says what it was fitted on), and its reference scores. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BUCKETS, createFeatureReader, lengthOf } from './features.ts'

export interface Probe {
  /** Higher is more like the machine texts that it was fitted on. The unit is a thousandth of a weight. */
  score(canonicalText: string): number
}

export function createProbe(weights: Int16Array): Probe {
  if (weights.length !== BUCKETS) throw new RangeError(`a probe has ${BUCKETS} weights, not ${weights.length}`)
  const featuresOf = createFeatureReader()
  return {
    score(text) {
      const features = featuresOf(text)
      let sum = 0
      for (let i = 0; i < features.buckets.length; i++) sum += weights[features.buckets[i]!]! * features.values[i]!
      const length = lengthOf(features)
      return length === 0 ? 0 : Math.floor((1000 * sum) / length)
    },
  }
}

const WEIGHTS_FILE = new URL('./weights.i16', import.meta.url)

/** The weights that ship with the verifier: little-endian 16-bit integers. */
export function readWeights(): Int16Array {
  const bytes = readFileSync(WEIGHTS_FILE)
  return Int16Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(2 * i))
}

/** As they stand in a recipe. */
export function weightsReference(): { name: string; sha256: string } {
  return { name: 'synthetic-text-probe', sha256: createHash('sha256').update(readFileSync(WEIGHTS_FILE)).digest('hex') }
}

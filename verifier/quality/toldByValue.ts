/** How well a class is told by one number or one name alone: balanced accuracy on samples that the rule was not made from. */
import type { ValueSketch } from './valueSketch.ts'

export interface Told {
  /** Mean over the classes of the share that is told right. */
  accuracy: number
  /** What guessing gives. */
  chance: number
  /** What is left of the errors of guessing, 0 … 1 (Datalab's score of spurious correlations). */
  room: number
}

const BINS = 32

/**
 * `values` and `classes` (indices below `classCount`) of the samples in turn, of which the rule is made from those that are `fitted`: each
 * bin of values, of even size, stands for the class that has the greatest share of its own samples there. Null where a class lacks
 * samples on either side.
 */
export function toldByNumber(values: Int32Array, classes: Int32Array, classCount: number, fitted: Uint8Array): Told | null {
  const bounds = binBounds(values)
  const binOf = (value: number) => {
    let [low, high] = [0, bounds.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (value > bounds[middle]!) low = middle + 1
      else high = middle
    }
    return low
  }
  const bins = Int32Array.from(values, binOf)
  const binCount = bounds.length + 1
  const made = new Float64Array(binCount * classCount)
  const madeOf = new Float64Array(classCount)
  const testedOf = new Float64Array(classCount)
  for (const [i, bin] of bins.entries())
    if (fitted[i]) {
      made[bin * classCount + classes[i]!]!++
      madeOf[classes[i]!]!++
    } else testedOf[classes[i]!]!++
  for (let c = 0; c < classCount; c++) if (madeOf[c] === 0 || testedOf[c] === 0) return null
  const says = Int32Array.from({ length: binCount }, (_, bin) => {
    let best = 0
    for (let c = 1; c < classCount; c++)
      if (made[bin * classCount + c]! * madeOf[best]! > made[bin * classCount + best]! * madeOf[c]!) best = c
    return best
  })
  const right = new Float64Array(classCount)
  for (const [i, bin] of bins.entries()) if (!fitted[i] && says[bin] === classes[i]) right[classes[i]!]!++
  let sum = 0
  for (let c = 0; c < classCount; c++) sum += right[c]! / testedOf[c]!
  return toldOf(sum / classCount, 1 / classCount)
}

/** Upper ends of the bins, ascending and different: a value that many samples share has a bin of its own. */
function binBounds(values: Int32Array): number[] {
  const sorted = values.toSorted()
  const bounds = new Set<number>()
  for (let bin = 1; bin < BINS; bin++) bounds.add(sorted[Math.floor((bin * sorted.length) / BINS)]!)
  return [...bounds]
}

/** By a column's values, each without the sample itself; null where nothing repeats or there is one label. */
export function toldByName({ values }: ValueSketch): Told | null {
  const labels = new Map<string, number>()
  let [labelled, right, repeated] = [0, 0, 0]
  for (const value of values.values()) {
    let most = 0
    for (const [label, count] of value.labels ?? []) {
      most = Math.max(most, count)
      labelled += count
      labels.set(label, (labels.get(label) ?? 0) + count)
    }
    if (most > 1) right += most
    if (value.count > 1) repeated += value.count
  }
  if (labels.size < 2 || 2 * repeated < labelled) return null
  return toldOf(right / labelled, Math.max(...labels.values()) / labelled)
}

function toldOf(accuracy: number, chance: number): Told {
  return { accuracy, chance, room: chance >= 1 ? 1 : Math.min(1, Math.max(0, (1 - accuracy) / (1 - chance))) }
}

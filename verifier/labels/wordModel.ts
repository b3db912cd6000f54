/**
 * What words say of the class, out of fold: multinomial logistic regression on tf-idf of words and pairs of words, by stochastic gradient
 * descent with L2 in a scattered but fixed order. Additions, multiplications, divisions and square roots alone: the same weights everywhere.
 */
import type { Corpus } from '../detectors/detector.ts'
import { exp, ln } from '../numeric.ts'
import { eachToken } from '../text/tokens.ts'
import type { LabelledSamples } from './labelledSamples.ts'

export interface WordOptions {
  folds: number
  /** What each place counts, 0 … 1. */
  trust: Float64Array
  maximumTokens: number
  /** So many of the words that most texts have are left out, and the pairs that they are in: what remains is what texts are about. */
  frequentWords?: number
  epochs: number
  /** Cells × classes × epochs × folds at most: large data sets need fewer passes; below two passes words are not read. */
  operations: number
  /** Weights at most: the most frequent n-grams are read. */
  weights: number
}

interface TermMatrix {
  offsets: Float64Array
  columns: Int32Array
  /** Rows of unit length. */
  values: Float32Array
  width: number
}

const RATE = 8
/** An n-gram has to stand in so many texts. */
const LEAST_SUPPORT = 2
const PAIR = 0x4000000

/** places × classes: scores before the softmax; null where that would take too long. */
export async function wordScores(
  corpus: Corpus,
  labelled: LabelledSamples,
  options: WordOptions,
  pause: () => Promise<void>,
): Promise<Float32Array | null> {
  const classCount = labelled.classNames.length
  const matrix = termMatrix(corpus, labelled, options, Math.floor(options.weights / classCount))
  let cells = 0
  for (let place = 0; place < labelled.samples.length; place++)
    if (labelled.fitted[place]) cells += matrix.offsets[place + 1]! - matrix.offsets[place]!
  const epochs = Math.min(options.epochs, Math.floor(options.operations / Math.max(1, cells * classCount * (options.folds - 1))))
  if (epochs < 2 || matrix.width === 0) return null
  const scores = new Float32Array(labelled.samples.length * classCount)
  for (let fold = 0; fold < options.folds; fold++) await fitFold(matrix, labelled, { fold, epochs, trust: options.trust }, scores, pause)
  return scores
}

async function fitFold(
  { offsets, columns, values, width }: TermMatrix,
  labelled: LabelledSamples,
  { fold, epochs, trust }: { fold: number; epochs: number; trust: Float64Array },
  scores: Float32Array,
  pause: () => Promise<void>,
): Promise<void> {
  const { classes, folds, fitted } = labelled
  const classCount = labelled.classNames.length
  const training: number[] = []
  for (let place = 0; place < classes.length; place++) if (folds[place] !== fold && fitted[place]) training.push(place)
  const weights = new Float64Array(width * classCount)
  const bias = new Float64Array(classCount)
  const sums = new Float64Array(classCount)
  let scale = 1
  const project = (place: number) => {
    sums.fill(0)
    for (let i = offsets[place]!; i < offsets[place + 1]!; i++) {
      const value = values[i]! * scale
      for (let c = 0, at = columns[i]! * classCount; c < classCount; c++, at++) sums[c]! += value * weights[at]!
    }
    for (let c = 0; c < classCount; c++) sums[c]! += bias[c]!
  }
  const lambda = 1 / Math.max(1, training.length)
  const start = 1 / (lambda * RATE)
  const stride = coprimeStride(training.length)
  let step = 0
  for (let epoch = 0; epoch < epochs && training.length > 0; epoch++) {
    await pause()
    for (let i = 0, position = epoch % training.length; i < training.length; i++, position = (position + stride) % training.length) {
      const place = training[position]!
      project(place)
      softmax(sums)
      const rate = 1 / (lambda * (step++ + start))
      scale *= 1 - rate * lambda
      if (scale < 1e-9) {
        for (let j = 0; j < weights.length; j++) weights[j]! *= scale
        scale = 1
      }
      for (let c = 0; c < classCount; c++) {
        sums[c] = trust[place]! * rate * ((c === classes[place] ? 1 : 0) - sums[c]!)
        bias[c]! += 0.1 * sums[c]!
        sums[c]! /= scale
      }
      for (let j = offsets[place]!; j < offsets[place + 1]!; j++) {
        const value = values[j]!
        for (let c = 0, at = columns[j]! * classCount; c < classCount; c++, at++) weights[at]! += value * sums[c]!
      }
    }
  }
  for (let place = 0; place < classes.length; place++) {
    if (folds[place] !== fold) continue
    project(place)
    scores.set(sums, place * classCount)
  }
}

/** Scores to probabilities, in place. */
function softmax(scores: Float64Array): void {
  let most = -Infinity
  for (const score of scores) if (score > most) most = score
  let sum = 0
  for (let c = 0; c < scores.length; c++) sum += scores[c] = exp(scores[c]! - most)
  for (let c = 0; c < scores.length; c++) scores[c]! /= sum
}

/** Words and pairs of neighbouring words as rows of unit length: (1 + ln tf) · ln(N / df). */
function termMatrix(
  corpus: Corpus,
  { samples }: LabelledSamples,
  { maximumTokens, frequentWords = 0 }: Pick<WordOptions, 'maximumTokens' | 'frequentWords'>,
  maximumWidth: number,
): TermMatrix {
  const idOfWord = new Map<string, number>()
  const idOfPair = new Map<number, number>()
  const frequency: number[] = []
  const rows: Int32Array[] = []
  const terms: number[] = []
  for (const sample of samples) {
    const text = (corpus.canonicalText(sample) ?? '').slice(0, maximumTokens * 8).toLowerCase()
    terms.length = 0
    let last = -1
    eachToken(text, (start, end) => {
      if (terms.length >= 2 * maximumTokens) return
      const word = intern(idOfWord, text.slice(start, end))
      if (last >= 0) terms.push(intern(idOfPair, last * PAIR + word))
      terms.push(word)
      last = word
    })
    const row = Int32Array.from(terms).sort()
    for (let i = 0; i < row.length; i++) if (i === 0 || row[i] !== row[i - 1]) frequency[row[i]!]!++
    rows.push(row)
  }
  leaveOut(frequentWords)
  const columnOf = mostFrequent(frequency, maximumWidth)
  const offsets = new Float64Array(samples.length + 1)
  const columns: number[] = []
  const values: number[] = []
  let width = 0
  for (const column of columnOf) width = Math.max(width, column + 1)
  for (const [place, row] of rows.entries()) {
    const first = columns.length
    let norm = 0
    for (let i = 0; i < row.length;) {
      const from = i
      while (i < row.length && row[i] === row[from]) i++
      const column = columnOf[row[from]!]!
      if (column < 0) continue
      const value = (1 + ln(i - from)) * ln((samples.length + 1) / frequency[row[from]!]!)
      columns.push(column)
      values.push(value)
      norm += value * value
    }
    const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0
    for (let i = first; i < values.length; i++) values[i]! *= scale
    offsets[place + 1] = columns.length
  }
  return { offsets, columns: Int32Array.from(columns), values: Float32Array.from(values), width }

  function leaveOut(most: number): void {
    if (most === 0) return
    const left = new Set([...idOfWord.values()].sort((a, b) => frequency[b]! - frequency[a]! || a - b).slice(0, most))
    for (const [pair, id] of idOfPair) if (left.has(Math.floor(pair / PAIR)) || left.has(pair % PAIR)) frequency[id] = 0
    for (const id of left) frequency[id] = 0
  }

  function intern<Key>(ids: Map<Key, number>, key: Key): number {
    let id = ids.get(key)
    if (id === undefined) {
      ids.set(key, (id = frequency.length))
      frequency.push(0)
    }
    return id
  }
}

/** A column for each of the `most` most frequent terms of enough support, −1 for others. */
function mostFrequent(frequency: readonly number[], most: number): Int32Array {
  const chosen = [...frequency.keys()].filter((id) => frequency[id]! >= LEAST_SUPPORT)
  if (chosen.length > most) chosen.sort((a, b) => frequency[b]! - frequency[a]! || a - b)
  const columnOf = new Int32Array(frequency.length).fill(-1)
  for (const [column, id] of chosen.slice(0, most).entries()) columnOf[id] = column
  return columnOf
}

/** A step that visits every one of n positions, near n divided by the golden ratio. */
function coprimeStride(n: number): number {
  let stride = Math.max(1, Math.floor(n * 0.6180339887498949))
  while (gcd(stride, n) > 1) stride++
  return stride
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/**
 * What a text's words say about its label, out of fold: one-against-rest logistic regression on tf-idf of single words, fitted on four
 * fifths and read on the fifth, five times. Fixed order, fixed number of steps, IEEE-exact arithmetic: the same weights everywhere.
 */
import { ln, mix, sigmoid } from '../numeric.ts'
import { BOUNDARY, type TokenDocuments } from './documents.ts'

export const FOLDS = 5

/** Documents as rows of unit length: (1 + ln tf) · ln(N / df) of their words. */
export interface ContentMatrix {
  offsets: Float64Array
  /** Token ids, ascending in each row. */
  columns: Int32Array
  values: Float64Array
  /** Fold of each document. */
  folds: Uint8Array
  columnCount: number
  /** For each token position of the documents the index of its value; −1 where the token is no column. */
  cells: Int32Array
}

export function contentMatrix(documents: TokenDocuments, minimumSupport: number, seed: number): ContentMatrix {
  const { ids, samples, documentFrequency, vocabulary } = documents
  const count = samples.length
  const idf = Float64Array.from(documentFrequency, (df) => (df >= minimumSupport ? ln((count + 1) / df) : 0))
  const termFrequency = new Int32Array(vocabulary.length)
  const offsets = new Float64Array(count + 1)
  const columns = new Int32Array(ids.length)
  const values = new Float64Array(ids.length)
  const cells = new Int32Array(ids.length).fill(-1)
  const cellOf = new Int32Array(vocabulary.length)
  let filled = 0
  for (let document = 0; document < count; document++) {
    const start = filled
    for (let i = documents.offsets[document]!; i < documents.offsets[document + 1]!; i++) {
      const id = ids[i]!
      if (id === BOUNDARY || idf[id] === 0) continue
      if (termFrequency[id]!++ === 0) columns[filled++] = id
    }
    columns.subarray(start, filled).sort()
    let norm = 0
    for (let i = start; i < filled; i++) {
      const id = columns[i]!
      const times = termFrequency[id]!
      const value = times === 1 ? idf[id]! : (1 + ln(times)) * idf[id]!
      termFrequency[id] = 0
      values[i] = value
      cellOf[id] = i
      norm += value * value
    }
    for (let i = documents.offsets[document]!; i < documents.offsets[document + 1]!; i++)
      if (ids[i] !== BOUNDARY && idf[ids[i]!] !== 0) cells[i] = cellOf[ids[i]!]!
    const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0
    for (let i = start; i < filled; i++) values[i]! *= scale
    offsets[document + 1] = filled
  }
  return {
    offsets,
    columns: columns.slice(0, filled),
    values: values.slice(0, filled),
    folds: Uint8Array.from(samples, (sample) => mix(sample ^ seed) % FOLDS),
    columnCount: vocabulary.length,
    cells,
  }
}

export interface ContentOptions {
  /** Passes over the documents. */
  epochs: number
  /** The model is trusted no further than this (and 1 less this), so that one sure row decides nothing. */
  leastProbability: number
  /** L2 is this much a document, and the rate of the first step this much over it. */
  strength: number
  rate: number
  /** A document of which less is left (of its squared length) says nothing without the tokens. */
  leastRest: number
}

/** A class against the rest; documents are read by a model that did not see them. */
export interface ContentModel {
  /** Calibrated log-odds that each document has the class. */
  logits: Float64Array
  /** The probability of such log-odds, as far as the model is trusted. */
  readonly probability: (logit: number) => number
  /** The same for a document without the given (distinct) tokens: what is left of it again has unit length. */
  restLogit(document: number, tokens: Iterable<number>): number
  /** For a document without up to three tokens from a position on. */
  restLogitAt(document: number, position: number, size: number): number
}

/** Fits the five models of one class. `isMember[d]` is 1 for documents of the class. */
export function fitContentModel(matrix: ContentMatrix, isMember: Uint8Array, options: ContentOptions): ContentModel {
  const { leastProbability, leastRest } = options
  const count = isMember.length
  const { weights, biases } = fitLogistic(matrix, isMember, options)
  const { folds } = matrix
  /** Without the bias. */
  const sums = new Float64Array(count)
  const raw = new Float64Array(count)
  for (let document = 0; document < count; document++) {
    const fold = folds[document]!
    let sum = 0
    for (let j = matrix.offsets[document]!; j < matrix.offsets[document + 1]!; j++)
      sum += weights[matrix.columns[j]! * FOLDS + fold]! * matrix.values[j]!
    sums[document] = sum
    raw[document] = biases[fold]! + sum
  }
  const { slope, intercept } = calibrate(raw, isMember)
  return {
    logits: raw.map((logit) => slope * logit + intercept),
    probability: (logit) => Math.max(leastProbability, Math.min(1 - leastProbability, sigmoid(logit))),
    restLogitAt(document, position, size) {
      const fold = folds[document]!
      const bias = biases[fold]!
      const { cells, columns, values } = matrix
      let sum = sums[document]!
      let squares = 1
      for (let i = position; i < position + size; i++) {
        const cell = cells[i]!
        if (cell < 0 || (i > position && cell === cells[position]) || (i > position + 1 && cell === cells[position + 1])) continue
        sum -= weights[columns[cell]! * FOLDS + fold]! * values[cell]!
        squares -= values[cell]! * values[cell]!
      }
      return slope * (bias + (squares > leastRest ? sum / Math.sqrt(squares) : 0)) + intercept
    },
    restLogit(document, tokens) {
      const fold = folds[document]!
      const bias = biases[fold]!
      let sum = sums[document]!
      let squares = 1
      for (const token of tokens) {
        const value = valueAt(matrix, document, token)
        sum -= weights[token * FOLDS + fold]! * value
        squares -= value * value
      }
      return slope * (bias + (squares > leastRest ? sum / Math.sqrt(squares) : 0)) + intercept
    },
  }
}

/** The negative of a model: of two classes, what the other one's model would be. */
export function opposite(model: ContentModel): ContentModel {
  return {
    logits: model.logits.map((logit) => -logit),
    probability: model.probability,
    restLogit: (document, tokens) => -model.restLogit(document, tokens),
    restLogitAt: (document, position, size) => -model.restLogitAt(document, position, size),
  }
}

/**
 * The five models side by side, token t's weight of fold f at t · FOLDS + f, so that one look at a document's words serves all: each model
 * learns from the documents of the other folds. Stochastic gradient descent with L2 (λ = 1/n) at rates 1/(λ(t + t₀)), documents in a
 * scattered order.
 */
function fitLogistic(
  matrix: ContentMatrix,
  isMember: Uint8Array,
  { epochs, strength, rate: firstRate }: ContentOptions,
): { weights: Float64Array; biases: Float64Array } {
  const { offsets, columns, values, folds } = matrix
  const count = isMember.length
  const sizes = new Int32Array(FOLDS).fill(count)
  for (const fold of folds) sizes[fold]!--
  const lambdas = Float64Array.from(sizes, (size) => strength / Math.max(1, size))
  const weights = new Float64Array(matrix.columnCount * FOLDS)
  const biases = new Float64Array(FOLDS)
  const scales = new Float64Array(FOLDS).fill(1)
  const steps = new Float64Array(FOLDS)
  const updates = new Float64Array(FOLDS)
  const sums = new Float64Array(FOLDS)
  const stride = coprimeStride(count)
  for (let epoch = 0; epoch < epochs; epoch++)
    for (let i = 0, document = epoch % Math.max(1, count); i < count; i++, document = (document + stride) % count) {
      const from = offsets[document]!
      const to = offsets[document + 1]!
      let [sum0, sum1, sum2, sum3, sum4] = [0, 0, 0, 0, 0]
      for (let j = from; j < to; j++) {
        const at = columns[j]! * FOLDS
        const value = values[j]!
        sum0 += weights[at]! * value
        sum1 += weights[at + 1]! * value
        sum2 += weights[at + 2]! * value
        sum3 += weights[at + 3]! * value
        sum4 += weights[at + 4]! * value
      }
      sums[0] = sum0
      sums[1] = sum1
      sums[2] = sum2
      sums[3] = sum3
      sums[4] = sum4
      const own = folds[document]!
      for (let fold = 0; fold < FOLDS; fold++) {
        if (fold === own) {
          updates[fold] = 0
          continue
        }
        const lambda = lambdas[fold]!
        const error = isMember[document]! - sigmoid(biases[fold]! + scales[fold]! * sums[fold]!)
        const rate = 1 / (lambda * (steps[fold]!++ + 1 / (lambda * firstRate)))
        scales[fold]! *= 1 - rate * lambda
        if (scales[fold]! < 1e-9) {
          for (let j = fold; j < weights.length; j += FOLDS) weights[j]! *= scales[fold]!
          scales[fold] = 1
        }
        updates[fold] = (rate * error) / scales[fold]!
        biases[fold]! += rate * error * 0.1
      }
      const [update0, update1, update2, update3, update4] = [updates[0]!, updates[1]!, updates[2]!, updates[3]!, updates[4]!]
      for (let j = from; j < to; j++) {
        const at = columns[j]! * FOLDS
        const value = values[j]!
        weights[at]! += update0 * value
        weights[at + 1]! += update1 * value
        weights[at + 2]! += update2 * value
        weights[at + 3]! += update3 * value
        weights[at + 4]! += update4 * value
      }
    }
  for (let fold = 0; fold < FOLDS; fold++) for (let j = fold; j < weights.length; j += FOLDS) weights[j]! *= scales[fold]!
  return { weights, biases }
}

function valueAt(matrix: ContentMatrix, document: number, id: number): number {
  let low = matrix.offsets[document]!
  let high = matrix.offsets[document + 1]! - 1
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const column = matrix.columns[middle]!
    if (column === id) return matrix.values[middle]!
    if (column < id) low = middle + 1
    else high = middle - 1
  }
  return 0
}

/** A step that visits every one of n positions, near n divided by the golden ratio. */
function coprimeStride(n: number): number {
  let stride = Math.max(1, Math.floor(n * 0.6180339887498949))
  while (gcd(stride, n) !== 1) stride++
  return stride
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/** Platt scaling: the slope and intercept that make out-of-fold logits calibrated, by 20 damped Newton steps. */
function calibrate(logits: Float64Array, isMember: Uint8Array): { slope: number; intercept: number } {
  let slope = 1
  let intercept = 0
  for (let iteration = 0; iteration < 20; iteration++) {
    let g0 = 0
    let g1 = 0
    let h00 = 1e-6
    let h01 = 0
    let h11 = 1e-6
    for (let i = 0; i < logits.length; i++) {
      const p = sigmoid(slope * logits[i]! + intercept)
      const error = isMember[i]! - p
      const weight = p * (1 - p)
      g0 += error
      g1 += error * logits[i]!
      h00 += weight
      h01 += weight * logits[i]!
      h11 += weight * logits[i]! * logits[i]!
    }
    const determinant = h00 * h11 - h01 * h01
    if (determinant < 1e-12) break
    intercept += clamp((h11 * g0 - h01 * g1) / determinant, 2)
    slope += clamp((h00 * g1 - h01 * g0) / determinant, 1)
    slope = Math.max(0, slope)
  }
  return { slope, intercept }
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value))
}

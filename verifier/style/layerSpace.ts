/**
 * An inner layer of the model as a space in which classes are told apart: rows are standardised, and of each class it is known how the
 * samples of all *other* classes vary. Fisher's direction towards some of a class's samples is then one solution of a triangular system.
 */
import { factorSymmetric, solveFactored } from '../labels/cholesky.ts'

export interface LayerSpace {
  readonly dimensions: number
  /** Standardises a raw row, in place. */
  standardise: (row: Float32Array) => void
  /** places × dimensions, standardised. */
  readonly values: Float32Array
  /** What varies outside of a class: how a difference of means there is made a direction. */
  outside: (label: number) => Outside
}

export interface Outside {
  /** Overwrites a difference of means δ by S⁻¹δ, scaled so that the others' rows vary by about 1 along it. */
  direct: (difference: Float64Array) => void
}

export interface LayerOptions {
  /** places × dimensions; overwritten. */
  values: Float32Array
  dimensions: number
  /** The class of each place, and those of which `outside` will be asked: 0 … examined − 1. */
  classes: Int32Array
  examined: number
  /** So many places at the most say how rows vary. */
  covariancePlaces: number
  /** Added to the correlations' diagonal. */
  penalty: number
}

const LEAST_DEVIATION = 1e-6

/** `pause` is waited for now and then: it may throw to stop. */
export async function createLayerSpace(options: LayerOptions, pause: () => Promise<void>): Promise<LayerSpace> {
  const { values, dimensions, classes, examined, covariancePlaces, penalty } = options
  const count = classes.length
  const { means, scales } = momentsOf(values, dimensions, count)
  const standardise = (row: Float32Array) => {
    for (let i = 0; i < dimensions; i++) row[i] = (row[i]! - means[i]!) * scales[i]!
  }
  for (let place = 0; place < count; place++) standardise(values.subarray(place * dimensions, (place + 1) * dimensions))

  // One Gram matrix a class and one for all that are not examined: of the others of a class it is the sum less its own.
  const every = Math.max(1, Math.ceil(count / covariancePlaces))
  const grams = Array.from({ length: examined + 1 }, () => createGram(dimensions))
  for (let place = 0; place < count; place += every) {
    if ((place / every) % 256 === 0) await pause()
    addRow(grams[Math.min(classes[place]!, examined)]!, values.subarray(place * dimensions, (place + 1) * dimensions))
  }
  for (const gram of grams) flush(gram)
  const all = createGram(dimensions)
  for (const gram of grams) accumulate(all, gram, 1)

  return {
    dimensions,
    standardise,
    values,
    outside(label) {
      const others = createGram(dimensions)
      accumulate(others, all, 1)
      accumulate(others, grams[label]!, -1)
      const { matrix, deviations } = correlations(others, penalty)
      factorSymmetric(matrix, dimensions)
      const scaled = new Float64Array(dimensions)
      return {
        direct(difference) {
          for (let i = 0; i < dimensions; i++) scaled[i] = difference[i]! / deviations[i]!
          const solved = scaled.slice()
          solveFactored(matrix, solved, dimensions, 1)
          let squares = 0
          for (let i = 0; i < dimensions; i++) squares += scaled[i]! * solved[i]!
          const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0
          for (let i = 0; i < dimensions; i++) difference[i] = (solved[i]! * scale) / deviations[i]!
        },
      }
    },
  }
}

function momentsOf(values: Float32Array, dimensions: number, count: number): { means: Float64Array; scales: Float64Array } {
  const means = new Float64Array(dimensions)
  const squares = new Float64Array(dimensions)
  for (let at = 0; at < count * dimensions;) for (let i = 0; i < dimensions; i++) means[i]! += values[at++]!
  for (let i = 0; i < dimensions; i++) means[i]! /= Math.max(1, count)
  for (let at = 0; at < count * dimensions;)
    for (let i = 0; i < dimensions; i++) {
      const difference = values[at++]! - means[i]!
      squares[i]! += difference * difference
    }
  return { means, scales: squares.map((sum) => 1 / (Math.sqrt(sum / Math.max(1, count)) + LEAST_DEVIATION)) }
}

interface Gram {
  dimensions: number
  rows: number
  sums: Float64Array
  /** Lower triangle of Σ xxᵀ. */
  products: Float64Array
  /** Rows that wait to be added, four at a time: the matrix is then read a fourth as often. */
  waiting: Float32Array[]
}

const AT_ONCE = 4

function createGram(dimensions: number): Gram {
  return { dimensions, rows: 0, sums: new Float64Array(dimensions), products: new Float64Array(dimensions * dimensions), waiting: [] }
}

function addRow(gram: Gram, row: Float32Array): void {
  gram.rows++
  for (let i = 0; i < gram.dimensions; i++) gram.sums[i]! += row[i]!
  if (gram.waiting.push(row) === AT_ONCE) flush(gram)
}

function flush({ dimensions, products, waiting }: Gram): void {
  const none = new Float32Array(dimensions)
  const [a = none, b = none, c = none, d = none] = waiting.splice(0)
  if (a === none) return
  for (let i = 0, at = 0; i < dimensions; i++, at = i * dimensions) {
    const [p, q, r, s] = [a[i]!, b[i]!, c[i]!, d[i]!]
    for (let j = 0; j <= i; j++, at++) products[at]! += p * a[j]! + q * b[j]! + r * c[j]! + s * d[j]!
  }
}

function accumulate(to: Gram, from: Gram, sign: number): void {
  to.rows += sign * from.rows
  for (let i = 0; i < to.sums.length; i++) to.sums[i]! += sign * from.sums[i]!
  for (let i = 0; i < to.products.length; i++) to.products[i]! += sign * from.products[i]!
}

/** Correlations with `penalty` on the diagonal, lower triangle, and the standard deviations. */
function correlations({ dimensions, rows, sums, products }: Gram, penalty: number): { matrix: Float64Array; deviations: Float64Array } {
  const count = Math.max(1, rows)
  const deviations = Float64Array.from({ length: dimensions }, (_, i) => {
    const mean = sums[i]! / count
    return Math.sqrt(Math.max(0, products[i * dimensions + i]! / count - mean * mean)) + LEAST_DEVIATION
  })
  const matrix = new Float64Array(dimensions * dimensions)
  for (let i = 0; i < dimensions; i++)
    for (let j = 0; j <= i; j++) {
      const covariance = products[i * dimensions + j]! / count - (sums[i]! / count) * (sums[j]! / count)
      matrix[i * dimensions + j] = covariance / (deviations[i]! * deviations[j]!) + (i === j ? penalty : 0)
    }
  return { matrix, deviations }
}

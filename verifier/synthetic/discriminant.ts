/**
 * What parts machine texts from human ones in vectors of how they are written (inner layers of an encoder), fitted to the kind of text that is
 * looked at. Kinds differ in their means, so every text is centred on the human texts of its kind; and they differ in what varies among
 * human texts, so a part of the human scatter is that of the kind's own references: w = (½(1−s)·H + ½s·R + ½M + λ)⁻¹ · ½m, with H, R and M
 * the second moments of human texts fitted on, of references and of machine texts, m the machine texts' mean, all centred and in standard
 * deviations of human texts. Fixed order of IEEE-exact operations.
 */
import { solveSymmetric } from '../labels/cholesky.ts'

export interface Discriminant {
  readonly dimensions: number
  /** Standard deviation of human texts within their kind. */
  readonly deviation: Float64Array
  /** ½m. */
  readonly shift: Float64Array
  /** ½(1−s)·H + ½M + λ: the lower triangle by rows. */
  readonly scatter: Float64Array
}

/** Rows of vectors of one layer. */
export interface Rows {
  readonly dimensions: number
  /** One after the other. */
  readonly vectors: Float32Array
}

export interface Example {
  /** Place among the rows. */
  row: number
  machine: boolean
  /** What it is centred in. */
  kind: string
}

/** Part of the human scatter that references give. */
const REFERENCE_SHARE = 0.4
/** Of features whose variance is 1. */
const RIDGE = 1
/** Kinds with fewer human texts have no mean to speak of. */
const LEAST_HUMANS = 10
/** Keeps features that hardly vary among human texts from outweighing all others. */
const LEAST_DEVIATION = 1e-6

/** Size of a lower triangle. */
export function triangleOf(dimensions: number): number {
  return (dimensions * (dimensions + 1)) / 2
}

/** Human and machine texts weigh alike; within them each kind by the root of its number. Throws a RangeError without one of each. */
export function fitDiscriminant(rows: Rows, examples: readonly Example[]): Discriminant {
  const { dimensions, vectors } = rows
  const means = new Map<string, Float64Array>()
  for (const [kind, own] of Map.groupBy(
    examples.filter(({ machine }) => !machine),
    (example) => example.kind,
  ))
    if (own.length >= LEAST_HUMANS) means.set(kind, meanOf(rows, own.map(({ row }) => row))) // prettier-ignore
  const used = examples.filter(({ kind }) => means.has(kind))
  const weightOf = weightsOf(used)
  const deviation = new Float64Array(dimensions)
  const humans = used.filter(({ machine }) => !machine)
  for (const { row, kind } of humans) {
    const mean = means.get(kind)!
    for (let i = 0; i < dimensions; i++) deviation[i]! += (vectors[row * dimensions + i]! - mean[i]!) ** 2 / humans.length
  }
  for (let i = 0; i < dimensions; i++) deviation[i] = Math.max(LEAST_DEVIATION, Math.sqrt(deviation[i]!))
  const scatter = new Float64Array(triangleOf(dimensions))
  const shift = new Float64Array(dimensions)
  const x = new Float64Array(dimensions)
  for (const example of used) {
    standardise(rows, example.row, means.get(example.kind)!, deviation, x)
    const weight = weightOf(example)
    if (example.machine) for (let i = 0; i < dimensions; i++) shift[i]! += weight * x[i]!
    addSquare(scatter, x, example.machine ? weight : (1 - REFERENCE_SHARE) * weight)
  }
  for (let i = 0, at = 0; i < dimensions; i++, at += i + 1) scatter[at]! += RIDGE
  return { dimensions, deviation, shift, scatter }
}

function weightsOf(examples: readonly Example[]): (example: Example) => number {
  const keyOf = ({ machine, kind }: Example) => `${machine ? 'machine' : 'human'} ${kind}`
  const sizes = new Map<string, number>()
  for (const example of examples) sizes.set(keyOf(example), (sizes.get(keyOf(example)) ?? 0) + 1)
  const rootOf = (example: Example) => 1 / Math.sqrt(sizes.get(keyOf(example))!)
  const totals = [false, true].map((machine) =>
    examples.reduce((sum, example) => (example.machine === machine ? sum + rootOf(example) : sum), 0),
  )
  if (totals.includes(0)) throw new RangeError('a discriminant is fitted on human and machine texts of one kind')
  return (example) => (0.5 * rootOf(example)) / totals[example.machine ? 1 : 0]!
}

/** A direction in the raw vectors, and where the references' mean lies on it. */
export interface Direction {
  readonly weights: Float64Array
  readonly centre: number
}

/** The direction for texts of the references' kind; for no kind in particular where there are none. */
export function directionFor(discriminant: Discriminant, rows: Rows, references: readonly number[]): Direction {
  const { dimensions, deviation, shift, scatter } = discriminant
  const known = references.length > 0
  const mean = known ? meanOf(rows, references) : new Float64Array(dimensions)
  const own = scatter.slice()
  const x = new Float64Array(dimensions)
  for (const row of references) {
    standardise(rows, row, mean, deviation, x)
    addSquare(own, x, (0.5 * REFERENCE_SHARE) / references.length)
  }
  const matrix = new Float64Array(dimensions * dimensions)
  for (let i = 0, at = 0; i < dimensions; i++) for (let j = 0; j <= i; j++) matrix[i * dimensions + j] = own[at++]!
  const weights = shift.slice()
  solveSymmetric(matrix, weights, dimensions, 1)
  let centre = 0
  for (let i = 0; i < dimensions; i++) {
    weights[i]! /= deviation[i]!
    centre += weights[i]! * mean[i]!
  }
  return { weights, centre }
}

/** How far a row lies along the direction from the references' mean, towards machine texts. */
export function project({ weights, centre }: Direction, vectors: Float32Array, row: number): number {
  let sum = -centre
  for (let i = 0, at = row * weights.length; i < weights.length; i++, at++) sum += weights[i]! * vectors[at]!
  return sum
}

function meanOf({ dimensions, vectors }: Rows, rows: readonly number[]): Float64Array {
  const mean = new Float64Array(dimensions)
  for (const row of rows) for (let i = 0, at = row * dimensions; i < dimensions; i++, at++) mean[i]! += vectors[at]!
  for (let i = 0; i < dimensions; i++) mean[i]! /= rows.length
  return mean
}

function standardise({ dimensions, vectors }: Rows, row: number, mean: Float64Array, deviation: Float64Array, into: Float64Array): void {
  for (let i = 0, at = row * dimensions; i < dimensions; i++, at++) into[i] = (vectors[at]! - mean[i]!) / deviation[i]!
}

/** Adds weight · x xᵀ to a lower triangle. */
function addSquare(triangle: Float64Array, x: Float64Array, weight: number): void {
  for (let i = 0, at = 0; i < x.length; i++) {
    const scaled = weight * x[i]!
    for (let j = 0; j <= i; j++, at++) triangle[at]! += scaled * x[j]!
  }
}

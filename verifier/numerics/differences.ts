/** How far two computations of the same embeddings lie apart, as quantiles over rows and over pairs of rows. */
import { FINGERPRINT_BYTES, FINGERPRINT_COMPONENTS, fingerprintAgreement, writeFingerprint } from '../../core/fingerprint.ts'

/** Vectors of unit length: rows × dimensions. */
export interface VectorSet {
  dimensions: number
  vectors: Float32Array
}

export interface Quantiles {
  median: number
  /** Of 9,999 in 10,000; the greatest where there are fewer than that. */
  q9999: number
  greatest: number
}

export interface Differences {
  rows: number
  pairs: number
  /** Rows whose vectors are the same to the bit. */
  identicalRows: number
  /** Of a component. */
  component: Quantiles
  /** 1 − cosine of a row's two vectors. */
  cosineDistance: Quantiles
  /** Of two rows' cosine similarity: by the one computation and by the other. */
  similarity: Quantiles
  /** How many rows of the other have 0, 1 … 8 components of the reference's fingerprint. */
  fingerprints: number[]
}

/** Each row is compared with this many that follow it, near and far in the set. */
const PARTNERS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]

/** Compares two sets of the same rows. Throws a RangeError where they differ in shape. */
export function compareVectors(reference: VectorSet, other: VectorSet): Differences {
  const { dimensions } = reference
  if (other.dimensions !== dimensions || other.vectors.length !== reference.vectors.length)
    throw new RangeError('the two sets have different shapes')
  const rows = reference.vectors.length / dimensions
  const rowOf = ({ vectors }: VectorSet, row: number) => vectors.subarray(row * dimensions, (row + 1) * dimensions)
  const component = reference.vectors.map((value, i) => Math.abs(value - other.vectors[i]!))
  const cosineDistance = new Float64Array(rows)
  const similarity: number[] = []
  const fingerprints = Array.from({ length: FINGERPRINT_COMPONENTS + 1 }, () => 0)
  let identicalRows = 0
  for (let row = 0; row < rows; row++) {
    const [a, b] = [rowOf(reference, row), rowOf(other, row)]
    cosineDistance[row] = cosineDistanceOf(a, b)
    if (a.every((value, d) => value === b[d])) identicalRows++
    fingerprints[fingerprintAgreement(fingerprintOf(a), b)]!++
    for (const step of PARTNERS)
      if (step < rows) {
        const partner = (row + step) % rows
        similarity.push(Math.abs(dot(a, rowOf(reference, partner)) - dot(b, rowOf(other, partner))))
      }
  }
  return {
    rows,
    pairs: similarity.length,
    identicalRows,
    component: quantilesOf(component),
    cosineDistance: quantilesOf(cosineDistance),
    similarity: quantilesOf(Float64Array.from(similarity)),
    fingerprints,
  }
}

/** The numbers at half precision, which is how embeddings are stored and read by detectors. */
export function atHalfPrecision({ dimensions, vectors }: VectorSet): VectorSet {
  return { dimensions, vectors: Float32Array.from(new Float16Array(vectors)) }
}

/** 1 − cosine, as half the squared distance of the directions: exact where the two are nearly one. */
export function cosineDistanceOf(a: Float32Array, b: Float32Array): number {
  const [scaleA, scaleB] = [1 / Math.sqrt(dot(a, a)), 1 / Math.sqrt(dot(b, b))]
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += (a[d]! * scaleA - b[d]! * scaleB) ** 2
  return sum / 2
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!
  return sum
}

function fingerprintOf(row: Float32Array): Uint8Array {
  const bytes = new Uint8Array(FINGERPRINT_BYTES)
  writeFingerprint(row, bytes)
  return bytes
}

function quantilesOf(values: Float32Array | Float64Array): Quantiles {
  const sorted = values.toSorted()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { median: at(0.5), q9999: sorted.length < 10_000 ? at(1) : at(0.9999), greatest: at(1) }
}

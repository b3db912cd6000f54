/**
 * Vectors that lie as those of sentences do: in many crowds of few directions, each a little off them, of unit length. Always the same
 * for the same seed.
 */
import { createRandom } from './rows.ts'

/** Directions in which crowds differ, and rows of a crowd in the mean. */
const DIRECTIONS = 48
const CROWD_ROWS = 100
/** How far the rows of a crowd lie from its middle, and how much of a row is its own alone. */
const SPREAD = 0.6
const OWN = 0.35

export function makeVectors(count: number, dimensions: number, seed: number): Float32Array {
  return createVectorMaker(count, dimensions, seed)(count)
}

/** Gives the next so many rows of `count` altogether, each time it is called. */
export function createVectorMaker(count: number, dimensions: number, seed: number): (rows: number) => Float32Array<ArrayBuffer> {
  const random = createRandom(seed)
  // A sum of four uniform numbers is near enough to a normal one, of unit variance here.
  const normal = () => (random() + random() + random() + random() - 2) * Math.sqrt(3)
  // Later directions carry less, as the principal components of sentence embeddings do.
  const directions = Array.from({ length: DIRECTIONS }, (_, i) =>
    Float32Array.from({ length: dimensions }, () => normal() / Math.sqrt(dimensions * (1 + i / 8))),
  )
  const crowds = Array.from({ length: Math.ceil(count / CROWD_ROWS) }, () => Float32Array.from({ length: DIRECTIONS }, normal))
  const own = (OWN * Math.sqrt(12)) / Math.sqrt(dimensions)
  return (rows) => {
    const vectors = new Float32Array(rows * dimensions)
    for (let row = 0; row < rows; row++) {
      const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions)
      const middle = crowds[Math.floor(random() * crowds.length)]!
      for (let d = 0; d < dimensions; d++) vector[d] = own * (random() - 0.5)
      for (const [i, direction] of directions.entries()) {
        const weight = middle[i]! + SPREAD * normal()
        for (let d = 0; d < dimensions; d++) vector[d]! += weight * direction[d]!
      }
      let squares = 0
      for (let d = 0; d < dimensions; d++) squares += vector[d]! * vector[d]!
      const scale = 1 / Math.sqrt(squares)
      for (let d = 0; d < dimensions; d++) vector[d]! *= scale
    }
    return vectors
  }
}

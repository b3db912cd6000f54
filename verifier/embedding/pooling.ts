/** From a vector for each token to one for each text, as sentence-transformers does: pooled, then of unit length. */
import type { ModelReference } from '../../core/documents/recipe.ts'

export interface TokenShape {
  rows: number
  tokens: number
  dimensions: number
  /** `mean`: over the tokens that are not padding. `cls`: the first token. */
  pooling: ModelReference['pooling']
}

/**
 * Pools states (rows × tokens × dimensions) under a mask (rows × tokens; ones, then zeros) into rows × dimensions. Sums run in float64
 * in the order of the tokens, so that padding changes no bit.
 */
export function poolTokens(
  states: Float32Array,
  mask: BigInt64Array,
  { rows, tokens, dimensions, pooling }: TokenShape,
): Float32Array<ArrayBuffer> {
  const vectors = new Float32Array(rows * dimensions)
  const sum = new Float64Array(dimensions)
  for (let row = 0; row < rows; row++) {
    let length = 0
    while (length < tokens && mask[row * tokens + length] !== 0n) length++
    const first = row * tokens * dimensions
    const end = first + (pooling === 'cls' ? Math.min(1, length) : length) * dimensions
    sum.fill(0)
    for (let at = first; at < end; at += dimensions) for (let d = 0; d < dimensions; d++) sum[d]! += states[at + d]!
    writeUnit(sum, vectors, row * dimensions)
  }
  return vectors
}

/** The mean points where the sum points, so that only the direction is needed. */
function writeUnit(sum: Float64Array, target: Float32Array, offset: number): void {
  let squares = 0
  for (const value of sum) squares += value * value
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares)
  for (let d = 0; d < sum.length; d++) target[offset + d] = sum[d]! * scale
}

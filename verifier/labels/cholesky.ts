/** Cholesky's decomposition by IEEE-exact operations in a fixed order: the same digits everywhere. */

const LEAST_PIVOT = 1e-12

/** Solves A·X = B in place of B (size × columns). Of A, symmetric and positive definite, the lower triangle is read, and overwritten by its factor. */
export function solveSymmetric(a: Float64Array, b: Float64Array, size: number, columns: number): void {
  factorSymmetric(a, size)
  solveFactored(a, b, size, columns)
}

/** Overwrites the lower triangle of A, symmetric and positive definite, by its factor. Pivots that rounding would make negative are kept above 0. */
export function factorSymmetric(a: Float64Array, size: number): void {
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * size + j]!
      for (let k = 0, left = i * size, right = j * size; k < j; k++, left++, right++) sum -= a[left]! * a[right]!
      a[i * size + j] = i === j ? Math.sqrt(Math.max(sum, LEAST_PIVOT)) : sum / a[j * size + j]!
    }
}

/** Solves A·X = B in place of B (size × columns), given A's factor. */
export function solveFactored(a: Float64Array, b: Float64Array, size: number, columns: number): void {
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) subtract(b, i, k, a[i * size + k]!, columns)
    divide(b, i, a[i * size + i]!, columns)
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) subtract(b, i, k, a[k * size + i]!, columns)
    divide(b, i, a[i * size + i]!, columns)
  }
}

/** Row `to` less `times` row `from`. */
function subtract(b: Float64Array, to: number, from: number, times: number, columns: number): void {
  for (let c = 0, left = to * columns, right = from * columns; c < columns; c++, left++, right++) b[left]! -= times * b[right]!
}

function divide(b: Float64Array, row: number, by: number, columns: number): void {
  for (let c = 0, at = row * columns; c < columns; c++, at++) b[at]! /= by
}

/**
 * Inclusion of several leaves at once: the tree of RFC 9162 §2.1.1 is walked from its root, left before right; a range without any of
 * the leaves takes the next hash of the proof, a leaf is one of those given, and every inner node is hashed once. For one leaf the proof
 * has as many hashes as its audit path.
 */
import { equalBytes } from '../bytes.ts'
import { DIGEST_LENGTH, type Sha256, sha256 } from '../hash.ts'
import { nodeHash } from './tree.ts'

export interface MultiInclusionClaim {
  /** Ascending, each once. */
  indices: readonly number[]
  /** Of the leaves, in the order of `indices`. */
  leafHashes: readonly Uint8Array[]
  size: number
  /** What `multiInclusionProof` gives, from outside. */
  proof: readonly Uint8Array[]
  rootHash: Uint8Array
}

/** Whether these leaves stand at these places of the tree with this root. Never throws; takes time in the number of leaves and hashes. */
export function verifyMultiInclusion({ indices, leafHashes, size, proof, rootHash }: MultiInclusionClaim, hash: Sha256 = sha256): boolean {
  if (!isAscending(indices, size) || indices.length !== leafHashes.length) return false
  if (![...leafHashes, ...proof].every(({ length }) => length === DIGEST_LENGTH)) return false
  let taken = 0
  const rootOf = (start: number, end: number, first: number, last: number): Uint8Array | null => {
    if (first === last) return proof[taken++] ?? null
    if (end - start === 1) return leafHashes[first]!
    const middle = start + largestPowerOfTwoBelow(end - start)
    const split = splitAt(indices, first, last, middle)
    const left = rootOf(start, middle, first, split)
    const right = left === null ? null : rootOf(middle, end, split, last)
    return left === null || right === null ? null : nodeHash(left, right, hash)
  }
  const root = rootOf(0, size, 0, indices.length)
  return root !== null && taken === proof.length && equalBytes(root, rootHash)
}

/** Whether these are places in a tree of `size` leaves, at least one, ascending, each once. */
export function isAscending(indices: readonly number[], size: number): boolean {
  if (!Number.isSafeInteger(size)) return false
  const inOrder = indices.every((index, i) => Number.isSafeInteger(index) && index >= 0 && (i === 0 || indices[i - 1]! < index))
  return indices.length > 0 && inOrder && indices.at(-1)! < size
}

/** The first of indices[first … last − 1] that is not below `middle`, as a place among the indices. */
export function splitAt(indices: readonly number[], first: number, last: number, middle: number): number {
  let low = first
  let high = last
  while (low < high) {
    const at = (low + high) >>> 1
    if (indices[at]! < middle) low = at + 1
    else high = at
  }
  return low
}

/** The largest power of two that is smaller than n, for 2 ≤ n ≤ 2^53. */
export function largestPowerOfTwoBelow(n: number): number {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}

/**
 * Merkle tree hashing and proof verification after RFC 9162 §2.1 (the same tree as RFC 6962 §2.1), SHA-256. Proofs and their
 * numbers come from outside: nothing here throws on them, a proof that does not fit is false.
 */
import { DIGEST_LENGTH, type Sha256, sha256 } from '../hash.ts'
import { equalBytes } from '../bytes.ts'

const LEAF_PREFIX = 0x00
const NODE_PREFIX = 0x01

/** Root of the tree without leaves: the hash of the empty string. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0))

/** Hash of a leaf: SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array, hash: Sha256 = sha256): Uint8Array {
  const block = new Uint8Array(1 + entry.length)
  block[0] = LEAF_PREFIX
  block.set(entry, 1)
  return hash(block)
}

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array, hash: Sha256 = sha256): Uint8Array {
  nodeBlock.set(left, 1)
  nodeBlock.set(right, 1 + DIGEST_LENGTH)
  return hash(nodeBlock)
}

/** Written anew for every node: hashing is synchronous, and a fresh block for each would take a quarter of the time. */
const nodeBlock = new Uint8Array(1 + 2 * DIGEST_LENGTH)
nodeBlock[0] = NODE_PREFIX

/**
 * Root of the tree over one or more neighbouring subtrees, left to right, all complete and of one size but for the last, which may
 * be smaller and ragged. With leaf hashes this is MTH of RFC 9162 §2.1.1.
 */
export function foldHashes(hashes: readonly Uint8Array[], hash: Sha256 = sha256): Uint8Array {
  let level = hashes
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let i = 0; i + 1 < level.length; i += 2) next.push(nodeHash(level[i]!, level[i + 1]!, hash))
    if (level.length % 2 === 1) next.push(level.at(-1)!)
    level = next
  }
  return level[0] ?? EMPTY_ROOT
}

export interface InclusionClaim {
  leafHash: Uint8Array
  index: number
  size: number
  /** Sibling hashes from the leaf upwards. */
  proof: readonly Uint8Array[]
  rootHash: Uint8Array
}

/** Whether the leaf stands at `index` in the tree of `size` leaves with this root (RFC 9162 §2.1.3.2). */
export function verifyInclusion({ leafHash, index, size, proof, rootHash }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areDigests([leafHash, rootHash, ...proof])) return false
  let node = index
  let last = size - 1
  let hash = leafHash
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      // A left sibling of the ragged right edge may stand several levels higher.
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && equalBytes(hash, rootHash)
}

export interface ConsistencyClaim {
  oldSize: number
  oldRoot: Uint8Array
  newSize: number
  newRoot: Uint8Array
  proof: readonly Uint8Array[]
}

/**
 * Whether the new tree begins with all leaves of the old one (RFC 9162 §2.1.4.2). Between equal sizes the proof is empty and the
 * roots are equal; every tree begins with the empty one, whose root must then be EMPTY_ROOT.
 */
export function verifyConsistency({ oldSize, oldRoot, newSize, newRoot, proof }: ConsistencyClaim): boolean {
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize || !areDigests([oldRoot, newRoot, ...proof])) return false
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot) && (oldSize > 0 || equalBytes(oldRoot, EMPTY_ROOT))
  if (oldSize === 0) return proof.length === 0 && equalBytes(oldRoot, EMPTY_ROOT)

  let node = oldSize - 1
  let last = newSize - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  // An old tree that is one complete subtree of the new one proves itself.
  const path = node === 0 ? [oldRoot, ...proof] : proof
  const [first, ...rest] = path
  if (first === undefined) return false
  let oldHash = first
  let newHash = first
  for (const sibling of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      newHash = nodeHash(newHash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && equalBytes(oldHash, oldRoot) && equalBytes(newHash, newRoot)
}

/** Sizes pass 2^32, where `>>` ends. */
function half(n: number): number {
  return Math.floor(n / 2)
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0
}

function areDigests(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === DIGEST_LENGTH)
}

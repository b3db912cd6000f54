/**
 * The order in which a training run reads its samples: a keyed pseudorandom bijection between positions and ranks, both
 * 0 … size − 1, that can be evaluated anywhere in either direction in constant time and memory.
 *
 * Construction: a balanced Feistel network of 8 rounds over 2h bits, with cycle walking down to `size` (Black and Rogaway,
 * "Ciphers with Arbitrary Finite Domains", 2002, §3 and 5). It is a shuffle that two parties can agree on, not encryption.
 *
 * - S = the bytes `assay.order.v1` + 0x00, u32 length of the seed in bytes, the seed in UTF-8, u64 epoch, u64 size; big-endian.
 * - Keys: K = SHA-256(0x00 ‖ S) ‖ SHA-256(0x01 ‖ S), 64 bytes. Round i (0 … 7) has the key K[8i … 8i + 7].
 * - h = the smallest number from 4 up with 2^(2h) ≥ size. At least 8 bits, because a network over 2 or 4 bits reaches too few of the
 *   permutations.
 * - F(i, x), for x < 2^h: HalfSipHash-2-4 with 32 bits of output (J.-P. Aumasson, https://github.com/veorq/SipHash, halfsiphash.c)
 *   under key i of the 4 bytes of x, little-endian; of it the lowest h bits.
 * - E(p): L = ⌊p / 2^h⌋, R = p mod 2^h; for i = 0 … 7: (L, R) = (R, L xor F(i, R)); the result is L · 2^h + R.
 * - order(p) = the first of E(p), E(E(p)), … that is below size.
 *
 * Vectors: test/core/vectors/order.json.
 */
import { concatBytes, utf8ToBytes } from './bytes.ts'
import { sha256 } from './hash.ts'
import { Problem } from './problem.ts'

export interface OrderKey {
  /** Any text, usually a decimal number. */
  seed: string
  /** From 0. */
  epoch: number
  /** Number of selected samples, at most MAX_ORDER_SIZE. */
  size: number
}

/** A bijection on 0 … size − 1. Throws a RangeError outside. */
export type Order = (position: number) => number

export const MAX_ORDER_SIZE = 2 ** 48

const ROUNDS = 8
const LABEL = utf8ToBytes('assay.order.v1\0')

/** From a position in the epoch to the rank of a sample among those selected. Throws `invalid-request` for a key out of range. */
export function createOrder(key: OrderKey): Order {
  const { keys, halfBits } = schedule(key)
  const halfSize = 2 ** halfBits
  const mask = halfSize - 1
  return walk(key.size, (position) => {
    let left = Math.floor(position / halfSize)
    let right = position % halfSize
    for (let round = 0; round < ROUNDS; round++) {
      const next = left ^ (halfSipHash(keys[2 * round]!, keys[2 * round + 1]!, right) & mask)
      left = right
      right = next
    }
    return left * halfSize + right
  })
}

/** The inverse: from the rank of a sample among those selected to its position in the epoch. */
export function createInverseOrder(key: OrderKey): Order {
  const { keys, halfBits } = schedule(key)
  const halfSize = 2 ** halfBits
  const mask = halfSize - 1
  return walk(key.size, (rank) => {
    let left = Math.floor(rank / halfSize)
    let right = rank % halfSize
    for (let round = ROUNDS - 1; round >= 0; round--) {
      const previous = right ^ (halfSipHash(keys[2 * round]!, keys[2 * round + 1]!, left) & mask)
      right = left
      left = previous
    }
    return left * halfSize + right
  })
}

/** Cycle walking: a permutation of a larger domain, repeated until it is back within `size`. */
function walk(size: number, permute: (value: number) => number): Order {
  return (start) => {
    if (!Number.isInteger(start) || start < 0 || start >= size) throw new RangeError(`position ${start} of ${size}`)
    let value = permute(start)
    while (value >= size) value = permute(value)
    return value
  }
}

function schedule({ seed, epoch, size }: OrderKey): { keys: Uint32Array; halfBits: number } {
  if (!seed.isWellFormed()) throw new Problem('invalid-request', 'the seed has half a surrogate pair')
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new Problem('invalid-request', `${epoch} is no epoch; count from 0`)
  if (!Number.isInteger(size) || size < 0 || size > MAX_ORDER_SIZE)
    throw new Problem('invalid-request', `an order takes 0 to 2^48 samples, not ${size}`)
  const seedBytes = utf8ToBytes(seed)
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, seedBytes.length)
  const tail = new Uint8Array(16)
  const tailView = new DataView(tail.buffer)
  tailView.setBigUint64(0, BigInt(epoch))
  tailView.setBigUint64(8, BigInt(size))
  const material = concatBytes(LABEL, head, seedBytes, tail)
  const bytes = concatBytes(sha256(concatBytes(Uint8Array.of(0), material)), sha256(concatBytes(Uint8Array.of(1), material)))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  // HalfSipHash reads its key as two little-endian words.
  const keys = Uint32Array.from({ length: 2 * ROUNDS }, (_, word) => view.getUint32(4 * word, true))
  let halfBits = 4
  while (2 ** (2 * halfBits) < size) halfBits++
  return { keys, halfBits }
}

/** HalfSipHash-2-4 of the 4 little-endian bytes of `word`, 32 bits of output (as a signed number). */
function halfSipHash(key0: number, key1: number, word: number): number {
  let v0 = key0 | 0
  let v1 = key1 | 0
  let v2 = 0x6c796765 ^ key0
  let v3 = 0x74656462 ^ key1
  // Two blocks (the word, then the length in the top byte) of 2 rounds each, then 4 rounds to finish.
  for (let round = 0; round < 8; round++) {
    if (round === 0) v3 ^= word
    if (round === 2) {
      v0 ^= word
      v3 ^= 0x04000000
    }
    if (round === 4) {
      v0 ^= 0x04000000
      v2 ^= 0xff
    }
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
  }
  return v1 ^ v3
}

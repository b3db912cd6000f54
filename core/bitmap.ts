/**
 * A dense set of sample numbers: sample i is bit i mod 8 (least significant first) of byte ⌊i / 8⌋, unused bits are 0. This is
 * the layout of a Selection's bitmap and of Arrow's validity bitmaps.
 *
 * `rank` and `selectNth` use a directory of running counts, one for each block of bits, made on their first call after a change.
 */
import { Problem } from './problem.ts'

/** Bytes of one block of the directory: 2048 samples, so that the directory adds 3 % to the bitmap. */
const BLOCK_BYTES = 256

const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).length)

export class Bitmap {
  /** How many samples there are, selected or not. */
  readonly size: number
  /** ⌈size / 8⌉ bytes, shared and not copied. Change them through `set` alone. */
  readonly bytes: Uint8Array
  /** Entry b counts the bits set before block b; the last counts all. */
  #directory: Float64Array | null = null

  /** Use `createBitmap` or `bitmapFromBytes`, which see to it that size and bytes agree. */
  constructor(size: number, bytes: Uint8Array) {
    this.size = size
    this.bytes = bytes
  }

  /** Throws a RangeError outside 0 … size − 1. */
  get(index: number): boolean {
    this.#check(index)
    return (this.bytes[Math.floor(index / 8)]! & (1 << (index % 8))) !== 0
  }

  /** Throws a RangeError outside 0 … size − 1. */
  set(index: number, value = true): void {
    this.#check(index)
    const at = Math.floor(index / 8)
    const mask = 1 << (index % 8)
    this.bytes[at] = value ? this.bytes[at]! | mask : this.bytes[at]! & ~mask
    this.#directory = null
  }

  /** How many bits are set. */
  count(): number {
    return this.#counts().at(-1)!
  }

  /** How many bits below `index` are set; `index` is 0 … size. */
  rank(index: number): number {
    if (index !== this.size) this.#check(index)
    const end = Math.floor(index / 8)
    const block = Math.floor(end / BLOCK_BYTES)
    let rank = this.#counts()[block]!
    for (let at = block * BLOCK_BYTES; at < end; at++) rank += BITS_SET[this.bytes[at]!]!
    return index % 8 === 0 ? rank : rank + BITS_SET[this.bytes[end]! & ((1 << (index % 8)) - 1)]!
  }

  /** The index of the k-th bit that is set, k = 0 … count() − 1. Throws a RangeError outside. */
  selectNth(k: number): number {
    const counts = this.#counts()
    if (!Number.isInteger(k) || k < 0 || k >= counts.at(-1)!) throw new RangeError(`bit ${k} of ${counts.at(-1)} that are set`)
    let low = 0
    let high = counts.length - 1
    // The block: the last one with at most k bits before it.
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (counts[middle]! <= k) low = middle
      else high = middle
    }
    let rest = k - counts[low]!
    let at = low * BLOCK_BYTES
    for (let bits = BITS_SET[this.bytes[at]!]!; bits <= rest; bits = BITS_SET[this.bytes[at]!]!) {
      rest -= bits
      at++
    }
    let byte = this.bytes[at]!
    for (; rest > 0; rest--) byte &= byte - 1
    return at * 8 + (31 - Math.clz32(byte & -byte))
  }

  /** Every index whose bit is set, ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (let at = 0; at < this.bytes.length; at++)
      for (let byte = this.bytes[at]!; byte !== 0; byte &= byte - 1) yield at * 8 + (31 - Math.clz32(byte & -byte))
  }

  #check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) throw new RangeError(`sample ${index} of ${this.size}`)
  }

  #counts(): Float64Array {
    if (this.#directory === null) {
      const counts = new Float64Array(Math.ceil(this.bytes.length / BLOCK_BYTES) + 1)
      for (let at = 0; at < this.bytes.length; at++) counts[Math.floor(at / BLOCK_BYTES) + 1]! += BITS_SET[this.bytes[at]!]!
      for (let block = 1; block < counts.length; block++) counts[block]! += counts[block - 1]!
      this.#directory = counts
    }
    return this.#directory
  }
}

/** A bitmap of `size` samples, none of them selected. */
export function createBitmap(size: number): Bitmap {
  return new Bitmap(size, new Uint8Array(Math.ceil(size / 8)))
}

/** A bitmap from foreign bytes, which it keeps. Throws `invalid-document` when there are too few or too many, or an unused bit is set. */
export function bitmapFromBytes(bytes: Uint8Array, size: number): Bitmap {
  if (bytes.length !== Math.ceil(size / 8))
    throw new Problem('invalid-document', `a bitmap of ${size} samples has ${Math.ceil(size / 8)} bytes, not ${bytes.length}`)
  if (size % 8 !== 0 && bytes.at(-1)! >> (size % 8) !== 0) throw new Problem('invalid-document', 'the bitmap selects samples past its end')
  return new Bitmap(size, bytes)
}

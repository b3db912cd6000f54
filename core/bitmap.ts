/** Sample i is bit i mod 8 (least significant first) of byte ⌊i / 8⌋; unused bits are 0. */
export class Bitmap {
  readonly size: number
  readonly bytes: Uint8Array
  constructor(size: number, bytes: Uint8Array) {
    this.size = size
    this.bytes = bytes
  }
  get(index: number): boolean {
    throw new Error(`being written ${index}`)
  }
  set(index: number, value = true): void {
    throw new Error(`being written ${index} ${value}`)
  }
  /** How many bits are set. */
  count(): number {
    throw new Error('being written')
  }
  /** How many bits below `index` are set. */
  rank(index: number): number {
    throw new Error(`being written ${index}`)
  }
  /** The index of the k-th set bit, k from 0. Throws RangeError where k ≥ count(). */
  selectNth(k: number): number {
    throw new Error(`being written ${k}`)
  }
}
/** All bits 0. */
export function createBitmap(size: number): Bitmap {
  return new Bitmap(size, new Uint8Array(Math.ceil(size / 8)))
}
/** Throws `invalid-document` when the length is wrong or an unused bit is set. */
export function bitmapFromBytes(bytes: Uint8Array, size: number): Bitmap {
  return new Bitmap(size, bytes)
}

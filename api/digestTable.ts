/**
 * Looking a sample's digest up in the digest table of an index: records of a 32-byte digest and a u64 big-endian sample number, sorted by digest.
 * Digests are uniform, so the place of one is guessed from its value (interpolation search) and a few ranged reads find it in any table.
 */
import { DIGEST_LENGTH } from '../core/hash.ts'
import { compareBytes } from '../core/bytes.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import type { Blocks } from '../store/blocks.ts'
import { RECORD_BYTES } from '../store/digestTable.ts'

/** Records of one ranged read: 40 kB of a block that is read and verified as a whole anyway. */
const WINDOW = 1024

/** The numbers of the samples with this digest, ascending, at most `limit`; empty when the index has none. */
export async function findDigest(blocks: Blocks, index: SampleIndex, digest: Uint8Array, limit: number): Promise<number[]> {
  const read = createRecordReader(blocks, index)
  const numbers: number[] = []
  for (let place = await lowerBound(read, index.sampleCount, digest); numbers.length < limit && place < index.sampleCount;) {
    const window = await read(place, Math.min(index.sampleCount, place + WINDOW))
    for (let i = 0; i < window.count; i++) {
      if (compareBytes(window.digest(i), digest) !== 0 || numbers.length === limit) return numbers
      numbers.push(window.sampleNumber(i))
    }
    place += window.count
  }
  return numbers
}

interface Window {
  count: number
  digest(i: number): Uint8Array
  sampleNumber(i: number): number
}

type ReadRecords = (from: number, to: number) => Promise<Window>

function createRecordReader(blocks: Blocks, index: SampleIndex): ReadRecords {
  return async (from, to) => {
    const count = to - from
    const pieces: Uint8Array[] = []
    for await (const piece of blocks.readFile(index.digestTable, { offset: from * RECORD_BYTES, length: count * RECORD_BYTES }))
      pieces.push(piece)
    const bytes = Buffer.concat(pieces)
    if (bytes.length !== count * RECORD_BYTES) throw new Error(`the digest table ${index.digestTable.toString()} is cut short`)
    return {
      count,
      digest: (i) => bytes.subarray(i * RECORD_BYTES, i * RECORD_BYTES + DIGEST_LENGTH),
      sampleNumber: (i) => Number(bytes.readBigUInt64BE(i * RECORD_BYTES + DIGEST_LENGTH)),
    }
  }
}

/** The first record whose digest is not below `digest`; `size` where all are. */
async function lowerBound(read: ReadRecords, size: number, digest: Uint8Array): Promise<number> {
  const guess = Math.floor(fraction(digest) * size)
  let low = 0
  let high = size
  // The guess is off by about √size at most; halving finishes whatever it does not hit.
  for (let first = guess; low < high; first = Math.floor((low + high) / 2)) {
    const from = Math.max(low, Math.min(first - WINDOW / 2, high - WINDOW))
    const to = Math.min(high, from + WINDOW)
    const window = await read(from, to)
    const place = firstNotBelow(window, digest)
    if (place === window.count) low = to
    else if (place === 0 && from > low) high = from
    else return from + place
  }
  return low
}

function firstNotBelow(window: Window, digest: Uint8Array): number {
  let low = 0
  let high = window.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes(window.digest(middle), digest) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** A digest as a fraction of all digests, in [0, 1). */
function fraction(digest: Uint8Array): number {
  return Buffer.from(digest).readUIntBE(0, 6) / 2 ** 48
}

/**
 * The rows of a sampled audit: chosen by SHA-256(beacon ‖ root), so that whoever signed what is under `root` could not know them, and
 * whoever knows both can choose them again. The seed is expanded as SHA-256(seed ‖ counter), the counter in 8 bytes big-endian; of each
 * digest come four 8-byte numbers, of which those that would favour low rows are passed over, and so are rows that were chosen before.
 */
import { concatBytes } from './bytes.ts'
import { DIGEST_LENGTH, type Sha256, sha256 } from './hash.ts'

export interface RowSampleOptions {
  /** Randomness that nobody knew when `root` was fixed: an auditor's own, or a public beacon's. */
  beacon: Uint8Array
  /** What the rows were committed to: the 32-byte digest of a report's CID. */
  root: Uint8Array
  rowCount: number
  /** Rows to choose; all of them where there are no more. */
  count: number
}

/** Distinct rows in rising order. */
export function sampleRows({ beacon, root, rowCount, count }: RowSampleOptions, hash: Sha256 = sha256): number[] {
  if (count >= rowCount) return Array.from({ length: rowCount }, (_, row) => row)
  const seed = hash(concatBytes(beacon, root))
  const limit = 2n ** 64n - (2n ** 64n % BigInt(rowCount))
  const rows = new Set<number>()
  for (let counter = 0n; rows.size < count; counter++) {
    const block = new Uint8Array(DIGEST_LENGTH + 8)
    block.set(seed)
    new DataView(block.buffer).setBigUint64(DIGEST_LENGTH, counter)
    const digest = hash(block)
    const numbers = new DataView(digest.buffer, digest.byteOffset, DIGEST_LENGTH)
    for (let at = 0; at < DIGEST_LENGTH && rows.size < count; at += 8) {
      const number = numbers.getBigUint64(at)
      if (number < limit) rows.add(Number(number % BigInt(rowCount)))
    }
  }
  return [...rows].sort((a, b) => a - b)
}

/** The chance that a sample of `count` rows holds none of the affected share of rows. */
export function missProbability(share: number, count: number): number {
  return (1 - share) ** count
}

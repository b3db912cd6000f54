/**
 * The digest table of an index at rest: (32-byte digest, u64 big-endian sample number) records sorted by digest and number, from a row to
 * its places. The indexer writes it, the api looks rows up in it, the verifier reads it from front to back.
 */
import type { CID } from '../core/cid.ts'
import { DIGEST_LENGTH } from '../core/hash.ts'
import type { Blocks } from './blocks.ts'

export const RECORD_BYTES = DIGEST_LENGTH + 8

/** Whole records of a table, many at a time. */
export async function* digestRecords(blocks: Blocks, table: CID, signal: AbortSignal): AsyncGenerator<DataView<ArrayBuffer>> {
  let rest = new Uint8Array(0)
  for await (const piece of blocks.readFile(table, { signal })) {
    const bytes = new Uint8Array(rest.length + piece.length)
    bytes.set(rest)
    bytes.set(piece, rest.length)
    const whole = bytes.length - (bytes.length % RECORD_BYTES)
    if (whole > 0) yield new DataView(bytes.buffer, 0, whole)
    rest = bytes.subarray(whole)
  }
  if (rest.length > 0) throw new RangeError(`the digest table ${table.toString()} ends within a record`)
}

/** The sample number of the record at `offset`. */
export function sampleOf(records: DataView, offset: number): number {
  return Number(records.getBigUint64(offset + DIGEST_LENGTH))
}

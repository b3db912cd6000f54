/**
 * Where an audit gets its evidence. Nothing that a source gives is believed: every answer is checked against a CID, a signature or
 * a tree before it is used, so a source may be a registry, a mirror, a folder, or the very party under audit.
 */
import { type CID, blockMatches } from '../cid.ts'
import type { Encoded } from '../documents/document.ts'
import type { SampleIndex } from '../documents/sampleIndex.ts'
import { type Sha256, sha256 } from '../hash.ts'
import { Problem } from '../problem.ts'
import type { Row } from '../samples/value.ts'
import type { GetBlock } from '../unixfs/node.ts'

/** A claim that somebody signed a document, and where the log is said to hold it. */
export interface LoggedEnvelope {
  /** Bytes of the DSSE envelope. */
  envelope: Uint8Array
  /** Index of the log entry; null while the sequencer has not taken it. */
  logIndex: number | null
}

/** Throws Problem `not-found` or `block-missing` for what it does not have and `unavailable` when it cannot be reached. */
export interface AuditSource {
  /** Bytes of a signed document or a selection. */
  document(cid: CID): Promise<Uint8Array>
  /** The envelopes of a document, oldest first. */
  envelopes(document: CID): Promise<LoggedEnvelope[]>
  /** Bytes of one block of at most 2 MiB. */
  block(cid: CID): Promise<Uint8Array>
  /** The log's newest checkpoint, a signed note. */
  checkpoint(): Promise<Uint8Array>
  /** A log tile of `width` 32-byte hashes, or a wider form of it. */
  logTile(level: number, index: number, width: number): Promise<Uint8Array>
  /** The row with this sample number. */
  row(index: Encoded<SampleIndex>, sampleNumber: number): Promise<Row>
}

/** Largest block that is accepted (trustless gateways serve no larger one). */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024

/** Blocks whose bytes have been hashed. Throws `block-corrupt` for any other bytes. */
export function verifiedBlocks(getBlock: GetBlock, hash: Sha256 = sha256): GetBlock {
  return async (cid) => {
    const bytes = await getBlock(cid)
    if (bytes.length > MAX_BLOCK_BYTES) throw new Problem('block-corrupt', `block ${cid.toString()} is given as ${bytes.length} bytes`)
    if (!blockMatches(cid, bytes, hash)) throw new Problem('block-corrupt', `the bytes given as block ${cid.toString()} have another hash`)
    return bytes
  }
}

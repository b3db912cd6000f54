/**
 * What the log records: that this document was signed by this envelope. An entry is canonical DAG-JSON; its leaf hash is RFC 6962's
 * over those bytes. Bundles of 256 entries are served as https://c2sp.org/tlog-tiles, §Log Entries says.
 */
import { z } from 'zod'
import type { CID } from '../cid.ts'
import { Link } from '../documents/common.ts'
import { encodeDagJson, parseDagJson } from '../documents/document.ts'
import { TILE_WIDTH } from '../merkle/tiles.ts'
import { Problem } from '../problem.ts'
import { SignedKind } from '../statement.ts'

export const MAX_ENTRY_BYTES = 1024
const LENGTH_BYTES = 2

const LogEntry = z.strictObject({ v: z.literal(1), kind: SignedKind, document: Link, envelope: Link })

export interface LogEntry {
  v: 1
  kind: SignedKind
  document: CID
  envelope: CID
}

export function encodeLogEntry({ kind, document, envelope }: Omit<LogEntry, 'v'>): Uint8Array {
  return encodeDagJson({ v: 1, kind, document, envelope } satisfies LogEntry)
}

/** Parses an entry from outside. Throws `invalid-document`. */
export function parseLogEntry(bytes: Uint8Array): LogEntry {
  const result = LogEntry.safeParse(parseDagJson(bytes, MAX_ENTRY_BYTES))
  if (!result.success) throw new Problem('invalid-document', 'not a log entry: expected v, kind, document and envelope')
  return result.data
}

/** A bundle of 1 … 256 entries: each after its length as a big-endian uint16. */
export function encodeEntryTile(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + LENGTH_BYTES + entry.length, 0))
  const view = new DataView(bytes.buffer)
  let offset = 0
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new RangeError(`an entry has at most 65,535 bytes, not ${entry.length}`)
    view.setUint16(offset, entry.length)
    bytes.set(entry, offset + LENGTH_BYTES)
    offset += LENGTH_BYTES + entry.length
  }
  return bytes
}

/** The entries of a bundle from outside, as views. Throws `invalid-document` when it is cut short or holds none or more than 256. */
export function parseEntryTile(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Uint8Array[] = []
  for (let offset = 0; offset < bytes.length;) {
    const start = offset + LENGTH_BYTES
    const end = start <= bytes.length ? start + view.getUint16(offset) : Infinity
    if (end > bytes.length) throw new Problem('invalid-document', 'the bundle of log entries is cut short')
    entries.push(bytes.subarray(start, end))
    offset = end
  }
  if (entries.length === 0 || entries.length > TILE_WIDTH)
    throw new Problem('invalid-document', `a bundle holds 1 to ${TILE_WIDTH} log entries, not ${entries.length}`)
  return entries
}

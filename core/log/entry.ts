/**
 * What the log records: that this document was signed by this envelope; of an index also its sample tree, so that a sample is proved by
 * hashes alone, without the documents between. An entry is canonical DAG-JSON; its leaf hash is RFC 6962's over those bytes. Bundles of 256 entries are served as https://c2sp.org/tlog-tiles, §Log Entries says.
 */
import { z } from 'zod'
import type { CID } from '../cid.ts'
import { Count, Hex32, Link } from '../documents/common.ts'
import { type DocumentOf, type Encoded, encodeDagJson, parseDagJson } from '../documents/document.ts'
import { TILE_WIDTH } from '../merkle/tiles.ts'
import { Problem } from '../problem.ts'
import { SignedKind } from '../statement.ts'

export const MAX_ENTRY_BYTES = 1024
const LENGTH_BYTES = 2

export const SampleTreeHead = z.strictObject({ rootHash: Hex32, size: Count })
/** Root hash in hexadecimal, and how many samples there are. */
export type SampleTreeHead = z.infer<typeof SampleTreeHead>

const LogEntry = z
  .strictObject({ v: z.literal(1), kind: SignedKind, document: Link, envelope: Link, tree: SampleTreeHead.optional() })
  .refine(({ kind, tree }) => (kind === 'index') === (tree !== undefined), 'an index, and nothing else, has a tree')

export interface LogEntry {
  v: 1
  kind: SignedKind
  document: CID
  envelope: CID
  /** Of an index. */
  tree?: SampleTreeHead
}

/** The bytes of an entry. Throws a RangeError for an index without its tree, and for anything else with one. */
export function encodeLogEntry({ kind, document, envelope, tree }: Omit<LogEntry, 'v'>): Uint8Array {
  if ((kind === 'index') !== (tree !== undefined)) throw new RangeError(`an entry of kind ${kind} ${tree ? 'has no' : 'needs its'} tree`)
  return encodeDagJson({ v: 1, kind, document, envelope, ...(tree === undefined ? {} : { tree }) } satisfies LogEntry)
}

/** The entry of a document that was signed by this envelope. */
export function logEntryOf<K extends SignedKind>(kind: K, { cid, document }: Encoded<DocumentOf<K>>, envelope: CID): Uint8Array {
  return encodeLogEntry({ kind, document: cid, envelope, ...treeOf(document) })
}

/** The sample tree of an index, as its entry has it; nothing of other documents. */
export function treeOf(document: DocumentOf<SignedKind>): { tree?: SampleTreeHead } {
  return document.kind === 'index' ? { tree: { rootHash: document.tree.rootHash, size: document.sampleCount } } : {}
}

/** Parses an entry from outside. Throws `invalid-document`. */
export function parseLogEntry(bytes: Uint8Array): LogEntry {
  const result = LogEntry.safeParse(parseDagJson(bytes, MAX_ENTRY_BYTES))
  if (!result.success) throw new Problem('invalid-document', 'not a log entry: expected v, kind, document and envelope')
  const { tree, ...entry } = result.data
  return tree === undefined ? entry : { ...entry, tree }
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

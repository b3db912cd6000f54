/**
 * Documents as blocks, and who attested them. The order of writes: the blocks of a document and of its envelope are durable and
 * pinned before any row names them, so a row never points at nothing; a crash in between leaves two small blocks that nobody names.
 */
import { bytesToHex, hexToBytes } from '../core/bytes.ts'
import { CID, CODEC_DAG_JSON, CODEC_RAW } from '../core/cid.ts'
import { type DocumentKind, type DocumentOf, type Encoded, MAX_DOCUMENT_BYTES, parseDocument } from '../core/documents/document.ts'
import type { SampleTreeHead } from '../core/log/entry.ts'
import { Problem } from '../core/problem.ts'
import type { Blocks } from './blocks.ts'
import type { Database } from './database.ts'

/** Who signed a document, and when they say so. */
export interface Attestation {
  kind: DocumentKind
  document: CID
  envelope: CID
  author: string
  createdAt: Date
  /** Of an index. */
  tree?: SampleTreeHead
}

/** Stores a document's block, pinned by itself (not what it links to). */
export async function putDocument(blocks: Blocks, encoded: Encoded<unknown>): Promise<CID> {
  const cid = await blocks.put(CODEC_DAG_JSON, encoded.bytes)
  await blocks.pin(cid, { recursive: false })
  return cid
}

/** Stores a DSSE envelope as a raw block, pinned. */
export async function putEnvelope(blocks: Blocks, bytes: Uint8Array): Promise<CID> {
  const cid = await blocks.put(CODEC_RAW, bytes)
  await blocks.pin(cid, { recursive: false })
  return cid
}

/** Reads a document of this kind from the blocks. Throws `block-missing`, `block-corrupt` or `invalid-document`. */
export async function loadDocument<K extends DocumentKind>(blocks: Blocks, kind: K, cid: CID): Promise<Encoded<DocumentOf<K>>> {
  if (cid.code !== CODEC_DAG_JSON) throw new Problem('invalid-document', `${cid.toString()} is not the CID of a document`)
  const bytes = await blocks.get(cid)
  if (bytes.length > MAX_DOCUMENT_BYTES) throw new Problem('invalid-document', `${cid.toString()} is larger than a document may be`)
  return parseDocument(kind, bytes, blocks.hash)
}

/** Records that a document exists. For the kinds that nobody signs this is all there is. */
export async function saveDocument(db: Database, kind: DocumentKind, cid: CID): Promise<void> {
  await db
    .insertInto('documents')
    .values({ cid: cid.toString(), kind })
    .onConflict((conflict) => conflict.column('cid').doNothing())
    .execute()
}

/** Records a document and its attestation. One author attests a document once: a second envelope of the same author changes nothing. */
export async function saveAttested(db: Database, attestation: Attestation): Promise<void> {
  await saveDocument(db, attestation.kind, attestation.document)
  await db
    .insertInto('attestations')
    .values({
      envelope_cid: attestation.envelope.toString(),
      document_cid: attestation.document.toString(),
      kind: attestation.kind,
      author: attestation.author,
      created_at: attestation.createdAt,
      log_index: null,
      tree_root: attestation.tree === undefined ? null : hexToBytes(attestation.tree.rootHash),
      tree_size: attestation.tree?.size ?? null,
    })
    .onConflict((conflict) => conflict.columns(['document_cid', 'author']).doNothing())
    .execute()
}

export interface RecordedAttestation extends Attestation {
  /** Place in the log; null until the sequencer has been there. */
  logIndex: number | null
}

/** All attestations of a document, oldest first. */
export async function attestationsOf(db: Database, document: CID): Promise<RecordedAttestation[]> {
  const rows = await db.selectFrom('attestations').selectAll().where('document_cid', '=', document.toString()).orderBy('id').execute()
  return rows.map((row) => ({
    kind: row.kind,
    document,
    envelope: CID.parse(row.envelope_cid),
    author: row.author,
    createdAt: row.created_at,
    logIndex: row.log_index,
    ...treeOfRow(row),
  }))
}

/** The sample tree that a row of an index's attestation names. */
export function treeOfRow({ tree_root: root, tree_size: size }: { tree_root: Uint8Array | null; tree_size: number | null }): {
  tree?: SampleTreeHead
} {
  return root === null || size === null ? {} : { tree: { rootHash: bytesToHex(root), size } }
}

/** The first attestation of a document; null when nobody signed it. */
export async function attestationOf(db: Database, document: CID): Promise<RecordedAttestation | null> {
  return (await attestationsOf(db, document))[0] ?? null
}

/** The kind of a document that we hold; null when we do not. */
export async function documentKind(db: Database, cid: CID): Promise<DocumentKind | null> {
  const row = await db.selectFrom('documents').select('kind').where('cid', '=', cid.toString()).executeTakeFirst()
  return row?.kind ?? null
}

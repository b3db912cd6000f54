/**
 * The export: what a report or a selection looks like to those who read files. It names generated files (rows as Parquet, a card), it depends
 * on what it links to alone, and its first 20 bytes of SHA-256 are the commit id that clients of the Hugging Face Hub know it by.
 */
import { z } from 'zod'
import { bytesToHex } from '../bytes.ts'
import { type CID, CODEC_DAG_JSON, cidOf, digestOf } from '../cid.ts'
import { Link } from '../documents/common.ts'
import { encodeDagJson, parseDagJson } from '../documents/document.ts'
import { FileObject } from '../documents/manifest.ts'
import { type Sha256, sha256 } from '../hash.ts'
import { Problem } from '../problem.ts'

const COMMIT_BYTES = 20

export const Export = z.strictObject({
  kind: z.literal('export'),
  version: z.literal(1),
  manifest: Link,
  /** A report, whose verified rows stand beside the files as published, or a selection, whose rows stand alone. */
  subject: Link,
  /** Of the rows that passed. */
  selection: Link,
  /** Generated ones, sorted by path. */
  files: z.array(FileObject),
})
export type Export = z.infer<typeof Export>

export function encodeExport(document: Export, hash: Sha256 = sha256): { cid: CID; bytes: Uint8Array } {
  const bytes = encodeDagJson(document)
  return { cid: cidOf(CODEC_DAG_JSON, bytes, hash), bytes }
}

/** Throws `invalid-document`. */
export function parseExport(bytes: Uint8Array): Export {
  const parsed = Export.safeParse(parseDagJson(bytes))
  if (!parsed.success) throw new Problem('invalid-document', `not an export: ${parsed.error.issues[0]?.message ?? 'wrong shape'}`)
  return parsed.data
}

/** The commit id, 40 hexadecimal digits, of an export or, for the files as published, of a manifest. */
export function commitIdOf(document: CID): string {
  return bytesToHex(digestOf(document).subarray(0, COMMIT_BYTES))
}

/** Whether generated files stand beside those as published. */
export function showsPublishedFiles({ subject, selection }: Export): boolean {
  return !subject.equals(selection)
}

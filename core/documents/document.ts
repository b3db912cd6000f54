/**
 * From bytes to a document and back. Bytes from outside are bounded, must be canonical DAG-JSON (re-encoding gives the same bytes,
 * so that one document has one CID) and must have exactly the fields of their schema.
 */
import * as dagJson from '@ipld/dag-json'
import type { z } from 'zod'
import { equalBytes } from '../bytes.ts'
import { type CID, CODEC_DAG_JSON, cidOf } from '../cid.ts'
import { type Sha256, sha256 } from '../hash.ts'
import { Problem } from '../problem.ts'
import { Manifest } from './manifest.ts'
import { Recipe } from './recipe.ts'
import { Report } from './report.ts'
import { Run } from './run.ts'
import { SampleIndex } from './sampleIndex.ts'
import { Selection } from './selection.ts'

/** One schema a kind. The ruling takes its place here when it comes. */
export const DOCUMENTS = {
  manifest: Manifest,
  index: SampleIndex,
  recipe: Recipe,
  report: Report,
  selection: Selection,
  run: Run,
} as const

export type DocumentKind = keyof typeof DOCUMENTS
export type DocumentOf<K extends DocumentKind> = z.infer<(typeof DOCUMENTS)[K]>
export type AnyDocument = { [K in DocumentKind]: DocumentOf<K> }[DocumentKind]

/** A document with the bytes that were signed and their CID. */
export interface Encoded<T = AnyDocument> {
  cid: CID
  bytes: Uint8Array
  document: T
}

/** A manifest of 100,000 files takes about 25 MB; nothing may be larger. */
export const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024

/** Encodes any DAG-JSON value canonically: keys sorted, no space. */
export function encodeDagJson(value: unknown): Uint8Array {
  return dagJson.encode(value)
}

/** Parses canonical DAG-JSON of at most `maxBytes`. Throws `invalid-document`. */
export function parseDagJson(bytes: Uint8Array, maxBytes = MAX_DOCUMENT_BYTES): unknown {
  if (bytes.length > maxBytes)
    throw new Problem('invalid-document', `the document has ${bytes.length} bytes; at most ${maxBytes} are accepted`)
  let value: unknown
  try {
    value = dagJson.decode(bytes)
  } catch (cause) {
    throw new Problem('invalid-document', `not DAG-JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  if (!equalBytes(dagJson.encode(value), bytes))
    throw new Problem('invalid-document', 'not canonical DAG-JSON: sort the keys, leave out all space')
  return value
}

/** Validates and encodes a document of our own making. */
export function encodeDocument<K extends DocumentKind>(kind: K, document: DocumentOf<K>, hash: Sha256 = sha256): Encoded<DocumentOf<K>> {
  const bytes = encodeDagJson(validate(kind, document))
  return { cid: cidOf(CODEC_DAG_JSON, bytes, hash), bytes, document }
}

/** Parses and validates foreign bytes as a document of this kind. Throws `invalid-document`, naming the first field that is wrong. */
export function parseDocument<K extends DocumentKind>(kind: K, bytes: Uint8Array, hash: Sha256 = sha256): Encoded<DocumentOf<K>> {
  const document = validate(kind, parseDagJson(bytes))
  return { cid: cidOf(CODEC_DAG_JSON, bytes, hash), bytes, document }
}

function validate<K extends DocumentKind>(kind: K, value: unknown): DocumentOf<K> {
  const result = DOCUMENTS[kind].safeParse(value)
  if (!result.success) {
    const issue = result.error.issues[0]
    const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.map(String).join('.')}`
    throw new Problem('invalid-document', `not a ${kind}${where}: ${issue?.message ?? 'wrong shape'}`)
  }
  // The schema of `kind` has just accepted it.
  return result.data as DocumentOf<K>
}

/**
 * Who says what about which document: an in-toto Statement v1 (https://github.com/in-toto/attestation/blob/main/spec/v1) in a DSSE
 * envelope. The subject names the document by its SHA-256; the predicate holds the author and the time, which the document itself
 * need not have, so that two who compute the same index write the same bytes and sign them apart.
 */
import { z } from 'zod'
import { bytesToHex, bytesToUtf8, utf8ToBytes } from './bytes.ts'
import { type CID, CODEC_RAW, blockMatches, cidOf, digestOf } from './cid.ts'
import { Did, Hex32, Timestamp } from './documents/common.ts'
import { type DocumentOf, type Encoded, parseDocument } from './documents/document.ts'
import { openEnvelope, sealEnvelope } from './dsse.ts'
import type { Signer } from './keys.ts'
import { Problem } from './problem.ts'

export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json'
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'

/** The kinds of document that someone answers for and that the log records. */
export const SIGNED_KINDS = ['manifest', 'index', 'report', 'run'] as const
export const SignedKind = z.enum(SIGNED_KINDS)
export type SignedKind = z.infer<typeof SignedKind>

const Statement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([
    z.strictObject({
      name: z.string().min(1).max(256),
      uri: z.string().max(256),
      digest: z.strictObject({ sha256: Hex32 }),
    }),
  ]),
  predicateType: z.string().max(256),
  predicate: z.strictObject({ kind: SignedKind, author: Did, createdAt: Timestamp }),
})

export interface Attestation {
  /** did:key of whoever signed. */
  author: string
  createdAt: string
  /** CID of the envelope as a raw block. */
  envelopeCid: CID
}

/**
 * Signs a document: the bytes of its envelope. `createdAt` is RFC 3339 in UTC with milliseconds; `name` is for people, by default the CID.
 */
export function attest(
  document: { kind: SignedKind; cid: CID; bytes: Uint8Array },
  by: { signer: Signer; createdAt: string; name?: string },
): Uint8Array {
  const { kind, cid, bytes } = document
  if (!blockMatches(cid, bytes)) throw new Error(`the bytes to sign are not those of ${cid.toString()}`)
  const statement: z.infer<typeof Statement> = {
    _type: STATEMENT_TYPE,
    subject: [{ name: by.name ?? cid.toString(), uri: uriOf(cid), digest: { sha256: bytesToHex(digestOf(cid)) } }],
    predicateType: predicateTypeOf(kind),
    predicate: { kind, author: by.signer.did, createdAt: Timestamp.parse(by.createdAt) },
  }
  return sealEnvelope(STATEMENT_PAYLOAD_TYPE, utf8ToBytes(JSON.stringify(statement)), [by.signer])
}

/**
 * Verifies that an envelope from outside attests the document with this CID.
 * Throws `invalid-document`, `invalid-signature`, or `untrusted` when it is about another document or its author did not sign it.
 */
export function verifyAttestation(envelopeBytes: Uint8Array, expected: { kind: SignedKind; cid: CID }): Attestation {
  const { payload, signers } = openEnvelope(envelopeBytes, { payloadType: STATEMENT_PAYLOAD_TYPE })
  const { subject, predicateType, predicate } = parseStatement(payload)
  const [{ uri, digest }] = subject
  if (predicate.kind !== expected.kind || predicateType !== predicateTypeOf(expected.kind))
    throw new Problem('untrusted', `the statement is about a ${predicate.kind} (${predicateType}), not a ${expected.kind}`)
  if (digest.sha256 !== bytesToHex(digestOf(expected.cid)) || uri !== uriOf(expected.cid))
    throw new Problem('untrusted', `the statement is about ${uri}, not ${uriOf(expected.cid)}`)
  if (!signers.includes(predicate.author)) throw new Problem('untrusted', `the statement's author ${predicate.author} did not sign it`)
  return { author: predicate.author, createdAt: predicate.createdAt, envelopeCid: cidOf(CODEC_RAW, envelopeBytes) }
}

/**
 * Parses a document and verifies its envelope. Where the document itself names an author (manifest, run), that is who must have signed.
 * Throws as `parseDocument` and `verifyAttestation` do.
 */
export function verifyDocument<K extends SignedKind>(
  kind: K,
  documentBytes: Uint8Array,
  envelopeBytes: Uint8Array,
): Attestation & { encoded: Encoded<DocumentOf<K>> } {
  const encoded = parseDocument(kind, documentBytes)
  const attestation = verifyAttestation(envelopeBytes, { kind, cid: encoded.cid })
  if ('author' in encoded.document && encoded.document.author !== attestation.author)
    throw new Problem('untrusted', `the ${kind} names ${encoded.document.author} as its author, but ${attestation.author} signed it`)
  return { encoded, ...attestation }
}

function uriOf(cid: CID): string {
  return `ipfs://${cid.toString()}`
}

function predicateTypeOf(kind: SignedKind): string {
  return `https://assay.dev/predicate/${kind}/v1`
}

function parseStatement(payload: Uint8Array): z.infer<typeof Statement> {
  let value: unknown
  try {
    value = JSON.parse(bytesToUtf8(payload))
  } catch (cause) {
    throw new Problem('invalid-document', 'the statement is not JSON', { cause })
  }
  const result = Statement.safeParse(value)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Problem('invalid-document', `not an in-toto statement at ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  return result.data
}

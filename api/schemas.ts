/** Shapes that several resources take or give. */
import { z } from 'zod'
import { base64ToBytes } from '../core/bytes.ts'
import type { CID } from '../core/cid.ts'
import { Did, Timestamp } from '../core/documents/common.ts'
import { MAX_DOCUMENT_BYTES } from '../core/documents/document.ts'
import { MAX_ENVELOPE_BYTES } from '../core/dsse.ts'
import { Problem } from '../core/problem.ts'

/** Media type of DSSE envelopes (https://github.com/secure-systems-lab/dsse, envelope.md). */
export const DSSE = 'application/vnd.dsse.envelope.v1+json'

/** A CID as text in an answer. */
export const CidText = z.string().meta({ id: 'Cid', description: 'CIDv1, sha2-256, base32' })

/** The OpenAPI side of an answer of bytes that are sent as they are stored. */
export function bytesAnswer(
  description: string,
  ...mediaTypes: string[]
): { description: string; content: Record<string, { schema: { type: 'string'; format: 'binary' } }> } {
  return {
    description,
    content: Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema: { type: 'string', format: 'binary' } }])),
  }
}

/** A whole number in a path or query. */
export const WholeText = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number')
  .transform(Number)
  .meta({ type: 'integer', minimum: 0 })

/** `{cid}` in a path. */
export const CidParameter = z.object({ cid: CidText })

/** `{ref}` in a path. */
export const RefParameter = z.object({
  ref: z.string().max(512).meta({
    description: 'namespace/name (the newest version), namespace/name@number, or the CID of a manifest or index; percent-encode the slash',
  }),
})

/** A signed document on its way in: the bytes that were signed, untouched, and the envelope over them. */
export const SignedDocument = z
  .strictObject({
    document: z.string().meta({ description: 'Canonical DAG-JSON bytes in base64' }),
    envelope: z.string().meta({ description: 'DSSE envelope bytes in base64' }),
  })
  .meta({ id: 'SignedDocument' })

/** Bytes of the largest body that holds a SignedDocument: base64 of both, and the JSON around. */
export const MAX_SIGNED_DOCUMENT_BYTES = Math.ceil((MAX_DOCUMENT_BYTES + MAX_ENVELOPE_BYTES) / 3) * 4 + 1024

/** The two byte strings of a signed document. Throws `invalid-request`. */
export function signedDocumentBytes(body: z.infer<typeof SignedDocument>): { document: Uint8Array; envelope: Uint8Array } {
  try {
    return { document: base64ToBytes(body.document), envelope: base64ToBytes(body.envelope) }
  } catch (cause) {
    throw new Problem('invalid-request', '"document" and "envelope" are canonical base64 (RFC 4648 §4, padded)', { cause })
  }
}

/** A document as JSON: what its DAG-JSON bytes say, to be looked at; verify the bytes of /v1/documents/{cid} instead. */
export const DagJson = z.record(z.string(), z.unknown())

/** Who attested a document, and where the log has it. */
export const AttestationView = z
  .strictObject({
    author: Did,
    createdAt: Timestamp,
    envelope: CidText,
    logIndex: z.number().int().nullable().meta({ description: 'null until the sequencer has been there, which takes seconds' }),
  })
  .meta({ id: 'Attestation' })
export type AttestationView = z.infer<typeof AttestationView>

export function attestationView(attestation: { author: string; createdAt: Date; envelope: CID; logIndex: number | null }): AttestationView {
  return {
    author: attestation.author,
    createdAt: attestation.createdAt.toISOString(),
    envelope: attestation.envelope.toString(),
    logIndex: attestation.logIndex,
  }
}

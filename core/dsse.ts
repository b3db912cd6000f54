/**
 * DSSE envelopes, https://github.com/secure-systems-lab/dsse (protocol.md, envelope.md), in one canonical form: compact JSON with
 * the keys in alphabetical order, padded base64, `keyid` the signer's did:key. So an envelope has one CID, and no stranger can
 * make a second one out of it. Nothing of the payload is looked at before every signature has been verified.
 */
import { z } from 'zod'
import { base64ToBytes, bytesToBase64, bytesToUtf8, concatBytes, equalBytes, utf8ToBytes } from './bytes.ts'
import { Did } from './documents/common.ts'
import { type Signer, publicKeyOf, verifySignature } from './keys.ts'
import { Problem } from './problem.ts'

export const MAX_ENVELOPE_BYTES = 64 * 1024
export const MAX_ENVELOPE_SIGNATURES = 16

const Envelope = z.strictObject({
  payload: z.string(),
  payloadType: z.string(),
  signatures: z
    .array(z.strictObject({ keyid: Did, sig: z.string() }))
    .min(1)
    .max(MAX_ENVELOPE_SIGNATURES),
})
type Envelope = z.infer<typeof Envelope>

export interface OpenedEnvelope {
  /** The bytes that were signed. */
  payload: Uint8Array
  /** Everyone who signed, as did:key, in the envelope's order, no one twice. */
  signers: string[]
}

/** PAE: `DSSEv1 SP len(type) SP type SP len(body) SP body`, lengths in bytes as ASCII decimals. What is signed. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8ToBytes(payloadType)
  return concatBytes(utf8ToBytes(`DSSEv1 ${type.length} `), type, utf8ToBytes(` ${payload.length} `), payload)
}

/** Signs a payload. Throws `too-large` when the envelope would pass 64 KiB. */
export function sealEnvelope(payloadType: string, payload: Uint8Array, signers: readonly Signer[]): Uint8Array {
  const message = preAuthEncoding(payloadType, payload)
  const bytes = encodeEnvelope({
    payload: bytesToBase64(payload),
    payloadType,
    signatures: signers.map((signer) => ({ keyid: signer.did, sig: bytesToBase64(signer.sign(message)) })),
  })
  if (bytes.length > MAX_ENVELOPE_BYTES)
    throw new Problem('too-large', `the envelope has ${bytes.length} bytes; at most ${MAX_ENVELOPE_BYTES} are accepted`)
  return bytes
}

/**
 * Verifies an envelope from outside and returns its payload. Every signature must verify.
 * Throws `invalid-document` for a wrong form or another payload type, `invalid-signature` for a signature that does not verify.
 */
export function openEnvelope(bytes: Uint8Array, expected: { payloadType: string }): OpenedEnvelope {
  const envelope = parseEnvelope(bytes)
  if (envelope.payloadType !== expected.payloadType)
    throw new Problem('invalid-document', `the envelope holds ${envelope.payloadType}, not ${expected.payloadType}`)
  const signers = envelope.signatures.map((signature) => signature.keyid)
  if (new Set(signers).size !== signers.length) throw new Problem('invalid-document', 'the envelope has two signatures by one key')

  const payload = decodeBase64(envelope.payload)
  const message = preAuthEncoding(envelope.payloadType, payload)
  for (const { keyid, sig } of envelope.signatures) {
    if (!verifySignature(publicKeyOf(keyid), message, decodeBase64(sig)))
      throw new Problem('invalid-signature', `the envelope's signature by ${keyid} does not verify`)
  }
  return { payload, signers }
}

function encodeEnvelope({ payload, payloadType, signatures }: Envelope): Uint8Array {
  return utf8ToBytes(
    JSON.stringify({ payload, payloadType, signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })) } satisfies Envelope),
  )
}

function parseEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > MAX_ENVELOPE_BYTES)
    throw new Problem('invalid-document', `the envelope has ${bytes.length} bytes; at most ${MAX_ENVELOPE_BYTES} are accepted`)
  let value: unknown
  try {
    value = JSON.parse(bytesToUtf8(bytes))
  } catch (cause) {
    throw new Problem('invalid-document', 'the envelope is not JSON', { cause })
  }
  const result = Envelope.safeParse(value)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Problem('invalid-document', `not a DSSE envelope at ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  if (!equalBytes(encodeEnvelope(result.data), bytes))
    throw new Problem(
      'invalid-document',
      'not a canonical envelope: write payload, payloadType, signatures [{keyid, sig}] without any space',
    )
  return result.data
}

function decodeBase64(text: string): Uint8Array {
  try {
    return base64ToBytes(text)
  } catch (cause) {
    throw new Problem('invalid-document', 'the envelope has base64 that is not canonical', { cause })
  }
}

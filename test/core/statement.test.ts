import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesToHex, bytesToUtf8, utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_RAW, cidOf, digestOf } from '../../core/cid.ts'
import { type DocumentOf, encodeDocument } from '../../core/documents/document.ts'
import { openEnvelope, sealEnvelope } from '../../core/dsse.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { STATEMENT_PAYLOAD_TYPE, attest, verifyAttestation, verifyDocument } from '../../core/statement.ts'

const ana = signerFromSeed(new Uint8Array(32).fill(1))
const ben = signerFromSeed(new Uint8Array(32).fill(2))
const createdAt = '2026-11-20T06:00:00.000Z'
const leaf = cidOf(CODEC_RAW, utf8ToBytes('x'))

const run: DocumentOf<'run'> = {
  kind: 'run',
  version: 1,
  author: ana.did,
  name: 'a run',
  status: 'started',
  createdAt,
  consumed: [{ selection: leaf, seed: '1', epochs: 1, shards: 1, batchSize: 8, steps: null }],
}
const encoded = encodeDocument('run', run)
const signed = { kind: 'run' as const, cid: encoded.cid, bytes: encoded.bytes }
const envelope = attest(signed, { signer: ana, createdAt })

function statementOf(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(bytesToUtf8(openEnvelope(bytes, { payloadType: STATEMENT_PAYLOAD_TYPE }).payload)) as Record<string, unknown>
}

/** The statement with a change, signed again by its author. */
function resigned(change: Record<string, unknown>): Uint8Array {
  return sealEnvelope(STATEMENT_PAYLOAD_TYPE, utf8ToBytes(JSON.stringify({ ...statementOf(envelope), ...change })), [ana])
}

test('is an in-toto Statement v1 that any verifier can match by the digest of the block', () => {
  assert.deepEqual(statementOf(envelope), {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: encoded.cid.toString(), uri: `ipfs://${encoded.cid.toString()}`, digest: { sha256: bytesToHex(digestOf(encoded.cid)) } },
    ],
    predicateType: 'https://assay.dev/predicate/run/v1',
    predicate: { kind: 'run', author: ana.did, createdAt },
  })
})

test('the same document, author and time give the same envelope', () => {
  assert.deepEqual(attest(signed, { signer: ana, createdAt }), envelope)
})

test('a document with its envelope verifies', () => {
  const { encoded: parsed, ...attestation } = verifyDocument('run', encoded.bytes, envelope)
  assert.deepEqual(parsed.document, run)
  assert.deepEqual(attestation, { author: ana.did, createdAt, envelopeCid: cidOf(CODEC_RAW, envelope) })
  assert.deepEqual(verifyAttestation(envelope, { kind: 'run', cid: encoded.cid }), attestation)
})

test('an envelope of another document is refused', () => {
  const other = encodeDocument('run', { ...run, name: 'another' })
  assert.throws(() => verifyDocument('run', other.bytes, envelope), { code: 'untrusted' })
})

test('an envelope of another kind is refused', () => {
  assert.throws(() => verifyAttestation(envelope, { kind: 'report', cid: encoded.cid }), { code: 'untrusted' })
})

test('someone else who signs the same document is no author of it', () => {
  const byBen = attest(signed, { signer: ben, createdAt })
  assert.equal(verifyAttestation(byBen, { kind: 'run', cid: encoded.cid }).author, ben.did)
  assert.throws(() => verifyDocument('run', encoded.bytes, byBen), { code: 'untrusted' })
})

test('an author who did not sign is refused', () => {
  const borrowed = resigned({ predicate: { kind: 'run', author: ben.did, createdAt } })
  assert.throws(() => verifyAttestation(borrowed, { kind: 'run', cid: encoded.cid }), { code: 'untrusted' })
})

test('a uri that contradicts the digest is refused', () => {
  const [subject] = statementOf(envelope)['subject'] as [object]
  const astray = resigned({ subject: [{ ...subject, uri: `ipfs://${leaf.toString()}` }] })
  assert.throws(() => verifyAttestation(astray, { kind: 'run', cid: encoded.cid }), { code: 'untrusted' })
})

for (const [reason, change] of [
  ['an unknown field', { extra: 1 }],
  ['another statement type', { _type: 'https://in-toto.io/Statement/v0.1' }],
  ['no subject', { subject: [] }],
  ['a time without milliseconds', { predicate: { kind: 'run', author: ana.did, createdAt: '2026-11-20T06:00:00Z' } }],
] as const) {
  test(`a statement with ${reason} is refused`, () => {
    assert.throws(() => verifyAttestation(resigned(change), { kind: 'run', cid: encoded.cid }), { code: 'invalid-document' })
  })
}

test('bytes that are not the document of the CID are not signed', () => {
  assert.throws(() => attest({ ...signed, cid: leaf }, { signer: ana, createdAt }), /not those of/)
})

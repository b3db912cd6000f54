import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToBase64, bytesToUtf8, utf8ToBytes } from '../../core/bytes.ts'
import { MAX_ENVELOPE_SIGNATURES, openEnvelope, preAuthEncoding, sealEnvelope } from '../../core/dsse.ts'
import { signerFromSeed } from '../../core/keys.ts'

const ana = signerFromSeed(new Uint8Array(32).fill(1))
const ben = signerFromSeed(new Uint8Array(32).fill(2))
const payloadType = 'application/vnd.in-toto+json'
const payload = utf8ToBytes('{"hello":"world"}')

/** The envelope as JSON, changed and written again in the same form. */
function changed(bytes: Uint8Array, change: (envelope: Record<string, unknown>) => unknown): Uint8Array {
  return utf8ToBytes(JSON.stringify(change(JSON.parse(bytesToUtf8(bytes)))))
}

test('encodes what is signed as the example of the DSSE protocol does', () => {
  assert.equal(
    bytesToUtf8(preAuthEncoding('http://example.com/HelloWorld', utf8ToBytes('hello world'))),
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  )
})

test('lengths are counted in bytes, not in characters', () => {
  assert.equal(bytesToUtf8(preAuthEncoding('é', utf8ToBytes('ü€'))), 'DSSEv1 2 é 5 ü€')
})

test('law: what is sealed is what is opened, by all who signed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
      assert.deepEqual(openEnvelope(sealEnvelope(payloadType, bytes, [ana, ben]), { payloadType }), {
        payload: bytes,
        signers: [ana.did, ben.did],
      })
    }),
    { numRuns: 20 },
  )
})

test('law: a flipped bit anywhere is refused', () => {
  const envelope = sealEnvelope(payloadType, payload, [ana])
  fc.assert(
    fc.property(fc.nat(envelope.length * 8 - 1), (bit) => {
      const flipped = envelope.with(bit >> 3, envelope[bit >> 3]! ^ (1 << (bit & 7)))
      assert.throws(() => openEnvelope(flipped, { payloadType }), { name: 'Problem' })
    }),
    { numRuns: 200 },
  )
})

test('one signature that does not verify spoils the envelope', () => {
  const good = sealEnvelope(payloadType, payload, [ana])
  const forged = changed(good, (envelope) => ({
    ...envelope,
    signatures: [...(envelope['signatures'] as unknown[]), { keyid: ben.did, sig: bytesToBase64(new Uint8Array(64)) }],
  }))
  assert.throws(() => openEnvelope(forged, { payloadType }), { code: 'invalid-signature' })
})

test('a signature under another type is not one under this type', () => {
  const other = sealEnvelope('text/plain', payload, [ana])
  assert.throws(() => openEnvelope(other, { payloadType }), { code: 'invalid-document' })
  const relabelled = changed(other, (envelope) => ({ ...envelope, payloadType }))
  assert.throws(() => openEnvelope(relabelled, { payloadType }), { code: 'invalid-signature' })
})

const sealed = sealEnvelope(payloadType, payload, [ana])
const signature = { keyid: ana.did, sig: 'AA==' }
for (const [reason, bytes] of [
  ['no JSON', utf8ToBytes('{')],
  ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ['no object', utf8ToBytes('[]')],
  ['an unknown field', changed(sealed, (envelope) => ({ ...envelope, extra: 1 }))],
  ['an unknown field of a signature', changed(sealed, (envelope) => ({ ...envelope, signatures: [{ ...signature, cert: '' }] }))],
  ['no signature', changed(sealed, (envelope) => ({ ...envelope, signatures: [] }))],
  [
    'too many signatures',
    changed(sealed, (envelope) => ({ ...envelope, signatures: Array.from({ length: MAX_ENVELOPE_SIGNATURES + 1 }, () => signature) })),
  ],
  ['two signatures by one key', sealEnvelope(payloadType, payload, [ana, ana])],
  ['a keyid that is no did', changed(sealed, (envelope) => ({ ...envelope, signatures: [{ ...signature, keyid: 'ana' }] }))],
  ['base64 without padding', changed(sealed, (envelope) => ({ ...envelope, payload: 'eA' }))],
  ['base64 with loose bits', changed(sealed, (envelope) => ({ ...envelope, payload: 'eB==' }))],
  ['space between fields', utf8ToBytes(bytesToUtf8(sealed).replace('",', '", '))],
  ['fields in another order', changed(sealed, ({ signatures, ...rest }) => ({ signatures, ...rest }))],
  ['a field twice', utf8ToBytes(bytesToUtf8(sealed).replace('{', '{"payload":"",'))],
  ['more than 64 KiB', utf8ToBytes(JSON.stringify({ payload: 'A'.repeat(65_536), payloadType, signatures: [signature] }))],
] as const) {
  test(`an envelope with ${reason} is refused before anything is verified`, () => {
    assert.throws(() => openEnvelope(bytes, { payloadType }), { code: 'invalid-document' })
  })
}

test('a payload that does not fit is refused when it is sealed', () => {
  assert.throws(() => sealEnvelope(payloadType, new Uint8Array(65_536), [ana]), { code: 'too-large' })
})

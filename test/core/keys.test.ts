import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, hexToBytes, utf8ToBytes } from '../../core/bytes.ts'
import { didOf, publicKeyOf, signerFromSeed, verifySignature } from '../../core/keys.ts'

const seed = (last: number) => Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? last : 0))
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('signs as RFC 8032 §7.1 test 1 does', () => {
  const signer = signerFromSeed(hexToBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'))
  assert.equal(bytesToHex(signer.publicKey), 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
  assert.equal(
    bytesToHex(signer.sign(new Uint8Array(0))),
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  )
})

test('names keys as the test vectors of the did:key specification do', () => {
  assert.equal(signerFromSeed(seed(0)).did, 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp')
  assert.equal(signerFromSeed(seed(1)).did, 'did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG')
})

test('law: a did:key gives back its public key', () => {
  fc.assert(fc.property(bytes32, (publicKey) => assert.deepEqual(publicKeyOf(didOf(publicKey)), publicKey)))
})

test('law: OpenSSL accepts our signatures, and we none of another message', () => {
  fc.assert(
    fc.property(bytes32, fc.uint8Array(), fc.uint8Array(), (secret, message, other) => {
      const signer = signerFromSeed(secret)
      const { publicKey } = signer
      const signature = signer.sign(message)
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }
      assert.ok(verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature))
      assert.ok(verifySignature(publicKey, message, signature))
      assert.equal(verifySignature(publicKey, other, signature), Buffer.from(message).equals(other))
    }),
    { numRuns: 20 },
  )
})

test('a change of the seed after the fact changes nothing', () => {
  const secret = seed(1)
  const signer = signerFromSeed(secret)
  secret.fill(7)
  assert.ok(verifySignature(signer.publicKey, utf8ToBytes('x'), signer.sign(utf8ToBytes('x'))))
})

test('a key of small order verifies nothing', () => {
  // y = 1, the neutral element: with S = 0 and R = A the equation of RFC 8032 would hold for every message.
  const neutral = seed(0).with(0, 1)
  assert.equal(verifySignature(neutral, utf8ToBytes('anything'), Uint8Array.from([...neutral, ...seed(0)])), false)
})

test('a signature or key of a wrong length is false, not an error', () => {
  assert.equal(verifySignature(seed(1), new Uint8Array(0), new Uint8Array(63)), false)
  assert.equal(verifySignature(new Uint8Array(31), new Uint8Array(0), new Uint8Array(64)), false)
})

for (const [reason, did] of [
  ['another method', 'did:web:example.com'],
  ['another key type', 'did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F'],
  ['no base58', 'did:key:z6Mk0OIl'],
  ['a fragment', 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp#key'],
  ['a cut end', 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW'],
  ['33 bytes', 'did:key:z6Mkzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz'],
] as const) {
  test(`a did with ${reason} is refused`, () => {
    assert.throws(() => publicKeyOf(did), { code: 'invalid-request' })
  })
}

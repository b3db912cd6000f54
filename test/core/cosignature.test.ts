import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToUtf8, concatBytes, utf8ToBytes } from '../../core/bytes.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint } from '../../core/log/checkpoint.ts'
import {
  cosign,
  cosignaturesOf,
  ed25519Cosigner,
  mlDsa44Cosigner,
  parseCosignatureLines,
  parseCosignerKey,
} from '../../core/log/cosignature.ts'
import { formatVerificationKey, parseNote, signNote } from '../../core/log/note.ts'
import { formatKey, parseKey } from '../../core/log/noteKey.ts'

const seed = (byte: number) => new Uint8Array(32).fill(byte)
const log = { name: 'log.example/1', ...signerFromSeed(seed(1)) }
const text = formatCheckpoint({ origin: log.name, size: 42, rootHash: seed(9) })
const note = signNote(text, [log])
const ed = ed25519Cosigner('witness.example/w1', signerFromSeed(seed(2)))
const ml = mlDsa44Cosigner('witness.example/w2', seed(3))

for (const [algorithm, cosigner] of [
  ['Ed25519', ed],
  ['ML-DSA-44', ml],
] as const) {
  test(`a cosignature by ${algorithm} verifies, with its time, under the key that it was made with`, () => {
    const cosigned = parseNote(concatBytes(note, utf8ToBytes(cosign(text, cosigner, 1_700_000_000))))
    const key = parseCosignerKey(formatKey(cosigner.key))
    assert.deepEqual(cosignaturesOf(cosigned, [key]), [{ key, timeSeconds: 1_700_000_000 }])
    assert.deepEqual(cosignaturesOf(parseNote(note), [key]), [])
  })

  test(`law: a change of text, time or signature of a cosignature by ${algorithm} is refused`, () => {
    const line = cosign(text, cosigner, 1_700_000_000)
    const [{ signature }] = parseCosignatureLines(line) as [ReturnType<typeof parseCosignatureLines>[0]]
    fc.assert(
      fc.property(fc.nat(signature.signature.length * 8 - 1), (bit) => {
        const bytes = signature.signature.with(bit >> 3, signature.signature[bit >> 3]! ^ (1 << (bit & 7)))
        assert.throws(() => cosignaturesOf({ text, signatures: [{ ...signature, signature: bytes }] }, [cosigner.key]), {
          code: 'invalid-signature',
        })
      }),
      { numRuns: 20 },
    )
    const other = formatCheckpoint({ origin: log.name, size: 43, rootHash: seed(9) })
    assert.throws(() => cosignaturesOf({ text: other, signatures: [signature] }, [cosigner.key]), { code: 'invalid-signature' })
  })
}

test('the message of an Ed25519 cosignature is two lines and the text of the note (tlog-cosignature, Ed25519 signed message)', () => {
  const [{ signature }] = parseCosignatureLines(cosign(text, ed, 1679315147)) as [ReturnType<typeof parseCosignatureLines>[0]]
  const message = utf8ToBytes(`cosignature/v1\ntime 1679315147\nlog.example/1\n42\n${text.split('\n')[2]!}\n`)
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(ed.key.publicKey).toString('base64url') },
    format: 'jwk',
  })
  assert.equal(new DataView(signature.signature.buffer, signature.signature.byteOffset).getBigUint64(0), 1679315147n)
  assert.ok(verify(null, message, key, signature.signature.subarray(8)))
})

test('OpenSSL verifies an ML-DSA-44 cosignature over the structure cosigned_message (tlog-cosignature, ML-DSA-44 signed message)', () => {
  const [{ signature }] = parseCosignatureLines(cosign(text, ml, 1679315147)) as [ReturnType<typeof parseCosignatureLines>[0]]
  const number = (value: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(value))
    return bytes
  }
  const message = Buffer.concat([
    Buffer.from('subtree/v1\n\0'),
    Buffer.from([18]),
    Buffer.from('witness.example/w2'),
    number(1679315147),
    Buffer.from([13]),
    Buffer.from('log.example/1'),
    number(0),
    number(42),
    seed(9),
  ])
  // SubjectPublicKeyInfo of id-ml-dsa-44, 2.16.840.1.101.3.4.3.17.
  const prefix = Buffer.from('30820532300b06096086480165030403110382052100', 'hex')
  const key = createPublicKey({ key: Buffer.concat([prefix, ml.key.publicKey]), format: 'der', type: 'spki' })
  assert.ok(verify(null, message, key, signature.signature.subarray(8)))
})

test('a key of the log, of another type or length, is no key of a witness', () => {
  for (const vkey of [
    formatVerificationKey(log.name, log.publicKey),
    formatKey({ ...ed.key, type: 6 }),
    formatKey({ ...ed.key, publicKey: seed(1).subarray(1) }),
    'witness.example/w1',
    '',
  ])
    assert.throws(() => parseCosignerKey(vkey), { code: 'invalid-request' })
})

test('keys are written as they were read, and refused where their id is another', () => {
  const vkey = formatKey(ed.key)
  assert.deepEqual(parseKey(vkey), ed.key)
  assert.throws(() => parseKey(vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')), { code: 'invalid-request' })
})

test('a line by a key that is not asked about is passed over, whatever it holds', () => {
  const stranger = bytesToUtf8(concatBytes(note, utf8ToBytes(`— witness.example/w1 ${Buffer.alloc(76).toString('base64')}\n`)))
  assert.deepEqual(cosignaturesOf(parseNote(utf8ToBytes(stranger)), [ed.key, ml.key]), [])
})

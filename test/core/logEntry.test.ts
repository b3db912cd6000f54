import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, bytesToUtf8, concatBytes, utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_DAG_JSON, CODEC_RAW, cidOf } from '../../core/cid.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint, openCheckpoint } from '../../core/log/checkpoint.ts'
import { encodeEntryTile, encodeLogEntry, parseEntryTile, parseLogEntry } from '../../core/log/entry.ts'
import { formatVerificationKey, signNote } from '../../core/log/note.ts'
import { encodeProofFile, parseProofFile, verifyLogged } from '../../core/log/proofFile.ts'
import { EMPTY_ROOT } from '../../core/merkle/tree.ts'
import { entriesOf, mth, path } from './rfc9162.ts'

const entry = {
  v: 1 as const,
  kind: 'manifest' as const,
  document: cidOf(CODEC_DAG_JSON, utf8ToBytes('{}')),
  envelope: cidOf(CODEC_RAW, utf8ToBytes('x')),
}

test('a log entry is one line of canonical DAG-JSON', () => {
  assert.equal(
    bytesToUtf8(encodeLogEntry(entry)),
    `{"document":{"/":"${entry.document.toString()}"},"envelope":{"/":"${entry.envelope.toString()}"},"kind":"manifest","v":1}`,
  )
  assert.deepEqual(parseLogEntry(encodeLogEntry(entry)), entry)
})

const text = bytesToUtf8(encodeLogEntry(entry))
for (const [reason, bytes] of [
  ['a space', text.replace(',', ', ')],
  ['another version', text.replace('"v":1', '"v":2')],
  ['a kind that nobody signs', text.replace('manifest', 'recipe')],
  ['an unknown field', text.replace('"v":1', '"v":1,"w":1')],
  ['a missing field', text.replace(',"v":1', '')],
  ['text for a link', text.replace(/\{"\/":("[^"]+")\}/, '$1')],
  ['more than 1 kB', text.replace('manifest', 'm'.repeat(1024))],
] as const) {
  test(`a log entry with ${reason} is refused`, () => {
    assert.throws(() => parseLogEntry(utf8ToBytes(bytes)), { code: 'invalid-document' })
  })
}

test('a bundle of entries has the form of c2sp.org/tlog-tiles', () => {
  assert.equal(
    bytesToHex(encodeEntryTile([utf8ToBytes('ab'), new Uint8Array(0), new Uint8Array(257)])),
    `0002${'6162'}00000101${'00'.repeat(257)}`,
  )
})

test('law: a bundle gives back its entries', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 }), (entries) => {
      assert.deepEqual(parseEntryTile(encodeEntryTile(entries)), entries)
    }),
  )
})

test('law: a bundle that is cut inside an entry is refused', () => {
  const bundle = encodeEntryTile([utf8ToBytes('first'), utf8ToBytes('second')])
  for (let length = 0; length < bundle.length; length++) {
    const cut = bundle.subarray(0, length)
    if (length === 7) assert.equal(parseEntryTile(cut).length, 1)
    else assert.throws(() => parseEntryTile(cut), { code: 'invalid-document' })
  }
})

test('a bundle of more than 256 entries is refused', () => {
  assert.throws(() => parseEntryTile(new Uint8Array(2 * 257)), { code: 'invalid-document' })
  assert.equal(parseEntryTile(new Uint8Array(2 * 256)).length, 256)
})

test('an entry that has no 16-bit length is not bundled', () => {
  assert.throws(() => encodeEntryTile([new Uint8Array(65_536)]), RangeError)
})

const origin = 'assay.example/log'
const log = { name: origin, ...signerFromSeed(new Uint8Array(32).fill(3)) }
const vkey = formatVerificationKey(origin, log.publicKey)
const entries = entriesOf(9)
const checkpoint = signNote(formatCheckpoint({ origin, size: 9, rootHash: mth(entries) }), [log])
const file = { index: 5, proof: path(5, entries), checkpoint, extra: utf8ToBytes('hello') }

test('a proof file has the form of c2sp.org/tlog-proof', () => {
  const lines = bytesToUtf8(encodeProofFile(file)).split('\n')
  assert.deepEqual(lines.slice(0, 3), ['c2sp.org/tlog-proof@v1', 'extra aGVsbG8=', 'index 5'])
  assert.equal(
    lines.slice(3, 3 + file.proof.length).every((line) => line.length === 44),
    true,
  )
  assert.equal(lines.slice(3 + file.proof.length).join('\n'), `\n${bytesToUtf8(checkpoint)}`)
})

test('law: a proof file gives back what it was made of', () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          index: fc.maxSafeNat(),
          proof: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 63 }),
          checkpoint: fc.constant(checkpoint),
          extra: fc.uint8Array(),
        },
        { requiredKeys: ['index', 'proof', 'checkpoint'], noNullPrototype: true },
      ),
      (made) => assert.deepEqual(parseProofFile(encodeProofFile(made)), made),
    ),
  )
})

test('a proof file shows that an entry was logged, and no other', () => {
  const opened = openCheckpoint(file.checkpoint, vkey)
  verifyLogged(file, entries[5]!, opened)
  assert.throws(() => verifyLogged(file, entries[6]!, opened), { code: 'untrusted' })
  assert.throws(() => verifyLogged({ ...file, index: 6 }, entries[5]!, opened), { code: 'untrusted' })
  assert.throws(() => verifyLogged({ ...file, proof: file.proof.with(0, EMPTY_ROOT) }, entries[5]!, opened), { code: 'untrusted' })
})

const proofText = bytesToUtf8(encodeProofFile(file))
for (const [reason, changed] of [
  ['another version', proofText.replace('@v1', '@v2')],
  ['no blank line', proofText.replaceAll('\n\n', '\n')],
  ['an index with a leading zero', proofText.replace('index 5', 'index 05')],
  ['no index', proofText.replace('index 5\n', '')],
  ['an index beyond 2^53', proofText.replace('index 5', 'index 9007199254740992')],
  ['the extra line after the index', proofText.replace('extra aGVsbG8=\nindex 5', 'index 5\nextra aGVsbG8=')],
  ['extra that is no base64', proofText.replace('aGVsbG8=', 'aGVsbG8')],
  ['a short hash', proofText.replace('index 5\n', 'index 5\nAAAA\n')],
  ['64 hashes', proofText.replace('index 5\n', `index 5\n${`${'A'.repeat(43)}=\n`.repeat(64)}`)],
] as const) {
  test(`a proof file with ${reason} is refused`, () => {
    assert.throws(() => parseProofFile(utf8ToBytes(changed)), { code: 'invalid-document' })
  })
}

test('a proof file that is not UTF-8 is refused', () => {
  assert.throws(() => parseProofFile(concatBytes(encodeProofFile(file), Uint8Array.of(0xff))), { code: 'invalid-document' })
})

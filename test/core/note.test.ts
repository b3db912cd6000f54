import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToBase64, bytesToUtf8, utf8ToBytes } from '../../core/bytes.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from '../../core/log/checkpoint.ts'
import { formatVerificationKey, openNote, parseVerificationKey, signNote } from '../../core/log/note.ts'
import { EMPTY_ROOT } from '../../core/merkle/tree.ts'

/** The example of the documentation of golang.org/x/mod/sumdb/note, with its two keys. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const ENOCH = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const PETER_LINE = '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const ENOCH_LINE = '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n'
const NOTE = utf8ToBytes(`${TEXT}\n${PETER_LINE}${ENOCH_LINE}`)

const origin = 'assay.example/log'
const log = { name: origin, ...signerFromSeed(new Uint8Array(32).fill(3)) }
const vkey = formatVerificationKey(origin, log.publicKey)
const stranger = { name: 'stranger.example', ...signerFromSeed(new Uint8Array(32).fill(4)) }

test('opens the signed note of golang.org/x/mod/sumdb/note with either key', () => {
  for (const key of [PETER, ENOCH].map(parseVerificationKey)) {
    const note = openNote(NOTE, [key])
    assert.equal(note.text, TEXT)
    assert.deepEqual(note.signedBy, [key])
    assert.deepEqual(
      note.signatures.map((signature) => signature.name),
      ['PeterNeumann', 'EnochRoot'],
    )
  }
  assert.equal(openNote(NOTE, [PETER, ENOCH].map(parseVerificationKey)).signedBy.length, 2)
})

test('verification keys of golang.org/x/mod/sumdb/note are written as they were read', () => {
  for (const text of [PETER, ENOCH]) {
    const { name, publicKey } = parseVerificationKey(text)
    assert.equal(formatVerificationKey(name, publicKey), text)
  }
})

test('law: what is signed is opened', () => {
  const text = fc
    .array(fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll(/\p{Cc}/gu, '')))
    .map((lines) => `${lines.join('\n')}\n`)
  fc.assert(
    fc.property(text, (body) => {
      assert.equal(openNote(signNote(body, [stranger, log]), [parseVerificationKey(vkey)]).text, body)
    }),
    { numRuns: 30 },
  )
})

test('law: a change of the text is refused', () => {
  const note = signNote('some text\n', [log])
  fc.assert(
    fc.property(fc.nat('some text\n'.length * 8 - 1), (bit) => {
      const changed = note.with(bit >> 3, note[bit >> 3]! ^ (1 << (bit & 7)))
      assert.throws(() => openNote(changed, [parseVerificationKey(vkey)]), { name: 'Problem' })
    }),
  )
})

test('a note that none of the keys signed is untrusted', () => {
  assert.throws(() => openNote(NOTE, [parseVerificationKey(vkey)]), { code: 'untrusted' })
  assert.throws(() => openNote(NOTE, []), { code: 'untrusted' })
})

test('a wrong signature by a known key spoils a note that another key signed', () => {
  const wrong = utf8ToBytes(`${TEXT}\n${PETER_LINE.replace('x08go/ZJ', 'x08go/ZK')}${ENOCH_LINE}`)
  assert.throws(() => openNote(wrong, [PETER, ENOCH].map(parseVerificationKey)), { code: 'invalid-signature' })
  assert.deepEqual(openNote(wrong, [parseVerificationKey(ENOCH)]).text, TEXT)
})

test('signatures of other types and keys are kept and ignored', () => {
  const cosignature = `— witness.example ${bytesToBase64(new Uint8Array(4 + 8 + 64))}\n`
  const postQuantum = `— witness.example ${bytesToBase64(new Uint8Array(4 + 2420).fill(6))}\n`
  const note = openNote(utf8ToBytes(`${bytesToUtf8(NOTE)}${cosignature}${postQuantum}`), [parseVerificationKey(PETER)])
  assert.deepEqual(
    note.signatures.map(({ name, signature }) => [name, signature.length]),
    [
      ['PeterNeumann', 64],
      ['EnochRoot', 64],
      ['witness.example', 72],
      ['witness.example', 2420],
    ],
  )
})

test('the text ends at the last blank line', () => {
  const text = 'a\n\n— looks like a signature\n\nb\n'
  assert.equal(openNote(signNote(text, [log]), [parseVerificationKey(vkey)]).text, text)
})

for (const [reason, note] of [
  ['no blank line', TEXT + PETER_LINE],
  ['no signature', `${TEXT}\n`],
  ['no newline at its end', bytesToUtf8(NOTE).slice(0, -1)],
  ['a carriage return', `a\r\n\n${PETER_LINE}`],
  ['a tabulator', `a\tb\n\n${PETER_LINE}`],
  ['a hyphen for the dash', `${TEXT}\n${PETER_LINE.replace('—', '-')}`],
  ['a key name with a plus', `${TEXT}\n${PETER_LINE.replace('Peter', 'Peter+')}`],
  ['a key name with a no-break space', `${TEXT}\n${PETER_LINE.replace('Peter', 'Peter\u00a0')}`],
  ['base64 without padding', `${TEXT}\n${PETER_LINE.replace('=', '')}`],
  ['an empty signature', `${TEXT}\n— PeterNeumann x08gow==\n`],
  ['65 signatures', `${TEXT}\n${PETER_LINE.repeat(65)}`],
  ['more than 256 KiB', `${'a'.repeat(262_144)}\n\n${PETER_LINE}`],
] as const) {
  test(`a note with ${reason} is refused`, () => {
    assert.throws(() => openNote(utf8ToBytes(note), [parseVerificationKey(PETER)]), { code: 'invalid-document' })
  })
}

test('a note that is not UTF-8 is refused', () => {
  assert.throws(() => openNote(Uint8Array.of(0xff, ...NOTE), [parseVerificationKey(PETER)]), { code: 'invalid-document' })
})

for (const [reason, key] of [
  ['a wrong id', PETER.replace('c74f20a3', 'c74f20a4')],
  ['an id in capitals', PETER.replace('c74f20a3', 'C74F20A3')],
  ['another name', PETER.replace('Peter', 'Paul')],
  ['another type', 'PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
  ['a cut key', PETER.slice(0, -4)],
  ['a space', `${PETER} `],
  ['nothing', ''],
] as const) {
  test(`a verification key with ${reason} is refused`, () => {
    assert.throws(() => parseVerificationKey(key), { code: 'invalid-request' })
  })
}

test('text that a note cannot hold is not signed', () => {
  for (const text of ['', 'no newline', 'a\rb\n', 'a\u0000\n', '\ud800\n']) assert.throws(() => signNote(text, [log]), RangeError)
})

const checkpoint = { origin, size: 20852163, rootHash: EMPTY_ROOT }

test('a checkpoint has the form of the C2SP example', () => {
  assert.equal(formatCheckpoint(checkpoint), `${origin}\n20852163\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n`)
})

test('a checkpoint opens with the key of its log alone', () => {
  const note = signNote(formatCheckpoint(checkpoint), [log])
  assert.deepEqual(openCheckpoint(note, vkey), checkpoint)
  assert.throws(() => openCheckpoint(note, PETER), { code: 'untrusted' })
})

test('a key whose name is not the origin does not speak for the log', () => {
  const note = signNote(formatCheckpoint(checkpoint), [stranger])
  assert.throws(() => openCheckpoint(note, formatVerificationKey(stranger.name, stranger.publicKey)), { code: 'untrusted' })
})

test('extension lines of a checkpoint are passed over', () => {
  assert.deepEqual(parseCheckpoint(`${formatCheckpoint(checkpoint)}extension 1\nextension 2\n`), checkpoint)
})

for (const [reason, text] of [
  ['no origin', formatCheckpoint({ ...checkpoint, origin: '' })],
  ['no newline at its end', formatCheckpoint(checkpoint).slice(0, -1)],
  ['two lines', `${origin}\n1\n`],
  ['an empty extension', `${formatCheckpoint(checkpoint)}\n`],
  ['a size with a leading zero', formatCheckpoint(checkpoint).replace('208', '0208')],
  ['a negative size', formatCheckpoint(checkpoint).replace('208', '-208')],
  ['a size with a sign', formatCheckpoint(checkpoint).replace('208', '+208')],
  ['a size beyond 2^53', formatCheckpoint(checkpoint).replace('20852163', '9007199254740992')],
  ['a short root hash', `${origin}\n1\nAAAA\n`],
  ['a root hash without padding', formatCheckpoint(checkpoint).replace('=', '')],
] as const) {
  test(`a checkpoint with ${reason} is refused`, () => {
    assert.throws(() => parseCheckpoint(text), { code: 'invalid-document' })
  })
}

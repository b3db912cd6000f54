/** https://c2sp.org/tlog-policy */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, utf8ToBytes } from '../../core/bytes.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint } from '../../core/log/checkpoint.ts'
import { cosign, ed25519Cosigner } from '../../core/log/cosignature.ts'
import { formatVerificationKey, signNote } from '../../core/log/note.ts'
import { formatKey } from '../../core/log/noteKey.ts'
import { openWitnessedCheckpoint, parsePolicy } from '../../core/log/policy.ts'

const seed = (byte: number) => new Uint8Array(32).fill(byte)
const log = { name: 'log.example/1', ...signerFromSeed(seed(1)) }
const logKey = formatVerificationKey(log.name, log.publicKey)
const cosigners = ['X1', 'X2', 'X3', 'Y1', 'Y2'].map((name, i) => ed25519Cosigner(`witness.example/${name}`, signerFromSeed(seed(10 + i))))
const lines = cosigners.map(({ key }) => `witness ${key.name.slice('witness.example/'.length)} ${formatKey(key)}`)
const head = [`log ${logKey} https://log.example`, ...lines]

const parse = (...rest: string[]) => parsePolicy(utf8ToBytes([...head, ...rest, ''].join('\n')))
const TWO_LEVELS = parse('group X 2 X1 X2 X3', 'group Y any Y1 Y2', 'group both all X Y', 'quorum both')

const text = formatCheckpoint({ origin: log.name, size: 7, rootHash: seed(9) })
const noteBy = (...names: string[]) =>
  concatBytes(
    signNote(text, [log]),
    ...cosigners
      .filter(({ key }) => names.some((name) => key.name.endsWith(name)))
      .map((cosigner) => utf8ToBytes(cosign(text, cosigner, 1_700_000_000))),
  )

test('a checkpoint counts when every group that the quorum rests on has its number of witnesses', () => {
  for (const names of [
    ['X1', 'X2', 'Y1'],
    ['X2', 'X3', 'Y2'],
    ['X1', 'X2', 'X3', 'Y1', 'Y2'],
  ]) {
    const { checkpoint, witnesses } = openWitnessedCheckpoint(noteBy(...names), TWO_LEVELS)
    assert.equal(checkpoint.size, 7)
    assert.deepEqual(
      witnesses.map(({ name }) => name),
      names,
    )
  }
  for (const names of [[], ['X1', 'X2'], ['X1', 'Y1'], ['Y1', 'Y2'], ['X3', 'Y2']])
    assert.throws(() => openWitnessedCheckpoint(noteBy(...names), TWO_LEVELS), { code: 'untrusted' })
})

test('what is missing is said by the names of the policy', () => {
  assert.throws(() => openWitnessedCheckpoint(noteBy('X1', 'Y2'), TWO_LEVELS), {
    detail: 'the checkpoint lacks witnesses: 2 of (2 of (X1, X2, X3), 1 of (Y1, Y2)); it has X1, Y2',
  })
})

test('a quorum may be one witness, or none', () => {
  openWitnessedCheckpoint(noteBy('X1'), parse('quorum X1'))
  assert.throws(() => openWitnessedCheckpoint(noteBy('X2'), parse('quorum X1')), { code: 'untrusted' })
  assert.deepEqual(openWitnessedCheckpoint(noteBy(), parse('quorum none')).witnesses, [])
})

test('a checkpoint without the signature of a known log is untrusted, however many witnesses it has', () => {
  const stranger = { name: 'log.example/1', ...signerFromSeed(seed(2)) }
  const note = concatBytes(signNote(text, [stranger]), ...cosigners.map((cosigner) => utf8ToBytes(cosign(text, cosigner, 1))))
  assert.throws(() => openWitnessedCheckpoint(note, parse('quorum X1')), { code: 'untrusted' })
})

test('a known log speaks for itself alone', () => {
  const other = { name: 'log.example/2', ...signerFromSeed(seed(2)) }
  const policy = parsePolicy(utf8ToBytes(`log ${logKey}\nlog ${formatVerificationKey(other.name, other.publicKey)}\nquorum none\n`))
  assert.throws(() => openWitnessedCheckpoint(signNote(text, [other]), policy), { code: 'untrusted' })
})

test('comments, blank lines, tabs and octets beyond ASCII in names are taken as they come', () => {
  const policy = parsePolicy(
    concatBytes(
      utf8ToBytes(`# Zeugen\n\n \t# more\n\twitness  `),
      Uint8Array.of(0xff, 0xfe),
      utf8ToBytes(` ${formatKey(cosigners[0]!.key)}\t\nquorum `),
      Uint8Array.of(0xff, 0xfe),
      utf8ToBytes('\n'),
    ),
  )
  assert.equal(policy.witnesses.length, 1)
  assert.equal(policy.quorum, policy.witnesses[0])
})

for (const [reason, rest, line] of [
  ['no quorum', [], undefined],
  ['two quorums', ['quorum X1', 'quorum X2'], 8],
  ['a quorum that is defined below it', ['quorum X', 'group X 1 X1'], 7],
  ['a group of a name that is not defined', ['group X 1 Z1', 'quorum X'], 7],
  ['a threshold above the number of members', ['group X 3 X1 X2', 'quorum X'], 7],
  ['a threshold of 0', ['group X 0 X1 X2', 'quorum X'], 7],
  ['a threshold with a leading zero', ['group X 01 X1 X2', 'quorum X'], 7],
  ['a group without members', ['group X any', 'quorum X'], 7],
  ['the member none', ['group X any none', 'quorum X'], 7],
  ['a group with the name of a witness', ['group X1 any X2', 'quorum X1'], 7],
  ['a group that is called none', ['group none any X2', 'quorum none'], 7],
  ['a member of two groups', ['group X any X1', 'group Y any X1', 'quorum X'], 8],
  ['a member twice', ['group X any X1 X1', 'quorum X'], 7],
  ['a key twice, under two names', [lines[0]!.replace('X1', 'Z'), 'quorum X1'], 7],
  ['the log a second time', [`log ${logKey}`, 'quorum X1'], 7],
  ['a log with the key of a witness', [`log ${formatKey(cosigners[0]!.key)}`, 'quorum X1'], 7],
  ['a witness with the key of a log', [`witness Z ${logKey}`, 'quorum X1'], 7],
  ['a word that is none', ['quorums X1'], 7],
  ['a carriage return', ['quorum X1\r'], 7],
] as const)
  test(`a policy is refused: ${reason}`, () => {
    assert.throws(
      () => parse(...rest),
      (error: Error & { code?: string; detail?: string }) =>
        error.code === 'invalid-request' && (line === undefined || error.detail!.startsWith(`line ${line} of the policy`)),
    )
  })

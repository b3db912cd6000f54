/** https://c2sp.org/tlog-witness, add-checkpoint */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8ToBytes } from '../../core/bytes.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint } from '../../core/log/checkpoint.ts'
import { signNote, verificationKey } from '../../core/log/note.ts'
import { decide, formatAddCheckpoint, originOf, parseAddCheckpoint, type Witnessed } from '../../core/log/witness.ts'
import { EMPTY_ROOT } from '../../core/merkle/tree.ts'
import { entriesOf, mth, proof as consistencyPath } from './rfc9162.ts'

const log = { name: 'log.example/1', ...signerFromSeed(new Uint8Array(32).fill(1)) }
const keys = [verificationKey(log.name, log.publicKey)]
const entries = entriesOf(40)
const rootOf = (size: number) => mth(entries.slice(0, size))
const headOf = (size: number): Witnessed => ({ size, rootHash: rootOf(size) })
const noteOf = (size: number, rootHash = rootOf(size), signer = log) =>
  signNote(formatCheckpoint({ origin: log.name, size, rootHash }), [signer])
const proofOf = (oldSize: number, newSize: number) =>
  oldSize === 0 || oldSize === newSize ? [] : consistencyPath(oldSize, entries.slice(0, newSize))

test('law: a witness cosigns every continuation of what it has cosigned, and remembers it', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), (a, b) => {
      const [oldSize, newSize] = [Math.min(a, b), Math.max(a, b)]
      const request = { oldSize, proof: proofOf(oldSize, newSize), checkpoint: noteOf(newSize) }
      const decision = decide(parseAddCheckpoint(formatAddCheckpoint(request)), keys, oldSize === 0 ? null : headOf(oldSize))
      assert.equal(decision.verdict, 'cosign')
      assert.deepEqual(decision.verdict === 'cosign' && decision.latest, headOf(newSize))
    }),
  )
})

test('law: what does not continue it is never cosigned', () => {
  const forged = entries.with(3, utf8ToBytes('another entry'))
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 39 }), fc.integer({ min: 1, max: 40 }), fc.nat(40), (oldSize, newSize, claimed) => {
      const checkpoint = noteOf(newSize, mth(forged.slice(0, newSize)))
      const proof = claimed === 0 || claimed >= newSize ? [] : consistencyPath(claimed, forged.slice(0, newSize))
      assert.notEqual(decide({ oldSize: claimed, proof, checkpoint }, keys, headOf(oldSize)).verdict, 'cosign')
    }),
  )
})

for (const [reason, request, witnessed, expected] of [
  [
    'a log that it does not know',
    { oldSize: 0, proof: [], checkpoint: signNote(formatCheckpoint({ origin: 'log.example/2', size: 1, rootHash: rootOf(1) }), [log]) },
    null,
    404,
  ],
  [
    'a checkpoint that the log did not sign',
    { oldSize: 0, proof: [], checkpoint: noteOf(1, rootOf(1), { ...signerFromSeed(new Uint8Array(32).fill(2)), name: log.name }) },
    null,
    403,
  ],
  ['an old size above the new one', { oldSize: 9, proof: [], checkpoint: noteOf(8) }, headOf(9), 400],
  ['an old size that it has not cosigned', { oldSize: 5, proof: proofOf(5, 8), checkpoint: noteOf(8) }, headOf(6), 409],
  ['a first request that claims an old size', { oldSize: 5, proof: proofOf(5, 8), checkpoint: noteOf(8) }, null, 409],
  ['a smaller tree than it has cosigned', { oldSize: 5, proof: proofOf(5, 6), checkpoint: noteOf(6) }, headOf(7), 409],
  ['the same size with another root', { oldSize: 6, proof: [], checkpoint: noteOf(6, rootOf(7)) }, headOf(6), 409],
  ['a proof that does not verify', { oldSize: 6, proof: proofOf(5, 8), checkpoint: noteOf(8) }, headOf(6), 422],
  ['a proof from nothing that is not empty', { oldSize: 0, proof: [rootOf(1)], checkpoint: noteOf(8) }, null, 422],
  ['an empty tree with another root', { oldSize: 0, proof: [], checkpoint: noteOf(0, rootOf(1)) }, null, 409],
] as const)
  test(`refused with ${expected}: ${reason}`, () => {
    const decision = decide(request, keys, witnessed)
    assert.notEqual(decision.verdict, 'cosign')
    assert.equal('status' in decision && decision.status, expected)
    if (decision.verdict === 'conflict') assert.equal(decision.size, witnessed?.size ?? 0)
  })

test('two signed histories of one size are kept as evidence', () => {
  const decision = decide({ oldSize: 6, proof: [], checkpoint: noteOf(6, rootOf(7)) }, keys, headOf(6))
  assert.equal(decision.verdict === 'conflict' && decision.evidence, true)
})

test('the empty log is cosigned', () => {
  assert.equal(decide({ oldSize: 0, proof: [], checkpoint: noteOf(0, EMPTY_ROOT) }, keys, null).verdict, 'cosign')
})

const good = new TextDecoder().decode(formatAddCheckpoint({ oldSize: 5, proof: proofOf(5, 8), checkpoint: noteOf(8) }))
for (const [reason, text] of [
  ['no old line', good.replace('old 5\n', '')],
  ['a leading zero', good.replace('old 5', 'old 05')],
  ['a negative size', good.replace('old 5', 'old -5')],
  ['a size beyond 2^53', good.replace('old 5', 'old 9999999999999999')],
  ['a hash of another length', good.replace('old 5\n', 'old 5\nAAAA\n')],
  ['no empty line', good.replaceAll('\n\n', '\n')],
  ['more than 63 hashes', good.replace('old 5\n', `old 5\n${`${'A'.repeat(43)}=\n`.repeat(64)}`)],
  ['nothing', ''],
] as const)
  test(`a request is refused: ${reason}`, () => {
    assert.throws(
      () => {
        const request = parseAddCheckpoint(utf8ToBytes(text))
        originOf(request.checkpoint)
      },
      { code: 'invalid-document' },
    )
  })

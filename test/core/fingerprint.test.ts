import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex } from '../../core/bytes.ts'
import { FINGERPRINT_BYTES, FINGERPRINT_COMPONENTS, fingerprintAgreement, writeFingerprint } from '../../core/fingerprint.ts'

function fingerprint(row: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(FINGERPRINT_BYTES)
  writeFingerprint(row, bytes)
  return bytes
}

const component = fc.double({ min: -1, max: 1, noNaN: true })
const row = fc.array(component, { minLength: 8, maxLength: 400 }).filter((values) => values.filter((value) => value !== 0).length >= 8)

test('the 8 components of greatest magnitude, 12 bits each: index, sign, half octave', () => {
  const values = new Float32Array(384)
  // Exponent bits of 0.5, 0.25 … are 126, 125 …; their fractions are 1, below √2.
  for (const [i, index] of [7, 0, 300, 12, 383, 100, 101, 102].entries()) values[index] = (i % 2 === 0 ? 1 : -1) * 2 ** (-1 - i)
  values[200] = 2 ** -9
  const codes = [
    [0, 1, 0b10], // −2⁻²: exponent 125
    [7, 0, 0b00],
    [12, 1, 0b10],
    [100, 1, 0b10],
    [101, 0, 0b00],
    [102, 1, 0b10],
    [300, 0, 0b00],
    [383, 0, 0b00],
  ].map(([index, sign, half]) => ((index! << 3) | (sign! << 2) | half!).toString(16).padStart(3, '0'))
  assert.equal(bytesToHex(fingerprint(values)), codes.join(''))
})

test('law: a row agrees with itself in all 8 components, also at half precision', () => {
  fc.assert(
    fc.property(row, (values) => {
      assert.equal(fingerprintAgreement(fingerprint(values), fingerprint(values)), FINGERPRINT_COMPONENTS)
    }),
  )
})

test('law: what is smaller than the gap to the ninth component changes no index, and no magnitude by more than half an octave', () => {
  fc.assert(
    fc.property(row, fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 400, maxLength: 400 }), (values, noise) => {
      const magnitudes = values.map(Math.abs).sort((a, b) => b - a)
      const gap = Math.min(magnitudes[7]! - (magnitudes[8] ?? 0), magnitudes[7]! / 4)
      const changed = values.map((value, i) => value + noise[i]! * gap * 0.49)
      assert.equal(fingerprintAgreement(fingerprint(values), fingerprint(changed)), FINGERPRINT_COMPONENTS)
    }),
  )
})

test('law: agreement is symmetric, and rows of opposite sign share nothing', () => {
  fc.assert(
    fc.property(row, row, (a, b) => {
      assert.equal(fingerprintAgreement(fingerprint(a), fingerprint(b)), fingerprintAgreement(fingerprint(b), fingerprint(a)))
      const distinct = a.filter((value) => value !== 0)
      assert.equal(fingerprintAgreement(fingerprint(distinct), fingerprint(distinct.map((value) => -value))), 0)
    }),
  )
})

test('independent rows share next to nothing', () => {
  let state = 1
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 31 - 1
  const prints = Array.from({ length: 200 }, () => fingerprint(Array.from({ length: 384 }, random)))
  let most = 0
  for (const [i, a] of prints.entries()) for (const b of prints.slice(i + 1)) most = Math.max(most, fingerprintAgreement(a, b))
  assert.ok(most <= 3, `${most}`)
})

test('what is no row has no fingerprint', () => {
  assert.throws(() => fingerprint([1, 2, 3]), RangeError)
  assert.throws(() => fingerprint([1, 2, 3, 4, 5, 6, 7, Number.NaN]), RangeError)
})

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

/** Numbers as embeddings have them, none so small that half precision loses it. */
const component = fc
  .tuple(fc.double({ min: 0.001, max: 1, noNaN: true }), fc.boolean())
  .map(([magnitude, negative]) => (negative ? -magnitude : magnitude))
const row = fc.array(component, { minLength: 8, maxLength: 1100 })

function sequence(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 31 - 1
}

test('the 8 components of greatest magnitude, 12 bits each: index modulo 512, sign, two bits of the fraction', () => {
  const values = new Float32Array(1024)
  const components = [
    [0, -0.5, 0b00], // fraction 1
    [7, 0.5 * (1 + 1 / 32), 0b01],
    [12, -0.5 * (1 + 2 / 32), 0b10],
    [100, 0.5 * (1 + 3 / 32), 0b11],
    [101, 0.5 * (1 + 4 / 32), 0b00],
    [300, 0.25 * (1 + 31 / 32), 0b11],
    [511, 0.9, 0b01], // 0.5 · (1 + 25.6 / 32)
    [1023, 0.3, 0b10], // 0.25 · (1 + 6.4 / 32)
  ] as const
  for (const [index, value] of components) values[index] = value
  values[200] = 0.1
  const codes = components.map(([index, value, bits]) => (((index % 512) << 3) | (value < 0 ? 4 : 0) | bits).toString(16).padStart(3, '0'))
  assert.equal(bytesToHex(fingerprint(values)), codes.join(''))
})

test('law: a row agrees with its own fingerprint in all 8 components, and so does the row at half precision', () => {
  fc.assert(
    fc.property(row, (values) => {
      assert.equal(fingerprintAgreement(fingerprint(values), values), FINGERPRINT_COMPONENTS)
      assert.equal(fingerprintAgreement(fingerprint(new Float16Array(values)), values), FINGERPRINT_COMPONENTS)
    }),
  )
})

test('law: last digits change nothing, also where a ninth component is as large as the eighth', () => {
  fc.assert(
    fc.property(row, fc.integer({ min: 1, max: 1_000_000 }), (values, seed) => {
      const random = sequence(seed)
      const changed = values.map((value) => value * (1 + 0.003 * random()))
      assert.equal(fingerprintAgreement(fingerprint(values), changed), FINGERPRINT_COMPONENTS)
    }),
  )
})

test('law: a row of opposite sign shares nothing', () => {
  fc.assert(
    fc.property(row, (values) => {
      const opposite = values.map((value) => -value)
      assert.ok(fingerprintAgreement(fingerprint(values.slice(0, 512)), opposite.slice(0, 512)) === 0)
    }),
  )
})

test('independent rows share next to nothing, and rows at a cosine of 0.99 half', () => {
  const random = sequence(1)
  const normal = () => random() + random() + random() + random()
  const rows = Array.from({ length: 200 }, () => Array.from({ length: 384 }, normal))
  let most = 0
  let near = 0
  for (const [i, a] of rows.entries()) {
    const print = fingerprint(a)
    for (const b of rows.slice(i + 1)) most = Math.max(most, fingerprintAgreement(print, b))
    // Noise of a seventh of the row's size.
    near += fingerprintAgreement(
      print,
      a.map((value) => value + 0.142 * normal()),
    )
  }
  assert.ok(most <= 3, `${most}`)
  assert.ok(near / rows.length < 5, `${near / rows.length}`)
})

test('one component that is said eight times counts once', () => {
  const values = Float32Array.from({ length: 384 }, (_, i) => 1 / (i + 2))
  const print = fingerprint(values)
  const first = print.slice(0, 3)
  first[1] = (first[1]! & 0xf0) | (first[0]! >>> 4)
  first[2] = ((first[0]! << 4) | (first[1]! >>> 4)) & 0xff
  const forged = Uint8Array.from({ length: FINGERPRINT_BYTES }, (_, i) => first[i % 3]!)
  assert.equal(fingerprintAgreement(forged, values), 1)
})

test('what is no row has no fingerprint', () => {
  assert.throws(() => fingerprint([1, 2, 3]), RangeError)
  assert.throws(() => fingerprint([1, 2, 3, 4, 5, 6, 7, Number.NaN]), RangeError)
})

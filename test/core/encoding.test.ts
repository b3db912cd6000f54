import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { encodeSample, MAX_NESTING, sampleDigest } from '../../core/samples/encoding.ts'
import { CalendarDate, Instant, type Row, type Value } from '../../core/samples/value.ts'
import { Problem } from '../../core/problem.ts'
import { anyRow, anyText, anyValue } from './arbitraries.ts'
import vectors from './vectors/encoding.json' with { type: 'json' }

/** The specification once more, value by value and without a thought for speed. */
function slowEncode(row: Row): Buffer {
  return Buffer.concat([Buffer.from('assay.sample.v1\0', 'latin1'), slowValue(row)])
}

function slowValue(value: Value): Buffer {
  if (value === null) return Buffer.of(0)
  if (typeof value === 'boolean') return Buffer.of(value ? 2 : 1)
  if (typeof value === 'number') return Number.isInteger(value) ? slowInteger(BigInt(value)) : slowDouble(value)
  if (typeof value === 'bigint') return slowInteger(value)
  if (typeof value === 'string') return Buffer.concat([Buffer.of(5), u32(Buffer.from(value).length), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.of(6), u32(value.length), value])
  if (value instanceof Instant) return Buffer.concat([Buffer.of(7), twosComplement(value.epochNanoseconds, 16)])
  if (value instanceof CalendarDate) return Buffer.concat([Buffer.of(8), twosComplement(BigInt(value.epochDays), 4)])
  if (Array.isArray(value)) return Buffer.concat([Buffer.of(9), u32(value.length), ...value.map(slowValue)])
  const fields = Object.entries(value)
    .filter(([, field]) => field !== null)
    .map(([name, field]) => ({ name: Buffer.from(name), field: slowValue(field) }))
    .sort((a, b) => Buffer.compare(a.name, b.name))
  return Buffer.concat([Buffer.of(10), u32(fields.length), ...fields.flatMap(({ name, field }) => [u32(name.length), name, field])])
}

/** A double holds an integer exactly when its odd part has at most 53 bits and it is below 2^1024. */
function slowInteger(integer: bigint): Buffer {
  const magnitude = integer < 0n ? -integer : integer
  const bits = magnitude.toString(2)
  if (bits.length <= 1024 && bits.replace(/0+$/, '').length <= 53) return slowDouble(Number(integer))
  let bytes = Buffer.alloc(0)
  for (let rest = magnitude; rest > 0n; rest >>= 8n) bytes = Buffer.concat([Buffer.of(Number(rest & 255n)), bytes])
  return Buffer.concat([Buffer.of(4, integer < 0n ? 1 : 0), u32(bytes.length), bytes])
}

function slowDouble(value: number): Buffer {
  if (Number.isNaN(value)) return Buffer.from('037ff8000000000000', 'hex')
  const littleEndian = new Uint8Array(Float64Array.of(value === 0 ? 0 : value).buffer)
  return Buffer.concat([Buffer.of(3), littleEndian.reverse()])
}

function u32(value: number): Buffer {
  return twosComplement(BigInt(value), 4)
}

function twosComplement(value: bigint, bytes: number): Buffer {
  const digits = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0')
  return Buffer.from(digits, 'hex')
}

/** Reads an encoding back, which shows that it keeps every difference. Numbers that are integers come back as bigint. */
function decode(bytes: Buffer): Value {
  assert.equal(bytes.subarray(0, 16).toString('latin1'), 'assay.sample.v1\0')
  let at = 16
  const take = (length: number): Buffer => bytes.subarray(at, (at += length))
  const takeU32 = (): number => take(4).readUInt32BE()
  const takeValue = (): Value => {
    const tag = take(1)[0]
    if (tag === 0) return null
    if (tag === 1 || tag === 2) return tag === 2
    if (tag === 3) return integral(take(8).readDoubleBE())
    if (tag === 4) {
      const sign = take(1)[0] === 1 ? -1n : 1n
      return sign * BigInt(`0x${take(takeU32()).toString('hex')}`)
    }
    if (tag === 5) return take(takeU32()).toString()
    if (tag === 6) return Uint8Array.from(take(takeU32()))
    if (tag === 7) return new Instant(BigInt.asIntN(128, BigInt(`0x${take(16).toString('hex')}`)))
    if (tag === 8) return new CalendarDate(take(4).readInt32BE())
    if (tag === 9) return Array.from({ length: takeU32() }, takeValue)
    assert.equal(tag, 10)
    return Object.fromEntries(Array.from({ length: takeU32() }, () => [take(takeU32()).toString(), takeValue()]))
  }
  const value = takeValue()
  assert.equal(at, bytes.length, 'the encoding has bytes left over')
  return value
}

function integral(value: number): number | bigint {
  return Number.isInteger(value) ? BigInt(value) : value
}

/** What the specification says a value is: numbers as bigint where integral, null fields gone, fields without an order. */
function meaning(value: Value): Value {
  if (typeof value === 'number') return integral(value)
  if (Array.isArray(value)) return value.map(meaning)
  if (
    value === null ||
    typeof value !== 'object' ||
    value instanceof Uint8Array ||
    value instanceof Instant ||
    value instanceof CalendarDate
  )
    return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [name, meaning(field)]),
  )
}

/** Another row that is the same sample: fields reversed, nulls added, integers as the other number type. */
function disguise(value: Value): Value {
  if (typeof value === 'number') return Object.is(value, 0) ? -0 : integral(value)
  if (typeof value === 'bigint') return BigInt(Number.isFinite(Number(value)) ? Number(value) : 0) === value ? Number(value) : value
  if (Array.isArray(value)) return value.map(disguise)
  if (
    value === null ||
    typeof value !== 'object' ||
    value instanceof Uint8Array ||
    value instanceof Instant ||
    value instanceof CalendarDate
  )
    return value
  const fields = Object.entries(value).map(([name, field]): [string, Value] => [name, disguise(field)])
  return Object.fromEntries([['nothing at all', null], ...fields.toReversed()])
}

function rejects(row: unknown, detail: RegExp): void {
  assert.throws(
    // The point is what the encoder does with what the types forbid.
    () => encodeSample(row as Row),
    (error) => error instanceof Problem && error.code === 'invalid-sample' && detail.test(error.detail),
  )
}

suite('sample encoding', () => {
  test('law: the encoder and a slow reading of the specification write the same bytes', () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        assert.deepEqual(Buffer.from(encodeSample(row)), slowEncode(row))
      }),
      { numRuns: 1000 },
    )
  })

  test('law: an encoding can be decoded to what the row means, so rows that differ have encodings that differ', () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        assert.deepEqual(decode(Buffer.from(encodeSample(row))), meaning(row))
      }),
      { numRuns: 1000 },
    )
  })

  test('law: the order of fields, fields that are null and the JavaScript type of a number change nothing', () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        assert.deepEqual(encodeSample(disguise(row) as Row), encodeSample(row))
      }),
      { numRuns: 500 },
    )
  })

  test('law: no encoding is the beginning of another', () => {
    fc.assert(
      fc.property(anyRow, anyRow, (a, b) => {
        const [one, other] = [Buffer.from(encodeSample(a)), Buffer.from(encodeSample(b))]
        if (!one.equals(other)) assert.ok(!one.subarray(0, other.length).equals(other) && !other.subarray(0, one.length).equals(one))
      }),
    )
  })

  test('law: the digest is SHA-256 of the encoding, with the built-in hash and with one handed in', () => {
    const native = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())
    fc.assert(
      fc.property(anyRow, (row) => {
        assert.deepEqual(sampleDigest(row), native(encodeSample(row)))
        assert.deepEqual(sampleDigest(row, native), sampleDigest(row))
      }),
      { numRuns: 50 },
    )
  })

  test('law: text of any length keeps its bytes, across the growth of the buffer', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 5000 }), (unit, times) => {
        const row = { before: 'x', text: unit.repeat(times), z: [unit] }
        assert.deepEqual(Buffer.from(encodeSample(row)), slowEncode(row))
      }),
      { numRuns: 30 },
    )
  })

  test('a value of another kind is another sample, however alike it looks', () => {
    const alike: Value[] = [1, '1', true, new Instant(1n), new CalendarDate(1), [1], { '': 1 }, Uint8Array.of(1), [[1]], [1, null], '1\0']
    const empty: Value[] = [0, '', false, new Instant(0n), new CalendarDate(0), [], {}, new Uint8Array(0), [null], [[]], [{}]]
    const encodings = [...alike, ...empty].map((value) => Buffer.from(encodeSample({ value })).toString('hex'))
    assert.equal(new Set(encodings).size, alike.length + empty.length)
  })

  test('neighbours among large integers differ, though a double cannot tell them apart', () => {
    assert.notDeepEqual(encodeSample({ id: 2n ** 53n }), encodeSample({ id: 2n ** 53n + 1n }))
    assert.deepEqual(encodeSample({ id: 2n ** 53n }), encodeSample({ id: 2 ** 53 }))
    assert.deepEqual(encodeSample({ id: 10n ** 22n }), encodeSample({ id: 1e22 }))
    assert.notDeepEqual(encodeSample({ id: 10n ** 23n }), encodeSample({ id: 1e23 }))
  })

  test('fields sort by their UTF-8 bytes, not by their UTF-16 units', () => {
    const hex = Buffer.from(encodeSample({ '\u{10000}': true, '\uffff': true })).toString('hex')
    assert.ok(hex.indexOf('efbfbf') < hex.indexOf('f0908080'))
  })

  test('what is not a value is refused, naming its column', () => {
    rejects({ a: { b: 'half \ud800' } }, /column "a": column "b": .*surrogate/)
    rejects({ a: 'long enough that the short way is not taken: '.repeat(4) + '\udc00' }, /surrogate/)
    rejects({ '\udc00': 1 }, /surrogate/)
    rejects({ a: [undefined] }, /undefined/)
    // eslint-disable-next-line no-sparse-arrays -- a hole is what is tested
    rejects({ a: [1, , 2] }, /undefined/)
    rejects({ a: new Date() }, /object of a class/)
    rejects({ a: new Map() }, /object of a class/)
    rejects({ a: () => 1 }, /function/)
    rejects({ a: new CalendarDate(0.5) }, /date/)
    rejects({ a: new CalendarDate(2 ** 31) }, /date/)
    rejects({ a: new Instant(2n ** 127n) }, /instant/)
  })

  test('nesting is bounded, so that no row exhausts the stack', () => {
    const nest = (depth: number): Value => Array.from({ length: depth }).reduce<Value>((inner) => [inner], 1)
    assert.doesNotThrow(() => encodeSample({ a: nest(MAX_NESTING) }))
    rejects({ a: nest(MAX_NESTING + 1) }, /deeper/)
  })

  test('law: a row that is refused leaves no trace in the next', () => {
    fc.assert(
      fc.property(anyRow, anyValue, (row, value) => {
        const expected = slowEncode(row)
        rejects({ a: value, b: '\ud800' }, /surrogate/)
        assert.deepEqual(Buffer.from(encodeSample(row)), expected)
      }),
      { numRuns: 50 },
    )
  })

  test('the published vectors hold', () => {
    for (const { name, row, encoding, digest } of vectors) {
      const value = fromVector(row) as Row
      assert.equal(Buffer.from(encodeSample(value)).toString('hex'), encoding, name)
      assert.equal(Buffer.from(sampleDigest(value)).toString('hex'), digest, name)
    }
  })
})

/** In the vectors `{"$int": "…"}`, `{"$double": "…"}`, `{"$binary": hex}`, `{"$instant": "ns"}`, `{"$date": days}` stand for what JSON lacks. */
function fromVector(value: unknown): Value {
  if (Array.isArray(value)) return value.map(fromVector)
  if (value === null || typeof value !== 'object') return value as Value
  const [[tag, content] = ['', null]] = Object.entries(value)
  if (tag === '$int') return BigInt(content as string)
  if (tag === '$double') return Number(content)
  if (tag === '$binary') return Uint8Array.from(Buffer.from(content as string, 'hex'))
  if (tag === '$instant') return new Instant(BigInt(content as string))
  if (tag === '$date') return new CalendarDate(content as number)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fromVector(field)]))
}

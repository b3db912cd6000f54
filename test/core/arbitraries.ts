/** Rows of every kind of value, and rows that fit a schema, for property tests. */
import fc from 'fast-check'
import type { Field, FieldType, Schema } from '../../core/samples/schema.ts'
import { CalendarDate, Instant, type Row, type Value } from '../../core/samples/value.ts'

/** Any well-formed text, text that begins with a byte order mark among it. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ maxLength: 80 }),
  fc.constantFrom('', '\ufeffmarked', '\ufffd', '\0', 'é', 'e\u0301', '🜚', '\uffff', '\u{10000}'),
)

/** Field names, with those that JavaScript objects treat in their own way. */
export const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('a', 'b', '1', '0', '10', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '\u{10000}', '\uffff'),
)

/** Doubles with their special cases. */
export const anyDouble = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 64, 1e300))

/** Integers around every boundary that the encoding knows. */
export const anyInteger = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 2000n), max: 2n ** 2000n }),
  fc.tuple(fc.integer({ min: 0, max: 1100 }), fc.integer({ min: -2, max: 2 })).map(([bits, off]) => 2n ** BigInt(bits) + BigInt(off)),
)

export const anyInstant = fc.bigInt({ min: -(2n ** 93n), max: 2n ** 93n }).map((nanoseconds) => new Instant(nanoseconds))
export const anyDate = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }).map((days) => new CalendarDate(days))

export const { value: anyValue, struct: anyStruct } = fc.letrec<{ value: Value; struct: { [name: string]: Value } }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    anyDouble,
    anyInteger,
    anyText,
    fc.uint8Array({ maxLength: 20 }),
    anyInstant,
    anyDate,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('struct'),
  ),
  struct: fc
    .uniqueArray(fc.tuple(anyName, tie('value')), { selector: ([name]) => name, maxLength: 5 })
    .map((entries) => Object.fromEntries(entries)),
}))

export const anyRow: fc.Arbitrary<Row> = anyStruct

const I64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const U64 = { min: 0n, max: 2n ** 64n - 1n }

/** An integer as rows hold it: a number where it is a safe one. */
function asRowInteger(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

const { type: anyType } = fc.letrec<{ type: FieldType; fields: Field[] }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<FieldType>({ type: 'utf8' }, { type: 'null' }, { type: 'bool' }, { type: 'int64' }, { type: 'uint64' }),
    fc.constantFrom<FieldType>({ type: 'float64' }, { type: 'binary' }, { type: 'date' }),
    fc.record({ type: fc.constant('timestamp' as const), unit: fc.constantFrom('s', 'ms', 'us', 'ns'), utc: fc.boolean() }),
    fc.record({ type: fc.constant('list' as const), items: tie('type') }),
    fc.record({ type: fc.constant('struct' as const), fields: tie('fields') }),
  ),
  fields: fc.uniqueArray(fc.record({ name: anyName, type: tie('type') }), { selector: (field) => field.name, maxLength: 4 }),
}))

/** A schema of one to five columns of any types. */
export const anySchema: fc.Arbitrary<Schema> = fc.uniqueArray(fc.record({ name: anyName, type: anyType }), {
  selector: (field) => field.name,
  minLength: 1,
  maxLength: 5,
})

function valueOf(type: FieldType): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 4, arbitrary: presentValueOf(type) })
}

function presentValueOf(type: FieldType): fc.Arbitrary<Value> {
  switch (type.type) {
    case 'null':
      return fc.constant(null)
    case 'bool':
      return fc.boolean()
    case 'int64':
      return fc.oneof(fc.integer(), fc.bigInt(I64).map(asRowInteger), fc.constantFrom(I64.min, I64.max))
    case 'uint64':
      return fc.oneof(fc.nat(), fc.bigInt(U64).map(asRowInteger), fc.constantFrom(U64.max))
    case 'float64':
      return anyDouble
    case 'utf8':
      return anyText
    case 'binary':
      return fc.uint8Array({ maxLength: 20 })
    case 'date':
      return anyDate
    case 'timestamp': {
      const nanoseconds = { s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n }[type.unit]
      return fc.bigInt(I64).map((count) => new Instant(count * nanoseconds))
    }
    case 'list':
      return fc.array(valueOf(type.items), { maxLength: 4 })
    case 'struct':
      return rowOf(type.fields)
  }
}

/** A row with every column of the schema, null where it has no value. */
export function rowOf(schema: Schema): fc.Arbitrary<Row> {
  return fc.tuple(...schema.map(({ name, type }) => valueOf(type).map((value): [string, Value] => [name, value]))).map(Object.fromEntries)
}

/** A schema and rows that fit it. */
export const anyTable: fc.Arbitrary<{ schema: Schema; rows: Row[] }> = anySchema.chain((schema) =>
  fc.record({ schema: fc.constant(schema), rows: fc.array(rowOf(schema), { maxLength: 20 }) }),
)

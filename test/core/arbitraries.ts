/** Rows of every kind of value, and rows that fit a schema, for property tests. */
import fc from 'fast-check'
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

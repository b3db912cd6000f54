/**
 * The canonical encoding of a sample (one row), and its digest. Two rows have the same bytes exactly when they are the same
 * sample; which file format, column type or number type carried them does not matter.
 *
 * ## What is the same
 * - A column that is null and a column that is absent; the same for a field of a struct. The order of columns and fields.
 * - Numbers of the same mathematical value: 1 = 1.0 = int64 1 = float32 1; −0 = 0; any NaN = any NaN. A float32 is the double
 *   of the same value.
 * - Points in time of the same distance from the epoch, whatever the unit of their column. Whether that distance is counted in
 *   UTC or on a clock without a zone is a property of the column, stands in the index's schema and is not part of the sample.
 *
 * ## What differs
 * Everything else: null and an empty list, struct, text or binary; the number 1, the text "1", the boolean true, the date 1 and
 * the instant 1; text that is the same only after Unicode normalisation; a null among a list's items and a shorter list; a
 * struct whose fields are all null and a null.
 *
 * ## Bytes
 * All integers are big-endian. A value is one tag byte and what follows it:
 *
 * | tag  | value   | what follows                                                                                           |
 * |------|---------|--------------------------------------------------------------------------------------------------------|
 * | 0x00 | null    | nothing (inside lists only; null fields are left out)                                                  |
 * | 0x01 | false   | nothing                                                                                                |
 * | 0x02 | true    | nothing                                                                                                |
 * | 0x03 | number that a double holds exactly, ±Infinity and NaN among them | the IEEE-754 binary64: 8 bytes; zero as      |
 * |      |         | 00…00, NaN as 7F F8 00 00 00 00 00 00                                                                  |
 * | 0x04 | integer that no double holds exactly | sign (0x00 positive, 0x01 negative), u32 length, magnitude without         |
 * |      |         | leading zero bytes                                                                                     |
 * | 0x05 | text    | u32 length in bytes, UTF-8                                                                             |
 * | 0x06 | binary  | u32 length, bytes                                                                                      |
 * | 0x07 | instant | nanoseconds since 1970-01-01T00:00:00 as a two's complement integer of 16 bytes                        |
 * | 0x08 | date    | days since 1970-01-01 as a two's complement integer of 4 bytes                                         |
 * | 0x09 | list    | u32 number of items, then each item as a value                                                         |
 * | 0x0A | struct  | u32 number of fields that are not null, then for each, sorted by the bytes of its UTF-8 name: u32      |
 * |      |         | length, name, value                                                                                    |
 *
 * A sample is the 16 ASCII bytes `assay.sample.v1` + 0x00, then the row as a struct. The prefix keeps these bytes apart from
 * everything else that Assay hashes. The encoding is prefix-free and can be decoded, hence injective.
 *
 * The sample digest is SHA-256 of those bytes. The sample tree's entries are the sample digests in the order of their numbers:
 * leaf i is the RFC 6962 leaf hash, SHA-256(0x00 ‖ digest i).
 */
import { utf8ToBytes } from '../bytes.ts'
import { type Sha256, sha256 } from '../hash.ts'
import { Problem } from '../problem.ts'
import { shapeOf } from './shape.ts'
import { CalendarDate, Instant, type Row, type Value } from './value.ts'

/** Lists and structs may nest this deep, the row itself not counted. */
export const MAX_NESTING = 64

const TAG_NULL = 0x00
const TAG_FALSE = 0x01
const TAG_TRUE = 0x02
const TAG_DOUBLE = 0x03
const TAG_INTEGER = 0x04
const TAG_TEXT = 0x05
const TAG_BINARY = 0x06
const TAG_INSTANT = 0x07
const TAG_DATE = 0x08
const TAG_LIST = 0x09
const TAG_STRUCT = 0x0a

const PREFIX = utf8ToBytes('assay.sample.v1\0')

/** The canonical encoding of a row. Throws `invalid-sample` on a value that no sample may hold, naming its column. */
export function encodeSample(row: Row): Uint8Array {
  return writeSample(row).slice()
}

/** The sample digest, 32 bytes: SHA-256 of the canonical encoding. Throws `invalid-sample` as `encodeSample` does. */
export function sampleDigest(row: Row, hash: Sha256 = sha256): Uint8Array {
  return hash(writeSample(row))
}

// The buffer that every call writes into: rows come by the million, and a buffer a row would cost more than the hash.
// It is used up before a call returns, so that calls cannot disturb each other.
const INITIAL_BYTES = 64 * 1024
const KEPT_BYTES = 16 * 1024 * 1024
let buffer = new Uint8Array(INITIAL_BYTES)
let view = new DataView(buffer.buffer)
let length = 0

const utf8 = new TextEncoder()

/** Encodes into the shared buffer; what it returns is valid until the next call. */
function writeSample(row: Row): Uint8Array {
  length = 0
  if (buffer.length > KEPT_BYTES) resize(INITIAL_BYTES)
  buffer.set(PREFIX)
  length = PREFIX.length
  writeStruct(row, 0)
  return buffer.subarray(0, length)
}

function writeValue(value: Value | undefined, depth: number): void {
  switch (typeof value) {
    case 'string':
      writeText(value)
      return
    case 'number':
      writeDouble(value)
      return
    case 'bigint':
      writeInteger(value)
      return
    case 'boolean':
      writeTag(value ? TAG_TRUE : TAG_FALSE)
      return
    case 'object':
      writeObject(value, depth)
      return
    // What the types forbid, a reader's mistake may still bring.
    case 'undefined':
    case 'function':
    case 'symbol':
      throw new Problem('invalid-sample', `a ${typeof value} is not a value`)
  }
}

function writeObject(value: Exclude<Value, string | number | bigint | boolean>, depth: number): void {
  if (value === null) {
    writeTag(TAG_NULL)
  } else if (Array.isArray(value)) {
    writeList(value, nested(depth))
  } else if (value instanceof Uint8Array) {
    writeBinary(value)
  } else if (value instanceof Instant) {
    writeInstant(value.epochNanoseconds)
  } else if (value instanceof CalendarDate) {
    writeDate(value.epochDays)
  } else if (isPlainObject(value)) {
    writeStruct(value, nested(depth))
  } else {
    throw new Problem('invalid-sample', 'an object of a class is not a value')
  }
}

function writeDouble(value: number): void {
  reserve(9)
  buffer[length] = TAG_DOUBLE
  // Adding 0 turns −0 into 0; the engine may store any NaN, so the one NaN is written out.
  if (value === value) view.setFloat64(length + 1, value + 0)
  else view.setBigUint64(length + 1, 0x7ff8_0000_0000_0000n)
  length += 9
}

function writeInteger(value: bigint): void {
  const double = Number(value)
  if (Number.isSafeInteger(double) || (Number.isFinite(double) && BigInt(double) === value)) {
    writeDouble(double)
    return
  }
  const digits = (value < 0n ? -value : value).toString(16)
  const magnitudeBytes = (digits.length + 1) >>> 1
  reserve(6 + magnitudeBytes)
  buffer[length] = TAG_INTEGER
  buffer[length + 1] = value < 0n ? 1 : 0
  view.setUint32(length + 2, magnitudeBytes)
  const end = length + 6 + magnitudeBytes
  for (let at = end - 1, last = digits.length; last > 0; at--, last -= 2)
    buffer[at] = Number.parseInt(digits.slice(Math.max(0, last - 2), last), 16)
  length = end
}

/** Shorter than this, a loop over the characters is quicker than the call into the engine's encoder. */
const SHORT_TEXT = 48

function writeText(text: string): void {
  const units = text.length
  reserve(5 + 3 * units)
  buffer[length] = TAG_TEXT
  const start = length + 5
  const written = units < SHORT_TEXT ? writeAscii(text, start) : -1
  const bytes = written === units ? units : encodeUtf8(text, start)
  view.setUint32(length + 1, bytes)
  length = start + bytes
}

/** Writes characters up to the first that is not ASCII and says how many. */
function writeAscii(text: string, start: number): number {
  const units = text.length
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return i
    buffer[start + i] = unit
  }
  return units
}

function encodeUtf8(text: string, start: number): number {
  if (!text.isWellFormed()) throw new Problem('invalid-sample', 'the text has half a surrogate pair; mend it or leave the row out')
  return utf8.encodeInto(text, buffer.subarray(start)).written
}

function writeBinary(bytes: Uint8Array): void {
  reserve(5 + bytes.length)
  buffer[length] = TAG_BINARY
  view.setUint32(length + 1, bytes.length)
  buffer.set(bytes, length + 5)
  length += 5 + bytes.length
}

function writeInstant(nanoseconds: bigint): void {
  if (BigInt.asIntN(128, nanoseconds) !== nanoseconds) throw new Problem('invalid-sample', 'an instant is out of range')
  reserve(17)
  buffer[length] = TAG_INSTANT
  view.setBigInt64(length + 1, nanoseconds >> 64n)
  view.setBigUint64(length + 9, BigInt.asUintN(64, nanoseconds))
  length += 17
}

function writeDate(days: number): void {
  if ((days | 0) !== days) throw new Problem('invalid-sample', 'a date is out of range')
  reserve(5)
  buffer[length] = TAG_DATE
  view.setInt32(length + 1, days)
  length += 5
}

function writeList(items: Value[], depth: number): void {
  reserve(5)
  buffer[length] = TAG_LIST
  view.setUint32(length + 1, items.length)
  length += 5
  for (let i = 0; i < items.length; i++) writeValue(items[i], depth)
}

function writeStruct(fields: { [name: string]: Value }, depth: number): void {
  reserve(5)
  buffer[length] = TAG_STRUCT
  const countAt = length + 1
  length += 5
  let count = 0
  for (const { name, encodedName } of shapeOf(fields)) {
    const value = fields[name]
    if (value === null || value === undefined) continue
    count++
    reserve(encodedName.length)
    buffer.set(encodedName, length)
    length += encodedName.length
    try {
      writeValue(value, depth)
    } catch (error) {
      throw within(name, error)
    }
  }
  view.setUint32(countAt, count)
}

function writeTag(tag: number): void {
  reserve(1)
  buffer[length++] = tag
}

function nested(depth: number): number {
  if (depth === MAX_NESTING) throw new Problem('invalid-sample', `lists and structs nest deeper than ${MAX_NESTING}`)
  return depth + 1
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The same problem, with the column in front. */
function within(name: string, error: unknown): unknown {
  return error instanceof Problem ? new Problem(error.code, `column ${JSON.stringify(name)}: ${error.detail}`) : error
}

function reserve(bytes: number): void {
  if (length + bytes > buffer.length) resize(Math.max(buffer.length * 2, length + bytes))
}

function resize(bytes: number): void {
  const old = buffer
  buffer = new Uint8Array(bytes)
  buffer.set(old.subarray(0, length))
  view = new DataView(buffer.buffer)
}

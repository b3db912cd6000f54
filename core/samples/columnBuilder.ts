/**
 * Values into one Arrow column. The same values give the same bytes: a validity bitmap stands only where there are nulls, what
 * lies under a null is zero, and NaN is one bit pattern.
 */
import { Data, DataType, type Field, Type } from 'apache-arrow'
import { Problem } from '../problem.ts'
import { getField } from './fields.ts'
import { NANOSECONDS } from './time.ts'
import { CalendarDate, Instant, type Value } from './value.ts'

/** Where values stand, for the problem that names one; worked out only when there is one. */
interface Place {
  row: (index: number) => number
  path: string
}

/**
 * A column of one of the types of `toArrowSchema`; for rows, a struct of all columns. Throws `invalid-sample`, naming row (from 0)
 * and column, for a value that its type cannot hold exactly, and `too-large` where the text of a column passes 2 GiB.
 */
export function buildColumn(type: DataType, values: readonly Value[]): Data {
  return build(type, values, { row: (index) => index, path: '' })
}

function build(type: DataType, values: readonly Value[], place: Place): Data {
  if (DataType.isStruct(type)) return column(type, values, {}, buildFields(type.children, values, place))
  if (DataType.isUtf8(type)) return column(type, values, buildText(values, place))
  if (DataType.isInt(type)) return column(type, values, { data: buildIntegers(values, place, type.isSigned) })
  if (DataType.isFloat(type)) return column(type, values, { data: buildDoubles(values, place) })
  if (DataType.isBool(type)) return column(type, values, { data: buildBits(values, place) })
  if (DataType.isList(type)) return buildList(type, values, place)
  if (DataType.isTimestamp(type)) return column(type, values, { data: buildTimestamps(values, place, NANOSECONDS[type.unit]) })
  if (DataType.isDate(type)) return column(type, values, { data: buildDays(values, place) })
  if (DataType.isBinary(type)) return column(type, values, buildBinary(values, place))
  if (!DataType.isNull(type)) throw new TypeError(`no column is built of the type ${Type[type.typeId]}`)
  values.forEach((value, index) => value === null || refuse(value, 'null', place, index))
  return new Data(type, 0, values.length, values.length)
}

interface Buffers {
  data?: Uint8Array | Int32Array | BigInt64Array | BigUint64Array | Float64Array
  offsets?: Int32Array
}

function column(type: DataType, values: readonly Value[], { data, offsets }: Buffers, children: Data[] = []): Data {
  const { bitmap, nullCount } = validityOf(values)
  return new Data(type, 0, values.length, nullCount, [offsets, data, bitmap], children)
}

function validityOf(values: readonly Value[]): { bitmap: Uint8Array; nullCount: number } {
  let nullCount = 0
  for (let i = 0; i < values.length; i++) if (values[i] === null) nullCount++
  if (nullCount === 0) return { bitmap: new Uint8Array(0), nullCount }
  const bitmap = new Uint8Array(Math.ceil(values.length / 8))
  for (let i = 0; i < values.length; i++) if (values[i] !== null) bitmap[i >> 3]! |= 1 << (i & 7)
  return { bitmap, nullCount }
}

function buildBits(values: readonly Value[], place: Place): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 8))
  values.forEach((value, i) => {
    if (value === true) bits[i >> 3]! |= 1 << (i & 7)
    else if (value !== false && value !== null) refuse(value, 'true or false', place, i)
  })
  return bits
}

/** Writes the two halves, so that the usual small integers cost no bigint. */
function buildIntegers(values: readonly Value[], place: Place, signed: boolean): BigInt64Array | BigUint64Array {
  const integers = signed ? new BigInt64Array(values.length) : new BigUint64Array(values.length)
  const halves = new Uint32Array(integers.buffer)
  const fits = signed ? (value: bigint) => BigInt.asIntN(64, value) === value : (value: bigint) => BigInt.asUintN(64, value) === value
  const expected = signed ? 'a whole number from -2^63 to 2^63 - 1' : 'a whole number from 0 to 2^64 - 1'
  values.forEach((value, i) => {
    if (value === null) return
    if (typeof value === 'number' && Number.isSafeInteger(value) && (signed || value >= 0)) {
      halves[2 * i] = value
      halves[2 * i + 1] = Math.floor(value / 2 ** 32)
      return
    }
    const integer = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
    if (typeof integer !== 'bigint' || !fits(integer)) refuse(value, expected, place, i)
    else integers[i] = integer
  })
  return integers
}

function buildDoubles(values: readonly Value[], place: Place): Float64Array {
  const doubles = new Float64Array(values.length)
  values.forEach((value, i) => {
    if (value === null) return
    if (typeof value === 'number') {
      // A NaN that came from a file may carry other bits.
      doubles[i] = Number.isNaN(value) ? NaN : value
      return
    }
    const double = Number(value)
    if (typeof value !== 'bigint' || !Number.isFinite(double) || BigInt(double) !== value)
      refuse(value, 'a number that a 64-bit float holds exactly', place, i)
    doubles[i] = double
  })
  return doubles
}

const MAX_COLUMN_BYTES = 2 ** 31 - 1
const utf8 = new TextEncoder()

function buildText(values: readonly Value[], place: Place): { data: Uint8Array; offsets: Int32Array } {
  let units = 0
  values.forEach((value, i) => {
    if (typeof value === 'string') units += value.length
    else if (value !== null) refuse(value, 'text', place, i)
  })
  // Mostly ASCII: a unit a byte. It grows to three, the most there can be, where it must.
  let data = new Uint8Array(units)
  let length = 0
  const offsets = new Int32Array(values.length + 1)
  values.forEach((value, i) => {
    if (typeof value === 'string') {
      if (!value.isWellFormed()) refuse(value, 'text without half a surrogate pair', place, i)
      let { read, written } = utf8.encodeInto(value, data.subarray(length))
      if (read < value.length) {
        const grown = new Uint8Array(Math.max(2 * data.length, length + 3 * value.length))
        grown.set(data.subarray(0, length))
        data = grown
        written = utf8.encodeInto(value, data.subarray(length)).written
      }
      length += written
    }
    offsets[i + 1] = checkedLength(length, place)
  })
  return { data: data.subarray(0, length), offsets }
}

function buildBinary(values: readonly Value[], place: Place): { data: Uint8Array; offsets: Int32Array } {
  const offsets = new Int32Array(values.length + 1)
  let length = 0
  values.forEach((value, i) => {
    if (value instanceof Uint8Array) length += value.length
    else if (value !== null) refuse(value, 'binary', place, i)
    offsets[i + 1] = checkedLength(length, place)
  })
  const data = new Uint8Array(length)
  values.forEach((value, i) => value instanceof Uint8Array && data.set(value, offsets[i]))
  return { data, offsets }
}

function checkedLength(length: number, place: Place): number {
  if (length > MAX_COLUMN_BYTES) throw new Problem('too-large', `column ${place.path} holds more than 2 GiB; use smaller batches`)
  return length
}

function buildDays(values: readonly Value[], place: Place): Int32Array {
  const days = new Int32Array(values.length)
  values.forEach((value, i) => {
    if (value === null) return
    if (!(value instanceof CalendarDate) || (value.epochDays | 0) !== value.epochDays) refuse(value, 'a date', place, i)
    else days[i] = value.epochDays
  })
  return days
}

function buildTimestamps(values: readonly Value[], place: Place, nanoseconds: bigint): BigInt64Array {
  const timestamps = new BigInt64Array(values.length)
  values.forEach((value, i) => {
    if (value === null) return
    if (!(value instanceof Instant)) return refuse(value, 'a point in time', place, i)
    const count = value.epochNanoseconds / nanoseconds
    if (count * nanoseconds !== value.epochNanoseconds || BigInt.asIntN(64, count) !== count)
      refuse(value, "a point in time of the column's unit and range", place, i)
    timestamps[i] = count
  })
  return timestamps
}

function buildList(type: DataType, values: readonly Value[], place: Place): Data {
  const offsets = new Int32Array(values.length + 1)
  const items: Value[] = []
  values.forEach((value, i) => {
    if (Array.isArray(value)) for (const item of value) items.push(item ?? null)
    else if (value !== null) refuse(value, 'a list', place, i)
    offsets[i + 1] = checkedLength(items.length, place)
  })
  const row = (item: number) => place.row(offsets.findIndex((offset) => offset > item) - 1)
  return column(type, values, { offsets }, [build(type.children[0]!.type, items, { ...place, row })])
}

function buildFields(fields: readonly Field[], values: readonly Value[], place: Place): Data[] {
  const names = new Set(fields.map((field) => field.name))
  const structs = values.map((value, i) => {
    if (value === null) return NOTHING
    if (!isStruct(value)) return refuse(value, 'a struct', place, i)
    const unknown = Object.keys(value).find((name) => !names.has(name) && value[name] !== null && value[name] !== undefined)
    if (unknown !== undefined)
      throw new Problem('invalid-sample', `row ${place.row(i)} has a column ${pathTo(place.path, unknown)} that is not in the schema`)
    return value
  })
  return fields.map(({ name, type }) => {
    const path = pathTo(place.path, name)
    return build(
      type,
      structs.map((struct) => getField(struct, name)),
      { ...place, path },
    )
  })
}

const NOTHING: { [name: string]: Value } = {}

function isStruct(value: Value): value is { [name: string]: Value } {
  if (value === null || typeof value !== 'object') return false
  return !(Array.isArray(value) || value instanceof Uint8Array || value instanceof Instant || value instanceof CalendarDate)
}

function pathTo(path: string, name: string): string {
  return path === '' ? JSON.stringify(name) : `${path}.${JSON.stringify(name)}`
}

function refuse(value: Value, expected: string, place: Place, index: number): never {
  const found = typeof value === 'object' ? kindOf(value) : excerpt(JSON.stringify(String(value)))
  throw new Problem('invalid-sample', `row ${place.row(index)}, column ${place.path}: expected ${expected}, found ${found}`)
}

function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function kindOf(value: object | null): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Uint8Array) return 'binary'
  if (value instanceof Instant) return 'a point in time'
  return value instanceof CalendarDate ? 'a date' : 'a struct'
}

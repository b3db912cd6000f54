/**
 * Values out of one Arrow column. The buffers are read here and not through apache-arrow's own accessors, which drop a byte
 * order mark from text, replace bytes that are not UTF-8, and cut timestamps to milliseconds.
 *
 * The buffers may come from anyone: offsets are checked against what they point into.
 */
import { type Data, DataType, DateUnit, Precision, type TimeUnit, Type } from 'apache-arrow'
import { Problem } from '../problem.ts'
import { setField } from './fields.ts'
import type { Field, FieldType } from './schema.ts'
import { NANOSECONDS } from './time.ts'
import { CalendarDate, Instant, type Value } from './value.ts'

export type ColumnReader = (index: number) => Value

/**
 * A function from an index in the column to its value. `type` says which fields a struct has, at any depth: a field that the
 * column lacks is null. `path` names the column in problems. Throws `unsupported-format` for an Arrow type that no sample has and
 * `invalid-file` where one of the two is a list or a struct and the other is not; the function throws `invalid-file` for bytes
 * that are no value of their type.
 */
export function columnReader(data: Data, type: FieldType, path: string): ColumnReader {
  // An empty column may lack its buffers, and no index is within it.
  if (data.length === 0 || DataType.isNull(data.type)) return () => null
  checkBuffers(data, path)
  const read = valueReader(data, type, path)
  const validity: Uint8Array = (data.nullCount > 0 ? data.nullBitmap : null) ?? NO_BITMAP
  if (validity.length === 0) return read
  const { offset } = data
  if (validity.length * 8 < offset + data.length) throw tooShort(path)
  return (index) => (bitAt(validity, offset + index) ? read(index) : null)
}

const NO_BITMAP = new Uint8Array(0)
const MILLISECONDS_A_DAY = 86_400_000

/** A buffer that ends before the column does would otherwise read as missing values. */
function checkBuffers(data: Data, path: string): void {
  const { type, length, offset, stride, children } = data
  const valuesLength: number = data.values?.length ?? 0
  const offsetsLength: number = data.valueOffsets?.length ?? 0
  const enough =
    DataType.isStruct(type) || DataType.isFixedSizeList(type)
      ? children.every((child) => child.length >= length * stride)
      : DataType.isBool(type)
        ? valuesLength * 8 >= offset + length
        : data.valueOffsets === undefined
          ? valuesLength >= length * stride
          : offsetsLength > length
  if (!enough) throw tooShort(path)
}

function tooShort(path: string): Problem {
  return new Problem('invalid-file', `${path} has fewer bytes than its length says`)
}

function valueReader(data: Data, fieldType: FieldType, path: string): ColumnReader {
  const { type } = data
  if (DataType.isBool(type)) return boolReader(data)
  if (DataType.isInt(type)) return type.bitWidth < 64 ? numberReader(data.values) : wideIntegerReader(data.values, type.isSigned)
  if (DataType.isFloat(type)) return type.precision === Precision.HALF ? float16Reader(data.values) : numberReader(data.values)
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return textReader(variableBytes(data, path), path)
  if (DataType.isUtf8View(type)) return textReader(viewBytes(data, path), path)
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return copyReader(variableBytes(data, path))
  if (DataType.isBinaryView(type)) return copyReader(viewBytes(data, path))
  if (DataType.isFixedSizeBinary(type)) return copyReader(fixedBytes(data.values, type.byteWidth))
  if (DataType.isDecimal(type)) return decimalReader(data.values, type.bitWidth / 32, type.scale)
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? dayReader(data.values) : dateMillisecondReader(data.values, path)
  if (DataType.isTimestamp(type)) return instantReader(data.values, type.unit)
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isMap(type)) return listReader(data, itemsOf(fieldType, path), path)
  if (DataType.isFixedSizeList(type)) return fixedListReader(data, type.listSize, itemsOf(fieldType, path), path)
  if (DataType.isStruct(type)) return structReader(data, fieldsOf(fieldType, path), path)
  if (DataType.isDictionary(type)) return dictionaryReader(data, fieldType, path)
  throw new Problem('unsupported-format', `${path} has the type ${Type[type.typeId]}, which cannot be read`)
}

function itemsOf(type: FieldType, path: string): FieldType {
  if (type.type !== 'list') throw new Problem('invalid-file', `${path} is a list in the file and ${type.type} in the schema`)
  return type.items
}

function fieldsOf(type: FieldType, path: string): readonly Field[] {
  if (type.type !== 'struct') throw new Problem('invalid-file', `${path} is a struct in the file and ${type.type} in the schema`)
  return type.fields
}

function bitAt(bits: Uint8Array, index: number): boolean {
  return (bits[index >> 3]! & (1 << (index & 7))) !== 0
}

function boolReader({ values, offset }: { values: Uint8Array; offset: number }): ColumnReader {
  return (index) => bitAt(values, offset + index)
}

function numberReader(
  values: Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array,
): ColumnReader {
  return (index) => values[index]!
}

/** Reads the two halves, so that the usual small integers cost no bigint. */
function wideIntegerReader(values: BigInt64Array | BigUint64Array, signed: boolean): ColumnReader {
  const low = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
  const high = signed ? new Int32Array(values.buffer, values.byteOffset, values.length * 2) : low
  return (index) => {
    const value = high[2 * index + 1]! * 2 ** 32 + low[2 * index]!
    return Number.isSafeInteger(value) ? value : values[index]!
  }
}

/** IEEE-754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
function float16Reader(values: Uint16Array): ColumnReader {
  return (index) => {
    const bits = values[index]!
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 0x1f
    const fraction = bits & 0x3ff
    if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
  }
}

type BytesReader = (index: number) => Uint8Array

function variableBytes(data: Data, path: string): BytesReader {
  const values: Uint8Array = data.values
  const range = offsetReader(data.valueOffsets, values.length, path)
  return (index) => values.subarray(range(index), range(index + 1))
}

/** Offsets that never fall and stay within `end`, as numbers. */
function offsetReader(offsets: Int32Array | BigInt64Array, end: number, path: string): (index: number) => number {
  return (index) => {
    const offset = Number(offsets[index])
    if (!(offset >= 0 && offset <= end && (index === 0 || Number(offsets[index - 1]) <= offset)))
      throw new Problem('invalid-file', `${path} has an offset that points outside its values`)
    return offset
  }
}

/** A view is a length and, up to 12 bytes, the value itself; else a prefix, the number of a buffer and a place in it. */
function viewBytes(data: Data, path: string): BytesReader {
  const views: Uint8Array = data.values
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength)
  return (index) => {
    const at = index * 16
    const length = view.getInt32(at, true)
    if (length >= 0 && length <= 12) return views.subarray(at + 4, at + 4 + length)
    const source = data.variadicBuffers[view.getInt32(at + 8, true)]
    const offset = view.getInt32(at + 12, true)
    if (length < 0 || offset < 0 || source === undefined || offset + length > source.length)
      throw new Problem('invalid-file', `${path} has a view that points outside its buffers`)
    return source.subarray(offset, offset + length)
  }
}

function fixedBytes(values: Uint8Array, width: number): BytesReader {
  return (index) => values.subarray(index * width, (index + 1) * width)
}

/** Values own their bytes, so that one kept value does not keep a whole file. */
function copyReader(bytes: BytesReader): ColumnReader {
  return (index) => bytes(index).slice()
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textReader(bytes: BytesReader, path: string): ColumnReader {
  return (index) => {
    try {
      return utf8.decode(bytes(index))
    } catch (cause) {
      if (cause instanceof Problem) throw cause
      throw new Problem('invalid-file', `${path} holds text that is not UTF-8`, { cause })
    }
  }
}

/** Little-endian two's complement of `words` 32-bit words, times 10^−scale. */
function decimalReader(values: Uint32Array, words: number, scale: number): ColumnReader {
  return (index) => {
    let unscaled = 0n
    for (let word = words - 1; word >= 0; word--) unscaled = (unscaled << 32n) | BigInt(values[index * words + word]!)
    return decimalText(BigInt.asIntN(words * 32, unscaled), scale)
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled < 0n ? -unscaled : unscaled)
  if (scale <= 0) return unscaled === 0n ? '0' : `${sign}${digits}${'0'.repeat(-scale)}`
  const padded = digits.padStart(scale + 1, '0')
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

function dayReader(values: Int32Array): ColumnReader {
  return (index) => new CalendarDate(values[index]!)
}

function dateMillisecondReader(values: BigInt64Array, path: string): ColumnReader {
  return (index) => {
    const days = Number(values[index]!) / MILLISECONDS_A_DAY
    if (!Number.isInteger(days)) throw new Problem('invalid-file', `${path} is a date that is not a whole day`)
    return new CalendarDate(days)
  }
}

function instantReader(values: BigInt64Array, unit: TimeUnit): ColumnReader {
  const nanoseconds = NANOSECONDS[unit]
  return (index) => new Instant(values[index]! * nanoseconds)
}

function listReader(data: Data, items: FieldType, path: string): ColumnReader {
  const child = data.children[0]!
  const range = offsetReader(data.valueOffsets, child.length, path)
  const read = columnReader(child, items, path)
  return (index) => slice(read, range(index), range(index + 1))
}

function fixedListReader(data: Data, listSize: number, items: FieldType, path: string): ColumnReader {
  const read = columnReader(data.children[0]!, items, path)
  return (index) => slice(read, index * listSize, (index + 1) * listSize)
}

function slice(read: ColumnReader, from: number, to: number): Value[] {
  const values: Value[] = []
  for (let index = from; index < to; index++) values.push(read(index))
  return values
}

function structReader(data: Data, fields: readonly Field[], path: string): ColumnReader {
  const readers = fieldReaders(data.type.children, data.children, fields, path)
  return (index) => {
    const struct: { [name: string]: Value } = {}
    for (const { name, read } of readers) setField(struct, name, read(index))
    return struct
  }
}

/** A reader for each field, whichever place its column has; `path` is empty for the columns of a batch. */
export function fieldReaders(
  arrowFields: readonly { name: string | null }[],
  columns: readonly Data[],
  fields: readonly Field[],
  path: string,
): { name: string; read: ColumnReader }[] {
  return fields.map(({ name, type }, position) => {
    const column = columns[columnIndex(arrowFields, name, position)]
    const fieldPath = path === '' ? `column ${JSON.stringify(name)}` : `${path}.${JSON.stringify(name)}`
    return { name, read: column === undefined ? () => null : columnReader(column, type, fieldPath) }
  })
}

/**
 * The place of a column by name, −1 where there is none. apache-arrow reads an empty name as null or as "null", so that such a
 * column is also known by standing where it is expected.
 */
export function columnIndex(arrowFields: readonly { name: string | null }[], name: string, position = -1): number {
  const there = arrowFields[position]?.name ?? ''
  if (there === name || (name === '' && there === 'null')) return position
  return arrowFields.findIndex((field) => (field.name ?? '') === name)
}

/** The dictionary may have grown by several batches: its chunks follow one another. */
function dictionaryReader(data: Data, type: FieldType, path: string): ColumnReader {
  const keys: ArrayLike<number | bigint> = data.values
  const chunks = (data.dictionary?.data ?? []).map((chunk) => ({ length: chunk.length, read: columnReader(chunk, type, path) }))
  return (index) => {
    let key = Number(keys[index])
    for (const { length, read } of chunks) {
      if (key >= 0 && key < length) return read(key)
      key -= length
    }
    throw new Problem('invalid-file', `${path} has a key that is not in its dictionary`)
  }
}

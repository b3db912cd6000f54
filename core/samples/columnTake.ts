/** Items out of Arrow columns of one of the types of `toArrowSchema`, put together as a column of their own, without a look at their values. */
import { Data, DataType, Type } from 'apache-arrow'
import { Problem } from '../problem.ts'

/** Where the items of the new column come from: item i is the item `indices[i]` of the column `sources[i]`. */
export interface Places {
  sources: ArrayLike<number>
  indices: ArrayLike<number>
}

/**
 * All columns are of one type; places lie within them and may repeat. Throws `too-large` where text, binary or items of lists would
 * pass 2 GiB, and a TypeError on a type that samples do not have.
 */
export function takeColumn(columns: readonly Data[], places: Places): Data {
  const type: DataType = columns[0]!.type
  const length = places.indices.length
  if (DataType.isNull(type)) return new Data(type, 0, length, length)
  const { nullCount, bitmap } = takeValidity(columns, places)
  const { values, offsets, children } = takeBuffers(type, columns, places)
  return new Data<DataType>(type, 0, length, nullCount, [offsets, values, bitmap], children)
}

interface Buffers {
  values?: Fixed | Uint8Array
  offsets?: Int32Array
  children?: Data[]
}

function takeBuffers(type: DataType, columns: readonly Data[], places: Places): Buffers {
  if (DataType.isBool(type)) return { values: takeBits(columns, valueBits, places) }
  if (DataType.isInt(type) || DataType.isFloat(type) || DataType.isDate(type) || DataType.isTimestamp(type))
    return { values: takeFixed(columns, places) }
  if (DataType.isStruct(type)) return { children: type.children.map((_, i) => takeColumn(childrenOf(columns, i), places)) }
  if (!DataType.isUtf8(type) && !DataType.isBinary(type) && !DataType.isList(type))
    throw new TypeError(`no rows are taken of the type ${Type[type.typeId]}`)
  const offsets = takeOffsets(columns, places)
  return DataType.isList(type)
    ? { offsets, children: [takeColumn(childrenOf(columns, 0), itemPlaces(columns, offsets, places))] }
    : { offsets, values: takeBytes(columns, offsets, places) }
}

function childrenOf(columns: readonly Data[], i: number): Data[] {
  return columns.map((column) => column.children[i]!)
}

function takeValidity(columns: readonly Data[], places: Places): { bitmap: Uint8Array; nullCount: number } {
  if (columns.every((column) => column.nullCount === 0)) return { bitmap: new Uint8Array(0), nullCount: 0 }
  const bitmap = takeBits(columns, (column) => (column.nullCount === 0 ? null : column.nullBitmap), places)
  let nullCount = 0
  for (let i = 0; i < places.indices.length; i++) if (!bitAt(bitmap, i)) nullCount++
  return { bitmap: nullCount === 0 ? new Uint8Array(0) : bitmap, nullCount }
}

function valueBits(column: Data): Uint8Array {
  return column.values
}

function bitAt(bits: Uint8Array, index: number): boolean {
  return (bits[index >> 3]! & (1 << (index & 7))) !== 0
}

/** Bits of the columns' own; where a column has none of the kind (null), they are all set. */
function takeBits(columns: readonly Data[], bitsOf: (column: Data) => Uint8Array | null, { sources, indices }: Places): Uint8Array {
  const sourceBits = columns.map(bitsOf)
  const offsets = columns.map((column) => column.offset)
  const taken = new Uint8Array(Math.ceil(indices.length / 8))
  for (let i = 0; i < indices.length; i++) {
    const source = sources[i]!
    const bits = sourceBits[source]
    if (bits === null || bitAt(bits!, offsets[source]! + indices[i]!)) taken[i >> 3]! |= 1 << (i & 7)
  }
  return taken
}

type Fixed = Int32Array | BigInt64Array | BigUint64Array | Float64Array

/** Copies words of 32 bits, so that no 64-bit integer becomes a bigint and every NaN keeps its bits. */
function takeFixed(columns: readonly Data[], { sources, indices }: Places): Fixed {
  const values: Fixed[] = columns.map((column) => column.values)
  const words = values.map(({ buffer, byteOffset, byteLength }) => new Int32Array(buffer, byteOffset, byteLength / 4))
  const wordsPerItem = values[0]!.BYTES_PER_ELEMENT / 4
  const taken = new Int32Array(indices.length * wordsPerItem)
  for (let i = 0; i < indices.length; i++) {
    const source = words[sources[i]!]!
    const at = indices[i]! * wordsPerItem
    taken[i * wordsPerItem] = source[at]!
    if (wordsPerItem === 2) taken[i * 2 + 1] = source[at + 1]!
  }
  if (values[0] instanceof Int32Array) return taken
  if (values[0] instanceof Float64Array) return new Float64Array(taken.buffer)
  return values[0] instanceof BigInt64Array ? new BigInt64Array(taken.buffer) : new BigUint64Array(taken.buffer)
}

const MAX_OFFSET = 2 ** 31 - 1

function takeOffsets(columns: readonly Data[], { sources, indices }: Places): Int32Array {
  const offsets: Int32Array[] = columns.map((column) => column.valueOffsets)
  const taken = new Int32Array(indices.length + 1)
  let end = 0
  for (let i = 0; i < indices.length; i++) {
    const source = offsets[sources[i]!]!
    const index = indices[i]!
    end += source[index + 1]! - source[index]!
    if (end > MAX_OFFSET) throw new Problem('too-large', 'a column would hold more than 2 GiB; take fewer rows at a time')
    taken[i + 1] = end
  }
  return taken
}

/** Shorter than this, a loop over the bytes is quicker than a view of them. */
const SHORT_BYTES = 48

function takeBytes(columns: readonly Data[], takenOffsets: Int32Array, { sources, indices }: Places): Uint8Array {
  const offsets: Int32Array[] = columns.map((column) => column.valueOffsets)
  const bytes: Uint8Array[] = columns.map((column) => column.values)
  const taken = new Uint8Array(takenOffsets[indices.length]!)
  for (let i = 0; i < indices.length; i++) {
    const source = bytes[sources[i]!]!
    const from = offsets[sources[i]!]![indices[i]!]!
    const at = takenOffsets[i]!
    const length = takenOffsets[i + 1]! - at
    if (length < SHORT_BYTES) for (let k = 0; k < length; k++) taken[at + k] = source[from + k]!
    else taken.set(source.subarray(from, from + length), at)
  }
  return taken
}

/** The items of the lists that are taken. */
function itemPlaces(columns: readonly Data[], takenOffsets: Int32Array, { sources, indices }: Places): Places {
  const offsets: Int32Array[] = columns.map((column) => column.valueOffsets)
  const count = takenOffsets[indices.length]!
  const items = { sources: new Uint32Array(count), indices: new Uint32Array(count) }
  for (let i = 0; i < indices.length; i++) {
    const first = offsets[sources[i]!]![indices[i]!]!
    const end = takenOffsets[i + 1]!
    items.sources.fill(sources[i]!, takenOffsets[i], end)
    for (let at = takenOffsets[i]!; at < end; at++) items.indices[at] = first + at - takenOffsets[i]!
  }
  return items
}

/** The items of these indices out of an Arrow column of one of the types of `toArrowSchema`, as a column of their own. */
import { Data, DataType, Type } from 'apache-arrow'

/** Indices lie within the column and may repeat. Throws a TypeError on a type that samples do not have. */
export function takeColumn(data: Data, indices: ArrayLike<number>): Data {
  const type: DataType = data.type
  if (DataType.isNull(type)) return new Data(type, 0, indices.length, indices.length)
  const { nullCount, bitmap } = takeValidity(data, indices)
  const { values, offsets, children } = takeBuffers(data, indices)
  return new Data<DataType>(type, 0, indices.length, nullCount, [offsets, values, bitmap], children)
}

interface Buffers {
  values?: Fixed | Uint8Array
  offsets?: Int32Array
  children?: Data[]
}

function takeBuffers(data: Data, indices: ArrayLike<number>): Buffers {
  const type: DataType = data.type
  if (DataType.isBool(type)) return { values: takeBits(data.values, data.offset, indices) }
  if (DataType.isInt(type) || DataType.isFloat(type) || DataType.isDate(type) || DataType.isTimestamp(type))
    return { values: takeFixed(data.values, indices) }
  if (DataType.isStruct(type)) return { children: data.children.map((child) => takeColumn(child, indices)) }
  if (!DataType.isUtf8(type) && !DataType.isBinary(type) && !DataType.isList(type))
    throw new TypeError(`no rows are taken of the type ${Type[data.typeId]}`)
  const offsets = takeOffsets(data.valueOffsets, indices)
  return DataType.isList(type)
    ? { offsets, children: [takeColumn(data.children[0]!, itemIndices(data.valueOffsets, offsets, indices))] }
    : { offsets, values: takeBytes(data.values, data.valueOffsets, offsets, indices) }
}

function takeValidity(data: Data, indices: ArrayLike<number>): { bitmap: Uint8Array; nullCount: number } {
  if (data.nullCount === 0) return { bitmap: new Uint8Array(0), nullCount: 0 }
  const bitmap = takeBits(data.nullBitmap, data.offset, indices)
  let nullCount = 0
  for (let i = 0; i < indices.length; i++) if (!bitAt(bitmap, i)) nullCount++
  return { bitmap: nullCount === 0 ? new Uint8Array(0) : bitmap, nullCount }
}

function bitAt(bits: Uint8Array, index: number): boolean {
  return (bits[index >> 3]! & (1 << (index & 7))) !== 0
}

function takeBits(bits: Uint8Array, offset: number, indices: ArrayLike<number>): Uint8Array {
  const taken = new Uint8Array(Math.ceil(indices.length / 8))
  for (let i = 0; i < indices.length; i++) if (bitAt(bits, offset + indices[i]!)) taken[i >> 3]! |= 1 << (i & 7)
  return taken
}

type Fixed = Int32Array | BigInt64Array | BigUint64Array | Float64Array

function takeFixed(values: Fixed, indices: ArrayLike<number>): Fixed {
  if (values instanceof Int32Array) return fill(new Int32Array(indices.length), values, indices)
  if (values instanceof Float64Array) return fill(new Float64Array(indices.length), values, indices)
  if (values instanceof BigInt64Array) return fill(new BigInt64Array(indices.length), values, indices)
  return fill(new BigUint64Array(indices.length), values, indices)
}

function fill<V, T extends { [index: number]: V }>(taken: T, values: { readonly [index: number]: V }, indices: ArrayLike<number>): T {
  for (let i = 0; i < indices.length; i++) taken[i] = values[indices[i]!]!
  return taken
}

function takeOffsets(offsets: Int32Array, indices: ArrayLike<number>): Int32Array {
  const taken = new Int32Array(indices.length + 1)
  for (let i = 0; i < indices.length; i++) taken[i + 1] = taken[i]! + offsets[indices[i]! + 1]! - offsets[indices[i]!]!
  return taken
}

function takeBytes(values: Uint8Array, offsets: Int32Array, takenOffsets: Int32Array, indices: ArrayLike<number>): Uint8Array {
  const taken = new Uint8Array(takenOffsets[indices.length]!)
  for (let i = 0; i < indices.length; i++) taken.set(values.subarray(offsets[indices[i]!]!, offsets[indices[i]! + 1]!), takenOffsets[i])
  return taken
}

function itemIndices(offsets: Int32Array, takenOffsets: Int32Array, indices: ArrayLike<number>): Uint32Array {
  const items = new Uint32Array(takenOffsets[indices.length]!)
  for (let i = 0; i < indices.length; i++) {
    const first = offsets[indices[i]!]!
    for (let at = takenOffsets[i]!; at < takenOffsets[i + 1]!; at++) items[at] = first + at - takenOffsets[i]!
  }
  return items
}

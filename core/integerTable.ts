/**
 * Reads Arrow IPC files of 32-bit integer columns from strangers (https://arrow.apache.org/docs/format/Columnar.html, §IPC; Message.fbs
 * and Schema.fbs in the Arrow repository). apache-arrow trusts what it reads: a wrong byte can make it loop or allocate without end.
 * Here every read is checked against the bytes, and every count against what there can be.
 */
import { bytesToUtf8 } from './bytes.ts'
import { Problem } from './problem.ts'

export interface IntegerColumn {
  name: string
  isSigned: boolean
  batches: {
    values: Int32Array | Uint32Array
    /** Bit i set: value i is valid. Null: all are. */
    validity: Uint8Array | null
  }[]
}

const MAGIC = 'ARROW1'
const CONTINUATION = 0xffff_ffff
const HEADER_RECORD_BATCH = 3
const TYPE_INT = 2
const MAX_COLUMNS = 1024
const BLOCK_BYTES = 24

/**
 * The columns with their batches. Throws `invalid-document` for anything but an uncompressed file of 32-bit integer columns with at
 * most `maxRows` rows.
 */
export function readIntegerTable(bytes: Uint8Array, maxRows: number): { columns: IntegerColumn[]; rowCount: number } {
  try {
    return readFile(bytes, maxRows)
  } catch (cause) {
    // What a DataView says of a read past its end, and a decoder of bytes that are not UTF-8.
    if (cause instanceof RangeError || cause instanceof TypeError) throw invalid('it points outside itself', cause)
    throw cause
  }
}

/** A file ends in a footer, its length and the magic; the footer has the schema and says where the batches are. */
function readFile(bytes: Uint8Array, maxRows: number): { columns: IntegerColumn[]; rowCount: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let i = 0; i < MAGIC.length; i++)
    if (bytes[i] !== MAGIC.charCodeAt(i) || bytes[bytes.length - MAGIC.length + i] !== MAGIC.charCodeAt(i))
      throw invalid(`it does not begin and end with ${MAGIC}`)
  const footerEnd = bytes.length - MAGIC.length - 4
  const footerLength = view.getInt32(footerEnd, true)
  const footer = rootTable(partOf(view, footerEnd - footerLength, footerLength))
  const columns = readSchema(footer.table(1))
  let rowCount = 0
  for (const [offset] of footer.structs(3, BLOCK_BYTES, Math.floor(bytes.length / BLOCK_BYTES))) {
    rowCount += readBatch(bytes, view, offset, columns, maxRows - rowCount)
  }
  return { columns, rowCount }
}

function readSchema(schema: Table): IntegerColumn[] {
  if (schema.short(0) !== 0) throw invalid('it is big-endian')
  return schema.tables(1, MAX_COLUMNS).map((field) => {
    const name = field.text(0)
    const type = field.table(3)
    if (field.byte(2) !== TYPE_INT || type.int(0) !== 32 || field.has(4)) throw invalid(`column "${name}" is not of 32-bit integers`)
    return { name, isSigned: type.byte(1) !== 0, batches: [] }
  })
}

/** Adds the batch of the message at an offset to each column and gives its number of rows. */
function readBatch(bytes: Uint8Array, view: DataView, at: number, columns: IntegerColumn[], maxRows: number): number {
  if (view.getUint32(at, true) !== CONTINUATION) throw invalid('a message does not begin as one')
  const metadataLength = view.getInt32(at + 4, true)
  const message = rootTable(partOf(view, at + 8, metadataLength))
  if (message.byte(1) !== HEADER_RECORD_BATCH) throw invalid('a message is not a record batch')
  const body = bytes.subarray(at + 8 + metadataLength, at + 8 + metadataLength + message.long(3))
  const batch = message.table(2)
  if (batch.has(3)) throw invalid('it is compressed')
  const rows = batch.long(0)
  if (rows > maxRows) throw invalid('it has more rows than there can be')
  // A field node is (length, null count), a buffer (offset, length).
  const nodes = batch.structs(1, 16, columns.length)
  const buffers = batch.structs(2, 16, 2 * columns.length)
  if (nodes.length !== columns.length || buffers.length !== 2 * columns.length)
    throw invalid('a batch does not have the columns of the schema')
  columns.forEach((column, i) => {
    const [length, nullCount] = nodes[i]!
    if (length !== rows) throw invalid(`column "${column.name}" has ${length} rows in a batch of ${rows}`)
    const validity = nullCount === 0 ? null : bufferOf(body, buffers[2 * i]!, Math.ceil(rows / 8))
    // A copy, for its alignment and so that no value keeps the file. (`slice` of Node's Buffer, which is a Uint8Array, would make none.)
    const { buffer } = new Uint8Array(bufferOf(body, buffers[2 * i + 1]!, 4 * rows))
    column.batches.push({ values: column.isSigned ? new Int32Array(buffer) : new Uint32Array(buffer), validity })
  })
  return rows
}

function partOf(view: DataView, at: number, length: number): DataView {
  if (at < 0 || length < 0 || at + length > view.byteLength) throw invalid('a part of it is cut short')
  return new DataView(view.buffer, view.byteOffset + at, length)
}

/** The first `needed` bytes of a buffer. */
function bufferOf(body: Uint8Array, [offset = 0, length = 0]: readonly number[], needed: number): Uint8Array {
  if (length < needed || offset + needed > body.length) throw invalid('a buffer is cut short')
  return body.subarray(offset, offset + needed)
}

/** A FlatBuffers table (https://flatbuffers.dev/internals). A field that is absent reads as 0. */
interface Table {
  has(field: number): boolean
  byte(field: number): number
  short(field: number): number
  int(field: number): number
  /** A 64-bit integer from 0 to 2^53 − 1. */
  long(field: number): number
  text(field: number): string
  table(field: number): Table
  tables(field: number, maxCount: number): Table[]
  /** A vector of structs: of each its first and its last 64-bit integer, as `long` reads them. */
  structs(field: number, sizeBytes: number, maxCount: number): [number, number][]
}

function rootTable(view: DataView): Table {
  return tableAt(view, view.getUint32(0, true))
}

function tableAt(view: DataView, at: number): Table {
  const vtable = at - view.getInt32(at, true)
  const vtableLength = view.getUint16(vtable, true)
  /** Where a field stands; 0 where it is absent. */
  const place = (field: number): number => {
    const entry = 4 + 2 * field
    const offset = entry + 2 <= vtableLength ? view.getUint16(vtable + entry, true) : 0
    return offset === 0 ? 0 : at + offset
  }
  const read = (field: number, get: (at: number) => number): number => {
    const from = place(field)
    return from === 0 ? 0 : get(from)
  }
  /** Where that which a field points to stands. */
  const target = (field: number): number => {
    const from = place(field)
    if (from === 0) throw invalid('it lacks a field that it must have')
    return from + view.getUint32(from, true)
  }
  return {
    has: (field) => place(field) !== 0,
    byte: (field) => read(field, (from) => view.getUint8(from)),
    short: (field) => read(field, (from) => view.getInt16(from, true)),
    int: (field) => read(field, (from) => view.getInt32(from, true)),
    long: (field) => read(field, (from) => longAt(view, from)),
    text: (field) => {
      const from = target(field)
      const length = view.getUint32(from, true)
      if (from + 4 + length > view.byteLength) throw invalid('a text is cut short')
      return bytesToUtf8(new Uint8Array(view.buffer, view.byteOffset + from + 4, length))
    },
    table: (field) => tableAt(view, target(field)),
    tables: (field, maxCount) => {
      const from = target(field)
      const count = view.getUint32(from, true)
      if (count > maxCount) throw invalid(`it has ${count} columns`)
      return Array.from({ length: count }, (_, i) => {
        const entry = from + 4 + 4 * i
        return tableAt(view, entry + view.getUint32(entry, true))
      })
    },
    structs: (field, sizeBytes, maxCount) => {
      const from = target(field)
      const count = view.getUint32(from, true)
      if (count > maxCount) throw invalid(`it has a list of ${count} structs`)
      return Array.from({ length: count }, (_, i) => {
        const struct = from + 4 + sizeBytes * i
        return [longAt(view, struct), longAt(view, struct + sizeBytes - 8)]
      })
    },
  }
}

function longAt(view: DataView, at: number): number {
  const value = Number(view.getBigInt64(at, true))
  if (!Number.isSafeInteger(value) || value < 0) throw invalid(`it counts ${value}`)
  return value
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('invalid-document', `not an Arrow file of 32-bit integers: ${detail}`, { cause })
}

/**
 * Rows as a Parquet file (https://github.com/apache/parquet-format), so that the same rows give the same bytes and whoever has them can
 * recompute the file's CID. What decides the bytes: the encoder, hyparquet-writer 0.17.0; Snappy; row groups of ROW_GROUP_ROWS rows; pages of
 * PAGE_BYTES; dictionaries and statistics as that encoder writes them by itself; and this table:
 *
 * | a sample's column | in the file                                                    |
 * |-------------------|----------------------------------------------------------------|
 * | null              | INT32, NULL                                                    |
 * | bool              | BOOLEAN                                                        |
 * | int64, uint64     | INT64, the latter UINT_64                                      |
 * | float64           | DOUBLE                                                         |
 * | utf8, binary      | BYTE_ARRAY, the former UTF8                                    |
 * | date              | INT32, DATE                                                    |
 * | timestamp         | INT64, TIMESTAMP of its unit; seconds as MILLIS, if they fit   |
 * | list              | three levels: LIST, `list`, `element`                          |
 * | struct            | a group; one without fields gets a field `_` that is null      |
 *
 * Everything may be null. A row has the same digest when it is read back.
 */
import type { SchemaElement } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { ParquetWriter } from 'hyparquet-writer/src/parquet-writer.js'
import { Problem } from '../problem.ts'
import { getField, setField } from './fields.ts'
import type { Field, FieldType, Schema } from './schema.ts'
import { CalendarDate, Instant, type Row, type Value } from './value.ts'

const ROW_GROUP_ROWS = 8192
const PAGE_BYTES = 1024 * 1024
const CREATED_BY = 'assay'

const PARQUET_UNITS = { s: 'MILLIS', ms: 'MILLIS', us: 'MICROS', ns: 'NANOS' } as const
const UNIT_NANOSECONDS = { s: 1_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n } as const

export interface ParquetFile {
  /** Adds a row. Throws `unsupported-format` for a time in seconds that is no 64-bit number of milliseconds. */
  push(row: Row): void
  rowCount(): number
  /** The bytes of the whole file, which is held in memory until then. */
  finish(): Uint8Array
}

export function createParquetFile(schema: Schema): ParquetFile {
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({ writer: bytes, schema: toParquetSchema(schema), codec: 'SNAPPY', createdBy: CREATED_BY })
  const columns = schema.map((field) => ({ name: field.name, convert: converterOf(field.type), data: [] as unknown[] }))
  let pending = 0
  let written = 0

  function flush(): void {
    // With a writer in memory this is done when it returns.
    void writer.write({ columnData: columns.map(({ name, data }) => ({ name, data })), rowGroupSize: ROW_GROUP_ROWS, pageSize: PAGE_BYTES })
    for (const column of columns) column.data = []
    written += pending
    pending = 0
  }

  return {
    push(row) {
      for (const { name, convert, data } of columns) data.push(convert(getField(row, name)))
      if (++pending === ROW_GROUP_ROWS) flush()
    },
    rowCount: () => written + pending,
    finish() {
      if (pending > 0) flush()
      void writer.finish()
      return bytes.getBytes()
    },
  }
}

function toParquetSchema(schema: Schema): SchemaElement[] {
  return [{ name: 'root', num_children: schema.length }, ...schema.flatMap(({ name, type }) => elementsOf(name, type))]
}

/** An element and those below it, each before its children. */
function elementsOf(name: string, type: FieldType): SchemaElement[] {
  const optional = { name, repetition_type: 'OPTIONAL' } as const
  switch (type.type) {
    case 'null':
      return [{ ...optional, type: 'INT32', logical_type: { type: 'NULL' } }]
    case 'bool':
      return [{ ...optional, type: 'BOOLEAN' }]
    case 'int64':
      return [{ ...optional, type: 'INT64' }]
    case 'uint64':
      return [{ ...optional, type: 'INT64', converted_type: 'UINT_64' }]
    case 'float64':
      return [{ ...optional, type: 'DOUBLE' }]
    case 'utf8':
      return [{ ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' }]
    case 'binary':
      return [{ ...optional, type: 'BYTE_ARRAY' }]
    case 'date':
      return [{ ...optional, type: 'INT32', converted_type: 'DATE' }]
    case 'timestamp':
      return [
        { ...optional, type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: type.utc, unit: PARQUET_UNITS[type.unit] } },
      ]
    case 'list':
      return [
        { ...optional, num_children: 1, converted_type: 'LIST' },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf('element', type.items),
      ]
    case 'struct': {
      const fields = fieldsOf(type.fields)
      return [{ ...optional, num_children: fields.length }, ...fields.flatMap((field) => elementsOf(field.name, field.type))]
    }
  }
}

/** Parquet has no group without children. */
function fieldsOf(fields: readonly Field[]): readonly Field[] {
  return fields.length === 0 ? [{ name: '_', type: { type: 'null' } }] : fields
}

/** From a sample's value to what the encoder takes. */
function converterOf(type: FieldType): (value: Value) => unknown {
  switch (type.type) {
    case 'int64':
    case 'uint64':
      return (value) => (typeof value === 'number' ? BigInt(value) : value)
    case 'float64':
      return (value) => (typeof value === 'bigint' ? Number(value) : value)
    case 'date':
      return (value) => (value instanceof CalendarDate ? value.epochDays : null)
    case 'timestamp': {
      const nanoseconds = UNIT_NANOSECONDS[type.unit]
      return (value) => {
        if (!(value instanceof Instant)) return null
        const count = value.epochNanoseconds / nanoseconds
        if (BigInt.asIntN(64, count) !== count)
          throw new Problem('unsupported-format', `a point in time ${value.epochNanoseconds} ns from 1970 has no place in Parquet`)
        return count
      }
    }
    case 'list': {
      const convert = converterOf(type.items)
      return (value) => (Array.isArray(value) ? value.map((item) => convert(item)) : null)
    }
    case 'struct': {
      const fields = fieldsOf(type.fields).map((field) => ({ name: field.name, convert: converterOf(field.type) }))
      return (value) => {
        if (value === null) return null
        const struct: { [name: string]: unknown } = {}
        // Every field is set, so that the encoder finds none on the prototype.
        for (const { name, convert } of fields) setField(struct, name, convert(getField(value as Row, name)))
        return struct
      }
    }
    case 'null':
    case 'bool':
    case 'utf8':
    case 'binary':
      return (value) => value
  }
}

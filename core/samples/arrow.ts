/**
 * Samples as Arrow (https://arrow.apache.org/docs/format/Columnar.html): one Arrow type for each type of a sample's columns, and
 * the wider set of Arrow types that data files may use, mapped onto them:
 *
 * | a file's type                                    | read as                                           |
 * |--------------------------------------------------|---------------------------------------------------|
 * | int8 … int64, uint8 … uint32                     | int64                                             |
 * | uint64                                           | uint64                                            |
 * | float16, float32, float64                        | float64                                           |
 * | utf8, large utf8, utf8 view                      | utf8                                              |
 * | binary, large, fixed-size and binary view        | binary                                            |
 * | decimal                                          | utf8: all digits of its scale, `-12.30`           |
 * | date32, date64                                   | date                                              |
 * | timestamp                                        | timestamp of that unit, UTC where it has any zone |
 * | list, large list, fixed-size list                | list                                              |
 * | struct                                           | struct                                            |
 * | map                                              | list of structs of key and value                  |
 * | dictionary                                       | the type of its values                            |
 *
 * Times of day, durations, intervals and unions have no counterpart and are refused.
 */
import {
  Binary,
  Bool,
  DataType,
  DateDay,
  Field as ArrowField,
  Float64,
  Int64,
  List,
  makeData,
  Null,
  RecordBatch,
  Schema as ArrowSchema,
  Struct,
  Timestamp,
  TimeUnit,
  Type,
  Uint64,
  Utf8,
} from 'apache-arrow'
import { Problem } from '../problem.ts'
import { buildColumn } from './columnBuilder.ts'
import { columnIndex, fieldReaders } from './columnReader.ts'
import { type Places, takeColumn } from './columnTake.ts'
import { MAX_NESTING } from './encoding.ts'
import { setField } from './fields.ts'
import { type Field, type FieldType, MAX_COLUMNS, type Schema } from './schema.ts'
import type { Row } from './value.ts'

const TIME_UNITS = { s: TimeUnit.SECOND, ms: TimeUnit.MILLISECOND, us: TimeUnit.MICROSECOND, ns: TimeUnit.NANOSECOND } as const
const UNIT_NAMES = ['s', 'ms', 'us', 'ns'] as const

/** The Arrow schema of sample shards and streams: every field nullable, lists' items named `item`, no metadata. */
export function toArrowSchema(schema: Schema): ArrowSchema {
  return new ArrowSchema(schema.map(toArrowField))
}

function toArrowField(field: Field): ArrowField {
  return new ArrowField(field.name, toArrowType(field.type), true)
}

function toArrowType(type: FieldType): DataType {
  switch (type.type) {
    case 'null':
      return new Null()
    case 'bool':
      return new Bool()
    case 'int64':
      return new Int64()
    case 'uint64':
      return new Uint64()
    case 'float64':
      return new Float64()
    case 'utf8':
      return new Utf8()
    case 'binary':
      return new Binary()
    case 'date':
      return new DateDay()
    case 'timestamp':
      return new Timestamp(TIME_UNITS[type.unit], type.utc ? 'UTC' : null)
    case 'list':
      return new List(new ArrowField('item', toArrowType(type.items), true))
    case 'struct':
      return new Struct(type.fields.map(toArrowField))
  }
}

/** The schema of a file's columns. Throws `unsupported-format`, naming the column that cannot be a sample's. */
export function fromArrowSchema(arrowSchema: ArrowSchema): Schema {
  return fromArrowFields(arrowSchema.fields, '', 0)
}

function fromArrowFields(fields: readonly ArrowField[], path: string, depth: number): Field[] {
  if (fields.length > MAX_COLUMNS)
    throw new Problem(
      'unsupported-format',
      `${path === '' ? 'the file' : path} has ${fields.length} columns; at most ${MAX_COLUMNS} are read`,
    )
  const names = new Set<string>()
  return fields.map((field) => {
    // An empty name may come as null, whatever the types say.
    const name = field.name ?? ''
    const fieldPath = path === '' ? `column ${JSON.stringify(name)}` : `${path}.${JSON.stringify(name)}`
    if (names.has(name)) throw new Problem('unsupported-format', `${fieldPath} appears twice; give each column a name of its own`)
    names.add(name)
    return { name, type: fromArrowType(field.type, fieldPath, depth) }
  })
}

function fromArrowType(type: DataType, path: string, depth: number): FieldType {
  if (depth > MAX_NESTING) throw new Problem('unsupported-format', `${path} nests deeper than ${MAX_NESTING}`)
  if (DataType.isNull(type)) return { type: 'null' }
  if (DataType.isBool(type)) return { type: 'bool' }
  if (DataType.isInt(type)) return { type: type.bitWidth === 64 && !type.isSigned ? 'uint64' : 'int64' }
  if (DataType.isFloat(type)) return { type: 'float64' }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type) || DataType.isDecimal(type)) return { type: 'utf8' }
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isBinaryView(type) || DataType.isFixedSizeBinary(type))
    return { type: 'binary' }
  if (DataType.isDate(type)) return { type: 'date' }
  if (DataType.isTimestamp(type)) return { type: 'timestamp', unit: UNIT_NAMES[type.unit], utc: (type.timezone ?? '') !== '' }
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type) || DataType.isMap(type))
    return { type: 'list', items: fromArrowType(itemType(type, path), path, depth + 1) }
  if (DataType.isStruct(type)) return { type: 'struct', fields: fromArrowFields(type.children, path, depth + 1) }
  if (DataType.isDictionary(type)) return fromArrowType(type.dictionary, path, depth + 1)
  throw new Problem('unsupported-format', `${path} has the type ${Type[type.typeId]}, which cannot be read; convert it to text or a number`)
}

/** A list's items, or a map's entries. */
function itemType(type: DataType, path: string): DataType {
  const child = type.children[0]
  if (child === undefined) throw new Problem('unsupported-format', `${path} is a list without a type of item`)
  return child.type
}

/** Rows as one record batch. Throws `invalid-sample`, naming row (from 0) and column, where a value does not fit its column. */
export function buildBatch(schema: Schema, rows: readonly Row[]): RecordBatch {
  const arrowSchema = toArrowSchema(schema)
  return batchOf(arrowSchema, rows.length, buildColumn(new Struct(arrowSchema.fields), rows).children)
}

/** All rows of a batch, from any Arrow types that `fromArrowSchema` accepts. A column or field of `schema` that the batch lacks is null. */
export function rowsOf(schema: Schema, batch: RecordBatch): Row[] {
  const read = rowReader(schema, batch)
  return Array.from({ length: batch.numRows }, (_, index) => read(index))
}

/** One row of a batch; for several, `rowReader` does the preparation once. Throws a RangeError past the end. */
export function rowAt(schema: Schema, batch: RecordBatch, index: number): Row {
  return rowReader(schema, batch)(index)
}

/**
 * A function from an index in the batch to its row. Throws `unsupported-format` for a column that cannot be read; the function
 * throws `invalid-file` for bytes that are no value of their type.
 */
export function rowReader(schema: Schema, batch: RecordBatch): (index: number) => Row {
  const columns = fieldReaders(batch.schema.fields, batch.data.children, schema, '')
  return (index) => {
    if (!(index >= 0 && index < batch.numRows)) throw new RangeError(`row ${index} of a batch of ${batch.numRows}`)
    const row: Row = {}
    for (const { name, read } of columns) setField(row, name, read(index))
    return row
  }
}

/**
 * The rows of these indices, in this order, of all or of the named columns. The batch has the types of `toArrowSchema`.
 * Throws `not-found` for a column that is not there.
 */
export function selectRows(batch: RecordBatch, indices: ArrayLike<number>, columns?: readonly string[]): RecordBatch {
  return gatherRows([batch], { sources: new Uint8Array(indices.length), indices }, columns)
}

/** The same out of several batches (one at least) of one schema: row i is the row `indices[i]` of the batch `sources[i]`. */
export function gatherRows(batches: readonly RecordBatch[], places: Places, columns?: readonly string[]): RecordBatch {
  const { fields } = batches[0]!.schema
  const chosen = columns?.map((name) => placeOf(fields, name)) ?? fields.map((_, at) => at)
  return batchOf(
    new ArrowSchema(chosen.map((at) => fields[at]!)),
    places.indices.length,
    chosen.map((at) =>
      takeColumn(
        batches.map((batch) => batch.data.children[at]!),
        places,
      ),
    ),
  )
}

function placeOf(fields: readonly ArrowField[], name: string): number {
  const at = columnIndex(fields, name)
  if (at < 0)
    throw new Problem('not-found', `there is no column ${JSON.stringify(name)}; there are ${fields.map((field) => field.name).join(', ')}`)
  return at
}

function batchOf(schema: ArrowSchema, length: number, children: RecordBatch['data']['children']): RecordBatch {
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }))
}

/** From a file's own types to those of the schema, into which they were widened: large integers in float columns become floats. */
import type { Field, FieldType, Schema } from '../../core/samples/schema.ts'
import { setField } from '../../core/samples/fields.ts'
import { CalendarDate, Instant, type Row, type Value } from '../../core/samples/value.ts'

type Converter = (value: Value) => Value

/** A function that returns a row with the schema's types: the same object where the schema has no float. */
export function conformRows(schema: Schema): (row: Row) => Row {
  const convert = fieldsConverter(schema)
  return convert === undefined ? (row) => row : (row) => convert(row) as Row
}

function converterOf(type: FieldType): Converter | undefined {
  if (type.type === 'float64') return (value) => (typeof value === 'bigint' ? Number(value) : value)
  if (type.type === 'struct') return fieldsConverter(type.fields)
  if (type.type !== 'list') return undefined
  const items = converterOf(type.items)
  return items === undefined ? undefined : (value) => (Array.isArray(value) ? value.map((item) => items(item)) : null)
}

function fieldsConverter(fields: readonly Field[]): Converter | undefined {
  const converters = new Map<string, Converter>()
  for (const field of fields) {
    const convert = converterOf(field.type)
    if (convert !== undefined) converters.set(field.name, convert)
  }
  if (converters.size === 0) return undefined
  return (value) => {
    if (!isStruct(value)) return null
    const row: Row = {}
    for (const name of Object.keys(value)) setField(row, name, converters.get(name)?.(value[name]!) ?? value[name]!)
    return row
  }
}

function isStruct(value: Value): value is { [field: string]: Value } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Instant) &&
    !(value instanceof CalendarDate)
  )
}

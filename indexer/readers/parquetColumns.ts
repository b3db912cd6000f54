/**
 * Parquet's types (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md) as columns of ours. hyparquet is asked for
 * physical values only, by taking the annotations off the elements that it decodes: what it makes of decimals (floats), 64-bit
 * timestamps (milliseconds) and maps (objects) would lose values.
 */
import type { SchemaElement, SchemaTree } from 'hyparquet'
import { Problem } from '../../core/problem.ts'
import { MAX_NESTING } from '../../core/samples/encoding.ts'
import { setField } from '../../core/samples/fields.ts'
import type { Field, FieldType } from '../../core/samples/schema.ts'
import { CalendarDate, Instant, type Row, type Value } from '../../core/samples/value.ts'

/** Deliberately `unknown`: what the decoder hands over follows the file's schema, which no type here knows. */
type Convert = (raw: unknown) => Value

export interface ParquetType {
  type: FieldType
  convert: Convert
}

/** The type of a top-level column or of a node within it. Takes annotations off `node`. Throws `unsupported-format` naming the column. */
export function parquetType(node: SchemaTree, file: string, depth = 0): ParquetType {
  const path = node.path.join('.')
  if (depth > MAX_NESTING) throw new Problem('unsupported-format', `${file} column "${path}": nested more than ${MAX_NESTING} deep`)
  const inner = node.children.length === 0 ? leafType(node.element, file, path) : groupType(node, file, depth)
  return node.element.repetition_type === 'REPEATED' ? listOf(inner) : inner
}

function groupType(node: SchemaTree, file: string, depth: number): ParquetType {
  const { element, children } = node
  const annotation = element.converted_type ?? element.logical_type?.type
  delete element.converted_type
  delete element.logical_type
  if (annotation === 'VARIANT') throw unsupported(file, node.path.join('.'), 'VARIANT')
  const child = children[0]!
  if (children.length === 1 && child.element.repetition_type === 'REPEATED') {
    if (annotation === 'LIST' && child.children.length <= 1) {
      // Three levels, or two where the repeated child is itself the item. The annotation stays: the decoder unwraps both.
      element.converted_type = 'LIST'
      const item = child.children[0] ?? child
      if (item !== child) return listOf(parquetType(item, file, depth + 2))
      return listOf(leafType(item.element, file, item.path.join('.')))
    }
    if (annotation === 'LIST' || annotation === 'MAP' || annotation === 'MAP_KEY_VALUE') {
      const entries = parquetType(child, file, depth + 1)
      const named = annotation === 'LIST' ? entries : withEntryNames(entries)
      return { type: named.type, convert: (raw) => (isObject(raw) ? named.convert(raw[child.element.name]) : null) }
    }
  }
  return structOf(children.map((field) => ({ name: field.element.name, ...parquetType(field, file, depth + 1) })))
}

/** The entries of a map are structs of `key` and `value`, whatever the file calls them. */
function withEntryNames(entries: ParquetType): ParquetType {
  if (entries.type.type !== 'list' || entries.type.items.type !== 'struct' || entries.type.items.fields.length > 2) return entries
  const fields = entries.type.items.fields.map((field, i): Field => ({ name: i === 0 ? 'key' : 'value', type: field.type }))
  const names = entries.type.items.fields.map((field) => field.name)
  return {
    type: { type: 'list', items: { type: 'struct', fields } },
    convert(raw) {
      const list = entries.convert(raw)
      if (!Array.isArray(list)) return null
      return list.map((entry) => {
        const named: Row = {}
        fields.forEach((field, i) => (named[field.name] = isObject(entry) ? (entry[names[i]!] ?? null) : null))
        return named
      })
    },
  }
}

function listOf(items: ParquetType): ParquetType {
  return {
    type: { type: 'list', items: items.type },
    convert: (raw) => (raw === null || raw === undefined ? null : Array.from(raw as ArrayLike<unknown>, items.convert)),
  }
}

function structOf(fields: (ParquetType & { name: string })[]): ParquetType {
  return {
    type: { type: 'struct', fields: fields.map(({ name, type }) => ({ name, type })) },
    convert(raw) {
      if (!isObject(raw)) return null
      const struct: Row = {}
      for (const { name, convert } of fields) setField(struct, name, convert(raw[name]))
      return struct
    },
  }
}

function isObject<T>(value: T): value is T & Record<string, Value> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function leafType(element: SchemaElement, file: string, path: string): ParquetType {
  const { type, converted_type: converted, logical_type: logical, scale } = element
  delete element.converted_type
  delete element.logical_type
  const annotation = logical?.type ?? converted
  if (annotation === 'DECIMAL') {
    const digits = (logical?.type === 'DECIMAL' ? logical.scale : scale) ?? 0
    return nullable({ type: 'utf8' }, (raw) => decimalText(raw instanceof Uint8Array ? signedInteger(raw) : BigInt(raw as number), digits))
  }
  switch (type) {
    case 'BOOLEAN':
      return nullable({ type: 'bool' }, (raw) => raw as boolean)
    case 'INT32':
      if (annotation === 'DATE') return nullable({ type: 'date' }, (raw) => new CalendarDate(raw as number))
      if (annotation === 'TIME' || annotation === 'TIME_MILLIS') throw unsupported(file, path, 'TIME')
      if (isUnsigned(annotation, logical)) return nullable({ type: 'int64' }, (raw) => (raw as number) >>> 0)
      return nullable({ type: 'int64' }, (raw) => raw as number)
    case 'INT64':
      if (annotation === 'TIME' || annotation === 'TIME_MICROS') throw unsupported(file, path, 'TIME')
      if (logical?.type === 'TIMESTAMP') return timestamp(logical.unit, logical.isAdjustedToUTC)
      // The older annotations mean instants (LogicalTypes.md, "Compatibility").
      if (annotation === 'TIMESTAMP_MILLIS') return timestamp('MILLIS', true)
      if (annotation === 'TIMESTAMP_MICROS') return timestamp('MICROS', true)
      if (isUnsigned(annotation, logical)) return nullable({ type: 'uint64' }, (raw) => integer(BigInt.asUintN(64, raw as bigint)))
      return nullable({ type: 'int64' }, (raw) => integer(raw as bigint))
    case 'INT96':
      // Deprecated: nanoseconds without a zone, as other readers take it; the decoder gives them as bigint.
      return nullable({ type: 'timestamp', unit: 'ns', utc: false }, (raw) => new Instant(raw as bigint))
    case 'FLOAT':
    case 'DOUBLE':
      return nullable({ type: 'float64' }, (raw) => raw as number)
    case 'BYTE_ARRAY':
      if (annotation === 'UTF8' || annotation === 'STRING' || annotation === 'ENUM' || annotation === 'JSON') {
        element.converted_type = 'UTF8' // decoded by the `stringFromBytes` that the decoder is given
        return nullable({ type: 'utf8' }, (raw) => raw as string)
      }
      if (annotation === 'BSON') throw unsupported(file, path, 'BSON')
      return nullable({ type: 'binary' }, (raw) => raw as Uint8Array)
    case 'FIXED_LEN_BYTE_ARRAY':
      if (annotation === 'INTERVAL') throw unsupported(file, path, 'INTERVAL')
      if (annotation === 'FLOAT16') return nullable({ type: 'float64' }, (raw) => float16(raw as Uint8Array))
      return nullable({ type: 'binary' }, (raw) => raw as Uint8Array)
    case undefined:
    default:
      throw unsupported(file, path, 'type of a later version')
  }
}

function unsupported(file: string, column: string, what: string): Problem {
  return new Problem('unsupported-format', `${file} column "${column}": Parquet's ${what} is not supported; convert or drop the column`)
}

function nullable(type: FieldType, convert: Convert): ParquetType {
  return { type, convert: (raw) => (raw === null || raw === undefined ? null : convert(raw)) }
}

function isUnsigned(annotation: string | undefined, logical: SchemaElement['logical_type']): boolean {
  return logical?.type === 'INTEGER' ? !logical.isSigned : annotation?.startsWith('UINT_') === true
}

function integer(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

const UNITS = { MILLIS: ['ms', 1_000_000n], MICROS: ['us', 1_000n], NANOS: ['ns', 1n] } as const

function timestamp(unit: keyof typeof UNITS, utc: boolean): ParquetType {
  const [name, nanoseconds] = UNITS[unit]
  return nullable({ type: 'timestamp', unit: name, utc }, (raw) => new Instant((raw as bigint) * nanoseconds))
}

/** Big-endian two's complement. */
function signedInteger(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(bytes.length * 8, value)
}

/** An unscaled decimal as text with exactly `scale` digits after the point. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return (unscaled * 10n ** BigInt(-scale)).toString()
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** IEEE 754 binary16, little-endian. */
function float16(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 2).getFloat16(0, true)
}

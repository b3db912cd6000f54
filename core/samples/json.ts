/**
 * Rows as JSON and back, given their schema, without loss: what comes back is the same sample, with the same digest.
 *
 * | column         | JSON                                                                                                  |
 * |----------------|-------------------------------------------------------------------------------------------------------|
 * | int64, uint64  | a number within ±(2^53 − 1), else decimal digits as a string                                          |
 * | float64        | a number (the shortest that reads back as the same double), else "NaN", "Infinity", "-Infinity"       |
 * | utf8           | a string                                                                                              |
 * | binary         | base64 with padding (RFC 4648 §4)                                                                     |
 * | date           | "2026-11-20"                                                                                          |
 * | timestamp      | "2026-11-20T06:00:00.123456789Z", without Z where the column has no zone                              |
 * | list, struct   | an array, an object                                                                                   |
 * | a null         | null; a field that is absent reads as null                                                            |
 *
 * A field that the schema does not have is refused.
 */
import { base64ToBytes, bytesToBase64 } from '../bytes.ts'
import { Problem } from '../problem.ts'
import { getField, setField } from './fields.ts'
import type { Field, FieldType, Schema } from './schema.ts'
import { formatDate, formatInstant, parseDate, parseInstant } from './time.ts'
import { CalendarDate, Instant, type Row, type Value } from './value.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A row as JSON text. Throws `invalid-sample` where a value does not fit its column. */
export function rowToJson(schema: Schema, row: Row): string {
  return JSON.stringify(rowToJsonValue(schema, row))
}

/** A row from JSON text. Throws `invalid-sample`, naming the column. */
export function rowFromJson(schema: Schema, json: string): Row {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new Problem('invalid-sample', `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  return rowFromJsonValue(schema, value)
}

/** A row as a JSON value, to stand within a larger one. Throws `invalid-sample` where a value does not fit its column. */
export function rowToJsonValue(schema: Schema, row: Row): { [column: string]: Json } {
  return structToJson(schema, row, '')
}

/** The inverse of `rowToJsonValue`. Throws `invalid-sample`, naming the column. */
export function rowFromJsonValue(schema: Schema, value: unknown): Row {
  return structFromJson(schema, value, '')
}

function toJson(type: FieldType, value: Value, path: string): Json {
  if (value === null) return null
  switch (type.type) {
    case 'bool':
      if (typeof value === 'boolean') return value
      break
    case 'int64':
    case 'uint64':
      if (typeof value === 'number' && Number.isInteger(value)) return Number.isSafeInteger(value) ? value : String(BigInt(value))
      if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
      break
    case 'float64':
      if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
      if (typeof value === 'bigint' && Number.isFinite(Number(value)) && BigInt(Number(value)) === value) return Number(value)
      break
    case 'utf8':
      if (typeof value === 'string') return value
      break
    case 'binary':
      if (value instanceof Uint8Array) return bytesToBase64(value)
      break
    case 'date':
      if (value instanceof CalendarDate) return formatDate(value)
      break
    case 'timestamp':
      if (value instanceof Instant) return formatInstant(value, type.utc)
      break
    case 'list':
      if (Array.isArray(value)) return value.map((item) => toJson(type.items, item, path))
      break
    case 'struct':
      if (isStruct(value)) return structToJson(type.fields, value, path)
      break
    case 'null':
      break
  }
  throw new Problem('invalid-sample', `column ${path}: the value is no ${type.type}`)
}

function isStruct(value: Value): value is { [name: string]: Value } {
  if (value === null || typeof value !== 'object') return false
  return !(Array.isArray(value) || value instanceof Uint8Array || value instanceof Instant || value instanceof CalendarDate)
}

function structToJson(fields: readonly Field[], struct: { [name: string]: Value }, path: string): { [name: string]: Json } {
  const json: { [name: string]: Json } = {}
  for (const { name, type } of fields) setField(json, name, toJson(type, getField(struct, name), pathTo(path, name)))
  return json
}

function fromJson(type: FieldType, json: unknown, path: string): Value {
  if (json === null || json === undefined) return null
  const value = type.type === 'list' ? listFromJson(type.items, json, path) : scalarOrStruct(type, json, path)
  if (value === null) throw new Problem('invalid-sample', `column ${path}: ${excerpt(json)} is no ${type.type}`)
  return value
}

/** The value, or null where the JSON is not of the type. */
function scalarOrStruct(type: Exclude<FieldType, { type: 'list' }>, json: unknown, path: string): Value {
  switch (type.type) {
    case 'null':
      return null
    case 'bool':
      return typeof json === 'boolean' ? json : null
    case 'int64':
      return integerFromJson(json, (value) => BigInt.asIntN(64, value) === value)
    case 'uint64':
      return integerFromJson(json, (value) => BigInt.asUintN(64, value) === value)
    case 'float64':
      return typeof json === 'number' ? json : (NOT_FINITE.get(json) ?? null)
    case 'utf8':
      return typeof json === 'string' && json.isWellFormed() ? json : null
    case 'binary':
      return binaryFromJson(json)
    case 'date':
      return typeof json === 'string' ? parseDate(json) : null
    case 'timestamp':
      return typeof json === 'string' ? parseInstant(json, type.utc) : null
    case 'struct':
      return structFromJson(type.fields, json, path)
  }
}

const NOT_FINITE = new Map<unknown, number>([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

function integerFromJson(json: unknown, fits: (value: bigint) => boolean): number | bigint | null {
  if (typeof json === 'number') return Number.isSafeInteger(json) && fits(BigInt(json)) ? json : null
  if (typeof json !== 'string' || !/^-?\d{1,20}$/.test(json)) return null
  const value = BigInt(json)
  if (!fits(value)) return null
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function binaryFromJson(json: unknown): Uint8Array | null {
  if (typeof json !== 'string') return null
  try {
    return base64ToBytes(json)
  } catch {
    return null
  }
}

function listFromJson(items: FieldType, json: unknown, path: string): Value[] | null {
  return Array.isArray(json) ? json.map((item) => fromJson(items, item, path)) : null
}

function structFromJson(fields: readonly Field[], json: unknown, path: string): { [name: string]: Value } {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Problem('invalid-sample', `${path === '' ? 'the row' : `column ${path}`}: ${excerpt(json)} is no object`)
  const given = new Map<string, unknown>(Object.entries(json))
  const struct: { [name: string]: Value } = {}
  for (const { name, type } of fields) {
    setField(struct, name, fromJson(type, given.get(name), pathTo(path, name)))
    given.delete(name)
  }
  const [unknown] = given.keys()
  if (unknown !== undefined) throw new Problem('invalid-sample', `column ${pathTo(path, unknown)} is not in the schema`)
  return struct
}

function pathTo(path: string, name: string): string {
  return path === '' ? JSON.stringify(name) : `${path}.${JSON.stringify(name)}`
}

function excerpt(json: unknown): string {
  const text = JSON.stringify(json)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

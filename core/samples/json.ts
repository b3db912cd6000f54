import type { Schema } from './schema.ts'
import type { Row } from './value.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A row as JSON text. */
export function rowToJson(schema: Schema, row: Row): string {
  return JSON.stringify(rowToJsonValue(schema, row))
}
/** Throws `invalid-sample`. */
export function rowFromJson(schema: Schema, json: string): Row {
  return rowFromJsonValue(schema, JSON.parse(json))
}
/** A row as a JSON value, for a larger JSON document to hold. */
export function rowToJsonValue(schema: Schema, row: Row): { [column: string]: Json } {
  throw new Error(`being written ${schema.length} ${String(row)}`)
}
export function rowFromJsonValue(schema: Schema, value: unknown): Row {
  throw new Error(`being written ${schema.length} ${String(value)}`)
}

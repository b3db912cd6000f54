/** One schema for all files of a manifest: columns by name, in the order of their first appearance, types widened until all agree. */
import { Problem } from '../core/problem.ts'
import { MAX_COLUMNS, type FieldType, type Schema } from '../core/samples/schema.ts'
import type { ObservedField } from './readers/reader.ts'

interface MergedField extends ObservedField {
  /** The file that first gave the column a type. */
  file: string
}

export interface SchemaMerger {
  /** Takes in one file's columns. Throws `invalid-sample`, naming file and column, when its types disagree with earlier files'. */
  add(path: string, fields: readonly ObservedField[]): void
  /** Throws `invalid-file` when no file had a column. */
  schema(): Schema
}

export function createSchemaMerger(): SchemaMerger {
  const columns = new Map<string, MergedField>()
  return {
    add(path, fields) {
      for (const field of fields) {
        const known = columns.get(field.name)
        if (known === undefined) {
          columns.set(field.name, { ...field, file: path })
          continue
        }
        const merged = mergeFields(known, field)
        if (merged === null)
          throw new Problem(
            'invalid-sample',
            `${path} column "${field.name}": ${describe(field.type)} where ${known.file} has ${describe(known.type)}; files of one data set must agree`,
          )
        columns.set(field.name, { ...merged, file: known.type.type === 'null' ? path : known.file })
      }
      if (columns.size > MAX_COLUMNS) throw new Problem('invalid-file', `${path}: more than ${MAX_COLUMNS} columns in all files together`)
    },
    schema() {
      if (columns.size === 0) throw new Problem('invalid-file', 'the data set is empty: no file has a column')
      return [...columns.values()].map(({ name, type }) => ({ name, type }))
    },
  }
}

function mergeFields(a: ObservedField, b: ObservedField): ObservedField | null {
  const type = widen(a.type, b.type)
  const text = a.alsoText && b.alsoText
  if (type !== null) return text ? { name: a.name, type, alsoText: true } : { name: a.name, type }
  if ((a.alsoText || a.type.type === 'utf8') && (b.alsoText || b.type.type === 'utf8')) {
    const utf8: ObservedField = { name: a.name, type: { type: 'utf8' } }
    return text ? { ...utf8, alsoText: true } : utf8
  }
  return null
}

const NUMBERS = new Set(['int64', 'uint64', 'float64'])
const UNITS = ['s', 'ms', 'us', 'ns'] as const

/** The narrowest type that holds both; null where there is none. */
export function widen(a: FieldType, b: FieldType): FieldType | null {
  if (a.type === 'null') return b
  if (b.type === 'null') return a
  if (a.type === 'list' && b.type === 'list') {
    const items = widen(a.items, b.items)
    return items === null ? null : { type: 'list', items }
  }
  if (a.type === 'struct' && b.type === 'struct') {
    const fields = new Map(a.fields.map((field) => [field.name, field.type]))
    for (const { name, type } of b.fields) {
      const known = fields.get(name)
      const merged = known === undefined ? type : widen(known, type)
      if (merged === null) return null
      fields.set(name, merged)
    }
    return { type: 'struct', fields: [...fields].map(([name, type]) => ({ name, type })) }
  }
  if (a.type === 'timestamp' && b.type === 'timestamp') {
    if (a.utc !== b.utc) return null
    return UNITS.indexOf(a.unit) > UNITS.indexOf(b.unit) ? a : b
  }
  if (a.type === b.type) return a
  return NUMBERS.has(a.type) && NUMBERS.has(b.type) ? { type: 'float64' } : null
}

/** A type for a person, as in `list of struct`. */
export function describe(type: FieldType): string {
  if (type.type === 'list') return `list of ${describe(type.items)}`
  if (type.type === 'timestamp') return `timestamp in ${type.unit}${type.utc ? ', UTC' : ''}`
  return type.type
}

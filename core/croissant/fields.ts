/** The columns of a schema as Croissant's Fields. Types without a counterpart there are left out and named. */
import type { Plain } from '../hub/yaml.ts'
import type { Field, FieldType, Schema } from '../samples/schema.ts'
import { idPart } from './context.ts'

/** One value of a row. */
const SCALARS: Partial<Record<FieldType['type'], string>> = {
  bool: 'sc:Boolean',
  int64: 'cr:Int64',
  uint64: 'cr:UInt64',
  float64: 'sc:Float',
  utf8: 'sc:Text',
  date: 'sc:Date',
  timestamp: 'sc:DateTime',
}

/** One value of an array. A client that casts arrays to 64 bits at once makes numbers of their nulls. */
const ITEMS: Partial<Record<FieldType['type'], string>> = { ...SCALARS, int64: 'sc:Integer', uint64: 'sc:Integer' }

/** What a JSONPath between quotes can hold in every client's grammar. */
const QUOTABLE = /^[\p{L}\p{N} _-]+$/u

/** Bytes in a column of such a name are images; of others nobody knows what they are, and a client would fail on them. */
const IMAGE_NAME = /^(images?|img|picture|photo)$/i

export interface FieldSource {
  /** `@id` of the record set. */
  recordSet: string
  /** `@id` of the file. */
  file: string
}

export interface Fields {
  fields: Plain[]
  /** Columns, or fields of structs, that Croissant has no type for. */
  leftOut: string[]
}

/** A field of a column: the names that lead to it, the column's first. */
interface Place extends FieldSource {
  names: readonly string[]
}

/** One field for each column that has a type there. */
export function fieldsOf(schema: Schema, source: FieldSource): Fields {
  const leftOut: string[] = []
  const fields = schema.flatMap((column) => {
    const field =
      IMAGE_NAME.test(column.name) && isBytes(column.type)
        ? imageField(column, { ...source, names: [column.name] })
        : fieldOf(column.type, { ...source, names: [column.name] }, leftOut)
    return field === null ? [] : [field]
  })
  return { fields, leftOut }
}

function fieldOf(type: FieldType, place: Place, leftOut: string[]): Plain | null {
  const { items, depth } = unwrap(type)
  if (items.type === 'struct') {
    // An array of structs in a struct, or of arrays, is read as something else than it is.
    const isArray = depth > 0
    if (depth > 1 || (isArray && place.names.length > 1)) return leave(place, type, leftOut)
    const children = items.fields.flatMap(({ name, type: child }) => {
      const within = { ...place, names: [...place.names, name] }
      const isKnown = QUOTABLE.test(name) && !(isArray && (child.type === 'struct' || child.type === 'list'))
      const field = isKnown ? fieldOf(child, within, leftOut) : leave(within, child, leftOut)
      return field === null ? [] : [field]
    })
    if (children.length === 0) return items.fields.length === 0 ? leave(place, type, leftOut) : null
    return { ...heading(place), ...(isArray ? { isArray: true, arrayShape: '-1' } : {}), subField: children }
  }
  const dataType = (depth === 0 ? SCALARS : ITEMS)[items.type]
  if (dataType === undefined) return leave(place, type, leftOut)
  const shape = depth === 0 ? {} : { isArray: true, arrayShape: Array.from({ length: depth }, () => '-1').join(',') }
  return { ...heading(place), dataType, ...shape, source: sourceOf(place, place.names.slice(1)) }
}

/** Bytes, or Hugging Face's `{bytes, path}`. */
function isBytes(type: FieldType): boolean {
  return (
    type.type === 'binary' ||
    (type.type === 'struct' && type.fields.some((field) => field.name === 'bytes' && field.type.type === 'binary'))
  )
}

function imageField(column: Field, place: Place): Plain {
  const source = sourceOf(place, column.type.type === 'struct' ? ['bytes'] : [])
  return { ...heading(place), dataType: 'sc:ImageObject', source }
}

function heading({ recordSet, names }: Place): { [key: string]: Plain } {
  return { '@type': 'cr:Field', '@id': [recordSet, ...names.map(idPart)].join('/'), name: names.at(-1)! }
}

function sourceOf({ file, names }: Place, path: readonly string[]): Plain {
  const transform = path.length === 0 ? {} : { transform: { jsonPath: ['$', ...path.map((name) => `'${name}'`)].join('.') } }
  return { fileObject: { '@id': file }, extract: { column: names[0]! }, ...transform }
}

function unwrap(type: FieldType): { items: FieldType; depth: number } {
  let depth = 0
  let items = type
  for (; items.type === 'list'; depth++) items = items.items
  return { items, depth }
}

function leave({ names }: Place, type: FieldType, leftOut: string[]): null {
  leftOut.push(`${names.join('.')} (${unwrap(type).items.type})`)
  return null
}

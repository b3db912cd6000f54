/**
 * Learning a column's type from its values. The kinds that were seen are bits; a column's type is the narrowest that holds them
 * all: integers widen to floats, null goes with everything, lists and structs are merged inside. Nothing else mixes.
 */
import { MAX_NESTING } from '../../core/samples/encoding.ts'
import { MAX_COLUMNS, type Field, type FieldType } from '../../core/samples/schema.ts'

const BOOL = 1
const INT64 = 2
/** An integer from 2^63 to 2^64 − 1. */
const UINT64 = 4
const NEGATIVE = 8
const FLOAT = 16
const TEXT = 32
const LIST = 64
const STRUCT = 128
const NUMBER = INT64 | UINT64 | NEGATIVE | FLOAT

const NAMES: readonly [bits: number, name: string][] = [
  [BOOL, 'true/false'],
  [NUMBER, 'a number'],
  [TEXT, 'a string'],
  [LIST, 'a list'],
  [STRUCT, 'an object'],
]

/** What JSON.parse gives, with large integers as bigint. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | { [name: string]: JsonValue }

/** A value that does not fit what was seen before it. `column` is the path to it; the reader adds file and row. */
export class Misfit extends Error {
  readonly column: string
  constructor(column: string, message: string) {
    super(message)
    this.name = 'Misfit'
    this.column = column
  }
}

export class Observation {
  readonly #path: string
  readonly #depth: number
  #kinds = 0
  #items: Observation | undefined
  #fields: Map<string, Observation> | undefined

  constructor(path = '', depth = 0) {
    this.#path = path
    this.#depth = depth
  }

  /** Takes one more value into account. Throws `Misfit`. */
  add(value: JsonValue): void {
    if (value === null) return
    if (typeof value === 'string') {
      // JSON may escape half a surrogate pair, which UTF-8 has no bytes for.
      if (!value.isWellFormed()) throw new Misfit(this.#path, 'half a surrogate pair; write whole code points')
      this.#see(TEXT)
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw new Misfit(this.#path, 'a number beyond the range of 64-bit floats')
      this.#see(!Number.isSafeInteger(value) ? FLOAT : value < 0 ? INT64 | NEGATIVE : INT64)
    } else if (typeof value === 'boolean') {
      this.#see(BOOL)
    } else if (typeof value === 'bigint') {
      this.#see(integerKind(value))
    } else if (this.#depth > MAX_NESTING) {
      throw new Misfit(this.#path, `nested more than ${MAX_NESTING} deep`)
    } else if (Array.isArray(value)) {
      this.#see(LIST)
      this.#items ??= new Observation(`${this.#path}[]`, this.#depth + 1)
      for (const item of value) this.#items.add(item)
    } else {
      this.addFields(value)
    }
  }

  /** `add` for an object: a row, or a struct in one. */
  addFields(value: { [name: string]: JsonValue }): void {
    this.#see(STRUCT)
    const fields = (this.#fields ??= new Map())
    for (const name of Object.keys(value)) {
      let field = fields.get(name)
      if (field === undefined) {
        const path = this.#path === '' ? name : `${this.#path}.${name}`
        if (fields.size === MAX_COLUMNS) throw new Misfit(path, `more than ${MAX_COLUMNS} columns`)
        if (!name.isWellFormed()) throw new Misfit(path.toWellFormed(), 'a column name with half a surrogate pair')
        if (name.length > 1024) throw new Misfit(`${path.slice(0, 64)}…`, 'a column name may have at most 1024 characters')
        field = new Observation(path, this.#depth + 1)
        fields.set(name, field)
      }
      // `value` comes from JSON.parse: every key is a property of its own, `__proto__` too.
      field.add(value[name]!)
    }
  }

  /** The fields of the objects that were added, in the order in which they first appeared. */
  fields(): Field[] {
    return [...(this.#fields ?? [])].map(([name, field]) => ({ name, type: field.type() }))
  }

  type(): FieldType {
    const kinds = this.#kinds
    if (kinds === 0) return { type: 'null' }
    if (kinds & BOOL) return { type: 'bool' }
    if (kinds & TEXT) return { type: 'utf8' }
    if (kinds & LIST) return { type: 'list', items: this.#items?.type() ?? { type: 'null' } }
    if (kinds & STRUCT) return { type: 'struct', fields: this.fields() }
    if (kinds & FLOAT || (kinds & UINT64 && kinds & NEGATIVE)) return { type: 'float64' }
    return { type: kinds & UINT64 ? 'uint64' : 'int64' }
  }

  #see(kind: number): void {
    const before = this.#kinds
    if ((before & kind) === kind) return
    this.#kinds = before | kind
    if (before !== 0 && groupOf(before) !== groupOf(kind))
      throw new Misfit(this.#path, `${groupOf(kind)} where earlier rows have ${groupOf(before)}`)
  }
}

function groupOf(kinds: number): string {
  return NAMES.find(([bits]) => (kinds & bits) !== 0)?.[1] ?? 'null'
}

function integerKind(value: bigint): number {
  if (value >= -(2n ** 63n) && value < 2n ** 63n) return value < 0n ? INT64 | NEGATIVE : INT64
  return value >= 0n && value < 2n ** 64n ? UINT64 : FLOAT
}

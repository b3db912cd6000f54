/**
 * CSV (RFC 4180) and its kin: a header, then records of as many fields. The delimiter is a tab in .tsv files, else whichever of
 * `,` `;` tab `|` the header has most of. A column's type is the narrowest of int64, float64, bool and utf8 that holds all its
 * values without loss of what they say; an empty field is null. A row's number in an error is its record's, the header not counted.
 */
import { Problem } from '../../core/problem.ts'
import { setField } from '../../core/samples/fields.ts'
import { MAX_COLUMNS, type Field } from '../../core/samples/schema.ts'
import type { Row, Value } from '../../core/samples/value.ts'
import { lineBlocks, MAX_LINE_BYTES, uncompressedName, withCompression } from './lines.ts'
import type { ObservedField, Reader, ReaderOptions, SourceFile } from './reader.ts'

const DELIMITERS = [',', ';', '\t', '|']

export const csv: Reader = {
  id: 'csv',
  extensions: withCompression('.csv', '.tsv'),

  async infer(file, options) {
    let header: string[] | undefined
    const kinds: number[] = []
    for await (const block of recordBlocks(file, options)) {
      header = block.header
      for (const record of block.records)
        for (let i = 0; i < record.length; i++) kinds[i] = (kinds[i] ?? 0) | kindOf(record[i]!, kinds[i] ?? 0)
    }
    if (header === undefined) throw new Problem('invalid-file', `${file.path}: no header; the first line names the columns`)
    return header.map((name, i): ObservedField => ({ name, type: { type: typeOf(kinds[i] ?? 0) }, alsoText: true }))
  },

  async *read(file, schema, options) {
    let parsers: ((field: string) => Value)[] | undefined
    for await (const { header, records } of recordBlocks(file, options)) {
      parsers ??= header.map((name) => parserOf(schema.find((field) => field.name === name)))
      const rows: Row[] = []
      for (const record of records) {
        const row: Row = {}
        for (let i = 0; i < record.length; i++) {
          const field = record[i]!
          setField(row, header[i]!, field === '' ? null : parsers[i]!(field))
        }
        rows.push(row)
      }
      if (rows.length > 0) yield rows
    }
  },
}

const INTEGER = 1
const NEGATIVE_INTEGER = 2
/** From 2^63 to 2^64 − 1. */
const LARGE_INTEGER = 4
const FLOAT = 8
/** NaN and the infinities: numbers in a column of numbers, words elsewhere. */
const NOT_FINITE = 16
const BOOL = 32
const OTHER = 64

// A leading zero or plus sign belongs to a code ("007"), not to a number.
const INTEGER_FORM = /^-?(0|[1-9]\d*)$/
const FLOAT_FORM = /^-?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d{1,4})?$/
const NOT_FINITE_FORM = /^(nan|-?inf|-?infinity)$/i
const BOOL_FORM = /^(true|false)$/i

function kindOf(field: string, seen: number): number {
  if (field === '' || seen & OTHER) return 0
  if (INTEGER_FORM.test(field)) {
    if (field.length <= 15) return field.startsWith('-') ? NEGATIVE_INTEGER : INTEGER
    const value = BigInt(field)
    if (value < -(2n ** 63n) || value >= 2n ** 64n) return OTHER
    return value < 0n ? NEGATIVE_INTEGER : value < 2n ** 63n ? INTEGER : LARGE_INTEGER
  }
  if (FLOAT_FORM.test(field) && /\d/.test(field) && Number.isFinite(Number(field))) return FLOAT
  if (BOOL_FORM.test(field)) return BOOL
  return NOT_FINITE_FORM.test(field) ? NOT_FINITE : OTHER
}

function typeOf(kinds: number): 'null' | 'bool' | 'int64' | 'uint64' | 'float64' | 'utf8' {
  if (kinds === 0) return 'null'
  if (kinds === BOOL) return 'bool'
  if (kinds & (BOOL | OTHER)) return 'utf8'
  if (kinds & FLOAT || (kinds & NOT_FINITE && kinds !== NOT_FINITE)) return 'float64'
  if (kinds & NOT_FINITE || (kinds & LARGE_INTEGER && kinds & NEGATIVE_INTEGER)) return 'utf8'
  return kinds & LARGE_INTEGER ? 'uint64' : 'int64'
}

/** `infer` has seen that every field of the column has the form of its type. */
function parserOf(column: Field | undefined): (field: string) => Value {
  const type = column?.type.type
  if (type === 'int64' || type === 'uint64') return (field) => (field.length <= 15 ? Number(field) : BigInt(field))
  if (type === 'float64') return parseFloat64
  if (type === 'bool') return (field) => field.length === 'true'.length
  return (field) => field
}

function parseFloat64(field: string): number {
  if (!NOT_FINITE_FORM.test(field)) return Number(field)
  if (/^nan$/i.test(field)) return Number.NaN
  return field.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

interface RecordBlock {
  header: string[]
  records: string[][]
}

/** The records after the header, each with as many fields. Throws `invalid-sample` for a ragged or unfinished record. */
async function* recordBlocks(file: SourceFile, options: ReaderOptions): AsyncGenerator<RecordBlock> {
  let header: string[] | undefined
  let delimiter = ','
  let row = 0
  /** Lines of a record whose quoted field has not ended yet. */
  let open: string[] = []
  let openLength = 0
  for await (const { lines } of lineBlocks(file, options)) {
    const records: string[][] = []
    for (const raw of lines) {
      if (header === undefined && open.length === 0) delimiter = delimiterOf(file, raw)
      let record: string[] | null
      if (open.length === 0 && !raw.includes('"')) {
        const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
        if (line === '') continue
        record = line.split(delimiter)
      } else {
        open.push(raw)
        openLength += raw.length
        // A record is tried again only when a quote may have ended it: the cost stays linear in the quotes.
        record = raw.includes('"') ? splitQuoted(file, row, open.join('\n'), delimiter) : null
        if (record === null) {
          if (openLength > MAX_LINE_BYTES) throw unfinished(file, row, `a record may have at most ${MAX_LINE_BYTES} characters`)
          continue
        }
        open = []
        openLength = 0
      }
      if (header === undefined) header = checkedHeader(file, record)
      else {
        row++
        if (record.length !== header.length)
          throw new Problem(
            'invalid-sample',
            `${file.path} row ${row}: ${record.length} fields where the header names ${header.length} columns`,
          )
        records.push(record)
      }
    }
    if (header !== undefined) yield { header, records }
  }
  if (open.length > 0) throw unfinished(file, row, 'a quoted field does not end')
}

function unfinished(file: SourceFile, completeRows: number, what: string): Problem {
  return new Problem('invalid-sample', `${file.path} row ${completeRows + 1}: ${what}; is a quotation mark missing?`)
}

/** The fields of a record with quotes; null while a quoted field is open. */
function splitQuoted(file: SourceFile, completeRows: number, record: string, delimiter: string): string[] | null {
  const end = record.endsWith('\r') ? record.length - 1 : record.length
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (record[at] !== '"') {
      const found = record.indexOf(delimiter, at)
      fields.push(record.slice(at, found < 0 ? end : found))
      if (found < 0) return fields
      at = found + 1
      continue
    }
    let field = ''
    let from = at + 1
    for (;;) {
      const quote = record.indexOf('"', from)
      if (quote < 0) return null
      field += record.slice(from, quote)
      if (record[quote + 1] !== '"') {
        at = quote + 1
        break
      }
      field += '"'
      from = quote + 2
    }
    fields.push(field)
    if (at >= end) return fields
    if (record[at] !== delimiter)
      throw new Problem(
        'invalid-sample',
        `${file.path} row ${completeRows + 1} column ${fields.length}: text after the closing quotation mark`,
      )
    at++
  }
}

function delimiterOf(file: SourceFile, headerLine: string): string {
  if (/\.tsv$/i.test(uncompressedName(file.path))) return '\t'
  const unquoted = headerLine.replaceAll(/"[^"]*"/g, '')
  const counts = DELIMITERS.map((delimiter) => unquoted.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!
}

function checkedHeader(file: SourceFile, header: string[]): string[] {
  if (header.length > MAX_COLUMNS)
    throw new Problem('invalid-file', `${file.path}: ${header.length} columns; at most ${MAX_COLUMNS} are accepted`)
  const twice = header.find((name, i) => header.indexOf(name) !== i)
  if (twice !== undefined) throw new Problem('invalid-file', `${file.path}: two columns are named "${twice}"; name each column once`)
  const long = header.find((name) => name.length > 1024)
  if (long !== undefined) throw new Problem('invalid-file', `${file.path}: a column name may have at most 1024 characters`)
  return header
}

/**
 * JSON Lines: one JSON object (RFC 8259) a line, blank lines left out. A row's number in an error is its line's. Integers that a
 * double cannot hold keep their exact value: only lines that have one are parsed a second time, with the source text at hand.
 */
import { Problem } from '../../core/problem.ts'
import { MAX_NESTING } from '../../core/samples/encoding.ts'
import type { Row } from '../../core/samples/value.ts'
import { conformRows } from './conform.ts'
import { lineBlocks, withCompression } from './lines.ts'
import { type JsonValue, Misfit, Observation } from './observation.ts'
import type { Reader, SourceFile } from './reader.ts'

type JsonObject = { [name: string]: JsonValue }

export const jsonl: Reader = {
  id: 'jsonl',
  extensions: withCompression('.jsonl', '.ndjson'),

  async infer(file, options) {
    const rows = new Observation()
    for await (const { firstLine, lines } of lineBlocks(file, options)) {
      for (let i = 0; i < lines.length; i++) {
        const row = parseLine(file, firstLine + i, lines[i]!)
        if (row === null) continue
        try {
          rows.addFields(hasUnsafeInteger(row) ? parseExactly(lines[i]!) : row)
        } catch (error) {
          if (!(error instanceof Misfit)) throw error
          const column = error.column === '' ? '' : ` column "${error.column}"`
          throw new Problem('invalid-sample', `${file.path} row ${firstLine + i}${column}: ${error.message}`)
        }
      }
    }
    return rows.fields()
  },

  async *read(file, schema, options) {
    const conform = conformRows(schema)
    for await (const { firstLine, lines } of lineBlocks(file, options)) {
      const rows: Row[] = []
      for (let i = 0; i < lines.length; i++) {
        const row = parseLine(file, firstLine + i, lines[i]!)
        if (row !== null) rows.push(hasUnsafeInteger(row) ? conform(parseExactly(lines[i]!)) : row)
      }
      if (rows.length > 0) yield rows
    }
  },
}

/** The object on a line, null where the line is blank. */
function parseLine(file: SourceFile, number: number, line: string): JsonObject | null {
  let value: JsonValue
  try {
    // JSON.parse gives nothing but JSON values.
    value = JSON.parse(line) as JsonValue
  } catch (cause) {
    if (line.trim() === '') return null
    const hint = /(^|[[:,\s])-?(NaN|Infinity)\b/.test(line) ? ' (JSON has no NaN or Infinity: write null)' : ''
    throw new Problem('invalid-sample', `${file.path} row ${number}: not JSON: ${reasonOf(cause)}${hint}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problem('invalid-sample', `${file.path} row ${number}: not a JSON object; each line is one object like {"text": "…"}`)
  return value
}

/** V8's message without the excerpt of the line, which may be long. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.length <= 200 ? message : `${message.slice(0, 200)}…`
}

/** Whether some number may be an integer that the double nearest to it misrepresents. Throws `Misfit` where nesting is too deep. */
function hasUnsafeInteger(value: JsonValue, depth = 0): boolean {
  if (typeof value === 'number') return (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) && Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return false
  if (depth > MAX_NESTING) throw new Misfit('', `nested more than ${MAX_NESTING} deep`)
  if (Array.isArray(value)) {
    for (const item of value) if (hasUnsafeInteger(item, depth + 1)) return true
    return false
  }
  for (const name in value) if (hasUnsafeInteger(value[name]!, depth + 1)) return true
  return false
}

/** Parses with large integer literals as bigint (ECMA-262, JSON.parse source text access). */
function parseExactly(line: string): JsonObject {
  return JSON.parse(line, (_name, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined && /^-?\d+$/.test(context.source)
      ? BigInt(context.source)
      : value,
  ) as JsonObject
}

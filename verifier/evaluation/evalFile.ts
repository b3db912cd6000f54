/** The files of an evaluation folder: one folder a group, JSONL files in it, whatever their names. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type EvalRow, parseEvalRow } from './evalRow.ts'

export interface EvalFile {
  /** Without its folder. */
  name: string
  rows: EvalRow[]
}

/** The files of a group by name; null where there is no such folder or no JSONL in it. Throws a SyntaxError that names file and line. */
export async function readGroup(dataDir: string, group: string, fileNames?: readonly string[]): Promise<EvalFile[] | null> {
  const entries = await readdir(join(dataDir, group)).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return []
    throw error
  })
  const names = entries.filter(
    (name) => name.endsWith('.jsonl') && (fileNames === undefined || fileNames.some((part) => name.includes(part))),
  )
  if (names.length === 0) return null
  const files: EvalFile[] = []
  for (const name of names.toSorted()) files.push({ name, rows: await readRows(join(dataDir, group, name)) })
  return files
}

async function readRows(path: string): Promise<EvalRow[]> {
  const rows: EvalRow[] = []
  // Not by `readline`, to which a line separator (U+2028) inside a string ends a line.
  for (const [i, line] of (await readFile(path, 'utf8')).split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      rows.push(parseEvalRow(line, i + 1))
    } catch (cause) {
      throw new SyntaxError(`${path}, line ${i + 1}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  }
  return rows
}

/** Which reader reads which file of a manifest, by the file's name. */
import { Problem } from '../core/problem.ts'
import { arrow } from './readers/arrow.ts'
import { csv } from './readers/csv.ts'
import { jsonl } from './readers/jsonl.ts'
import { parquet } from './readers/parquet.ts'
import type { Reader } from './readers/reader.ts'
import { text } from './readers/text.ts'

export const READERS: readonly Reader[] = [jsonl, csv, parquet, arrow, text]

/** Files that tell of the data set, whatever their format. */
const ABOUT = /^(readme|licen[cs]e|copying|notice|authors|contributing|changelog|citation|code_of_conduct|requirements)\b/i

/** The reader of a file; null for files that hold no samples (documentation, hidden files, formats that are not data). */
export function readerOf(path: string): Reader | null {
  const parts = path.split('/')
  const name = parts.at(-1)!.toLowerCase()
  if (parts.some((part) => part.startsWith('.')) || ABOUT.test(name)) return null
  return READERS.find((reader) => reader.extensions.some((extension) => name.endsWith(extension))) ?? null
}

/** Splits a manifest's files into those with samples and the rest. Throws `unsupported-format` when there is nothing to read. */
export function chooseReaders<F extends { path: string }>(files: readonly F[]): { readable: { file: F; reader: Reader }[]; skipped: F[] } {
  const readable: { file: F; reader: Reader }[] = []
  const skipped: F[] = []
  for (const file of files) {
    const reader = readerOf(file.path)
    if (reader === null) skipped.push(file)
    else readable.push({ file, reader })
  }
  if (readable.length === 0) {
    const supported = READERS.flatMap((reader) => reader.extensions).join(', ')
    const named = files.slice(0, 3).map((file) => file.path)
    throw new Problem(
      'unsupported-format',
      `none of the files (${named.join(', ')}${files.length > 3 ? ', …' : ''}) can be read; supported are ${supported}`,
    )
  }
  return { readable, skipped }
}

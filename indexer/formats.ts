/** Which reader reads which file of a manifest, by the file's name. */
import { Problem } from '../core/problem.ts'
import { isMetadata } from './imageFolder.ts'
import { arrow } from './readers/arrow.ts'
import { csv } from './readers/csv.ts'
import { image } from './readers/image.ts'
import { jsonl } from './readers/jsonl.ts'
import { parquet } from './readers/parquet.ts'
import type { Reader } from './readers/reader.ts'
import { text } from './readers/text.ts'

export const READERS: readonly Reader[] = [jsonl, csv, parquet, arrow, text, image]

/** Files that tell of the data set, whatever their format. */
const ABOUT = /^(readme|licen[cs]e|copying|notice|authors|contributing|changelog|citation|code_of_conduct|requirements)\b/i

/** The reader of a file; null for files that hold no samples (documentation, hidden files, formats that are not data). */
export function readerOf(path: string): Reader | null {
  const parts = path.split('/')
  const name = parts.at(-1)!.toLowerCase()
  if (parts.some((part) => part.startsWith('.')) || ABOUT.test(name)) return null
  return READERS.find((reader) => reader.extensions.some((extension) => name.endsWith(extension))) ?? null
}

interface Chosen<F> {
  file: F
  reader: Reader
}

export interface ChosenFiles<F> {
  /** Files with samples. */
  readable: Chosen<F>[]
  /** What is known besides of images that are samples; none otherwise. */
  metadata: Chosen<F>[]
  /** Files without samples, metadata among them. */
  skipped: F[]
}

/** Images beside tables illustrate them, unless they are so many more. */
const IMAGES_PER_TABLE = 10

/**
 * Splits a manifest's files into those with samples and the rest. Image files are samples where there are no tables, or hardly any; then
 * tables are not. Throws `unsupported-format` when there is nothing to read.
 */
export function chooseReaders<F extends { path: string }>(files: readonly F[]): ChosenFiles<F> {
  const known = files.flatMap((file): Chosen<F>[] => {
    const reader = readerOf(file.path)
    return reader === null ? [] : [{ file, reader }]
  })
  const images = known.filter(({ reader }) => reader === image)
  const metadata = images.length === 0 ? [] : known.filter(({ file }) => isMetadata(file.path))
  const tables = known.filter((one) => one.reader !== image && !metadata.includes(one))
  const asImages = images.length > 0 && images.length >= IMAGES_PER_TABLE * tables.length
  const readable = asImages ? images : known.filter(({ reader }) => reader !== image)
  if (readable.length === 0) {
    const supported = READERS.flatMap((reader) => reader.extensions).join(', ')
    const named = files.slice(0, 3).map((file) => file.path)
    throw new Problem(
      'unsupported-format',
      `none of the files (${named.join(', ')}${files.length > 3 ? ', …' : ''}) can be read; supported are ${supported}`,
    )
  }
  const read = new Set(readable.map(({ file }) => file))
  return { readable, metadata: asImages ? metadata : [], skipped: files.filter((file) => !read.has(file)) }
}

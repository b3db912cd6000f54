/**
 * The seam between a file format and the index. A reader is a record of functions over a byte source; it holds nothing between
 * calls, reads its file twice at most (once to learn the columns, once for the rows) and keeps a bounded part of it in memory.
 */
import type { Field, Schema } from '../../core/samples/schema.ts'
import type { Row } from '../../core/samples/value.ts'

/** A file of a manifest. Its bytes are those of its CID, but what they say is the contributor's: attacker-controlled. */
export interface SourceFile {
  readonly path: string
  readonly sizeBytes: number
  /** The bytes from `offset` on, `length` of them; all by default. Pieces of any size, about 1 MiB where the store has them. */
  bytes(range?: { offset: number; length: number }): AsyncIterable<Uint8Array>
}

export interface ReaderOptions {
  /** What one sample of a plain-text file is. */
  readonly textUnit: 'line' | 'paragraph'
  readonly signal: AbortSignal
}

/** A column as one file shows it. */
export interface ObservedField extends Field {
  /** The file holds the column as text and guesses its type: `read` can deliver it as utf8 as well (CSV). */
  readonly alsoText?: true
}

export interface Reader {
  readonly id: string
  /** Lower-case endings of file names, each with its dot. Of two that match, the longer wins. */
  readonly extensions: readonly string[]
  /** Columns in the order of the file. Throws `invalid-file`, `invalid-sample` (naming row and column) or `unsupported-format`. */
  infer(file: SourceFile, options: ReaderOptions): Promise<ObservedField[]>
  /**
   * The rows in order, in blocks of at most a few thousand. Every value has the type of its column in `schema`, which `infer`'s
   * columns fit into; a column that the file lacks is left out of the row, which reads as null.
   */
  read(file: SourceFile, schema: Schema, options: ReaderOptions): AsyncIterable<Row[]>
}

/** Reads a range whole. Throws `RangeError` when the file is shorter, which callers report as truncation. */
export async function readRange(file: SourceFile, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  if (offset < 0 || length < 0 || offset + length > file.sizeBytes)
    throw new RangeError(`bytes ${offset} to ${offset + length} of ${file.sizeBytes}`)
  const bytes = new Uint8Array(length)
  let filled = 0
  for await (const piece of file.bytes({ offset, length })) {
    bytes.set(piece, filled)
    filled += piece.length
  }
  if (filled !== length) throw new RangeError(`${filled} of ${length} bytes from ${offset}`)
  return bytes
}

/**
 * The pages of a Parquet column chunk, one at a time (https://github.com/apache/parquet-format, "Data Pages"), so that memory is
 * bounded by pages and not by row groups, which may be as large as the file. hyparquet decodes the pages.
 */
import { isUtf8 } from 'node:buffer'
import type { ColumnMetaData, DecodedArray, PageHeader, SchemaTree } from 'hyparquet'
import { parquetHeader, readPage } from 'hyparquet/src/column.js'
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { Problem } from '../../core/problem.ts'
import { guardedPage, MAX_PAGE_BYTES } from './parquetGuard.ts'
import { readRange, type SourceFile } from './reader.ts'

const HEADER_GUESS_BYTES = 4096

const PARSERS = {
  ...DEFAULT_PARSERS,
  timestampFromNanoseconds: (nanoseconds: bigint) => nanoseconds,
  stringFromBytes(bytes: Uint8Array | undefined) {
    if (bytes === undefined) return undefined
    if (!isUtf8(bytes)) throw new TypeError('a string that is not UTF-8')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  },
}

export { PARSERS as PARQUET_PARSERS }

export interface ColumnChunkSource {
  file: SourceFile
  /** From the root of the schema to the leaf. */
  schemaPath: SchemaTree[]
  metadata: ColumnMetaData
  /** Bytes to read ahead. */
  windowBytes: number
}

/**
 * The values of a leaf column in blocks of whole rows: one value (or null) a row, lists as nested arrays where the column repeats.
 * Throws `invalid-file` for pages that do not decode.
 */
export async function* leafRows(source: ColumnChunkSource): AsyncGenerator<ArrayLike<unknown>> {
  const { file, metadata, schemaPath } = source
  const column = metadata.path_in_schema.join('.')
  const decoder = {
    pathInSchema: metadata.path_in_schema,
    type: metadata.type,
    element: schemaPath.at(-1)!.element,
    schemaPath,
    codec: 'UNCOMPRESSED' as const, // guardedPage has decompressed it
    parsers: PARSERS,
    utf8: false,
  }
  const repeats = schemaPath.some((node) => node.element.repetition_type === 'REPEATED')
  let dictionary: DecodedArray | undefined
  /** Where the column repeats, the last row may go on in the next page. */
  let open: unknown[] = []
  for await (const { header, bytes } of pages(source)) {
    const values = decoding(file, column, () => {
      const page = guardedPage(header, bytes, metadata, schemaPath)
      const reader = { view: new DataView(page.bytes.buffer), offset: 0 }
      const { data } = readPage(reader, page.header, decoder, dictionary, open, 0)
      if (header.type !== 'DICTIONARY_PAGE') {
        // Nulls are null; undefined is what a number beyond the dictionary stands for.
        if (!repeats && Array.isArray(data) && data.includes(undefined)) throw new RangeError('a value that its dictionary lacks')
        return data
      }
      dictionary = data === undefined ? undefined : convert(data, decoder)
      return undefined
    })
    if (values === undefined) continue
    if (!repeats || values !== open) {
      if (values.length > 0) yield values
      if (!repeats) open = []
      continue
    }
    const complete = open.slice(0, -1)
    open = open.slice(-1)
    if (complete.length > 0) yield complete
  }
  if (open.length > 0) yield open
}

/** The pages of a chunk with their headers, read ahead a window at a time. */
async function* pages({ file, metadata, windowBytes }: ColumnChunkSource): AsyncGenerator<{ header: PageHeader; bytes: Uint8Array }> {
  const column = metadata.path_in_schema.join('.')
  const first = Number(metadata.data_page_offset)
  const dictionary = Number(metadata.dictionary_page_offset ?? 0)
  const start = dictionary > 0 && dictionary < first ? dictionary : first
  const end = start + Number(metadata.total_compressed_size)
  if (!(start >= 4 && end >= start && end <= file.sizeBytes))
    throw new Problem('invalid-file', `${file.path} column "${column}": its bytes lie outside the file; the file is truncated or damaged`)

  let at = start
  let window: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  async function fill(lengthBytes: number): Promise<void> {
    if (window.length >= lengthBytes) return
    const more = await readRange(
      file,
      at + window.length,
      Math.min(Math.max(lengthBytes - window.length, windowBytes), end - at - window.length),
    )
    const joined = new Uint8Array(window.length + more.length)
    joined.set(window)
    joined.set(more, window.length)
    window = joined
  }
  function skip(lengthBytes: number): void {
    at += lengthBytes
    window = window.subarray(lengthBytes)
  }

  while (at < end) {
    let header: PageHeader | undefined
    for (let guess = HEADER_GUESS_BYTES; header === undefined; guess *= 8) {
      await fill(Math.min(guess, end - at))
      const reader = { view: new DataView(window.buffer, window.byteOffset, window.length), offset: 0 }
      try {
        header = parquetHeader(reader)
        skip(reader.offset)
      } catch (cause) {
        // Statistics may make a header long: with more bytes it may parse.
        if (guess >= end - at || guess > MAX_PAGE_BYTES) throw damaged(file, column, cause)
      }
    }
    const size = header.compressed_page_size
    // A damaged header may hold a bigint here, or nothing.
    if (!Number.isInteger(size) || size < 0 || size > end - at)
      throw damaged(file, column, new RangeError(`a page of ${size} bytes where ${end - at} are left`))
    await fill(size)
    yield { header, bytes: window.subarray(0, size) }
    skip(size)
  }
}

function decoding<T>(file: SourceFile, column: string, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    throw damaged(file, column, cause)
  }
}

function damaged(file: SourceFile, column: string, cause: unknown): Problem {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Problem('invalid-file', `${file.path} column "${column}": ${reason}; the file is damaged or uses an unknown encoding`, {
    cause,
  })
}

/** Files in memory for readers, and readers' results for assertions. */
import { ByteWriter, type ParquetWriteOptions, parquetWrite } from 'hyparquet-writer'
import { type RecordBatch, RecordBatchFileWriter, RecordBatchStreamWriter } from 'apache-arrow'
import type { Schema } from '../../core/samples/schema.ts'
import type { Row } from '../../core/samples/value.ts'
import { buildBatch, toArrowSchema } from '../../core/samples/arrow.ts'
import { readerOf } from '../../indexer/formats.ts'
import type { ReaderOptions, SourceFile } from '../../indexer/readers/reader.ts'

const NEVER = new AbortController().signal
export const OPTIONS: ReaderOptions = { textUnit: 'line', signal: NEVER }

/** A file of these bytes, handed out in pieces of `pieceBytes`. */
export function sourceOf(path: string, content: string | Uint8Array, pieceBytes = 64 * 1024): SourceFile {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return {
    path,
    sizeBytes: bytes.length,
    async *bytes({ offset, length } = { offset: 0, length: bytes.length }) {
      const end = Math.min(bytes.length, offset + length)
      for (let at = offset; at < end; at += pieceBytes) yield bytes.subarray(at, Math.min(end, at + pieceBytes))
    },
  }
}

/** Columns and rows of a file, by the reader that its name calls for. */
export async function readFile(file: SourceFile, options = OPTIONS): Promise<{ schema: Schema; rows: Row[] }> {
  const reader = readerOf(file.path)
  if (reader === null) throw new Error(`no reader for ${file.path}`)
  const schema = (await reader.infer(file, options)).map(({ name, type }) => ({ name, type }))
  const rows: Row[] = []
  for await (const block of reader.read(file, schema, options)) rows.push(...block)
  return { schema, rows }
}

export function parquetBytes(options: Omit<ParquetWriteOptions, 'writer'>): Uint8Array {
  const writer = new ByteWriter()
  void parquetWrite({ writer, ...options }) // synchronous with a writer in memory
  return new Uint8Array(writer.getBuffer())
}

export function arrowBytes(format: 'file' | 'stream', schema: Schema, blocks: Row[][]): Uint8Array {
  const writer = format === 'file' ? new RecordBatchFileWriter() : new RecordBatchStreamWriter()
  writer.reset(undefined, toArrowSchema(schema))
  for (const batch of blocks.map((rows): RecordBatch => buildBatch(schema, rows))) writer.write(batch)
  return writer.finish().toUint8Array(true)
}

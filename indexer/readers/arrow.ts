/** Arrow IPC, file and stream format, told apart by the file's first bytes. Read a record batch at a time. */
import { type RecordBatch, RecordBatchReader, type Schema as ArrowSchema } from 'apache-arrow'
import { Problem } from '../../core/problem.ts'
import { fromArrowSchema, rowsOf } from '../../core/samples/arrow.ts'
import { MAX_COLUMNS, type Schema } from '../../core/samples/schema.ts'
import { isArrowFile, openArrowFile, readArrowFooter, type ReadRange } from '../../store/arrowFile.ts'
import { checkFooter, checkMessage } from './arrowGuard.ts'
import { conformRows } from './conform.ts'
import { type Reader, readRange, type SourceFile } from './reader.ts'

const BLOCK_ROWS = 4096

export const arrow: Reader = {
  id: 'arrow',
  extensions: ['.arrow', '.arrows', '.feather', '.ipc'],

  async infer(file) {
    const batches = openBatches(file)
    try {
      const { value } = await batches.next()
      if (value === undefined) throw damaged(file, new RangeError('no schema'))
      return schemaOf(file, value.schema)
    } finally {
      await batches.return(undefined)
    }
  },

  async *read(file, schema, { signal }) {
    const conform = conformRows(schema)
    let own: Schema | undefined
    for await (const { schema: arrowSchema, batch } of openBatches(file)) {
      signal.throwIfAborted()
      own ??= schemaOf(file, arrowSchema)
      if (batch === null) continue
      for (let from = 0; from < batch.numRows; from += BLOCK_ROWS) {
        const fields = own
        const slice = batch.slice(from, Math.min(from + BLOCK_ROWS, batch.numRows))
        yield parsing(file, () => rowsOf(fields, slice).map(conform))
      }
    }
  },
}

function schemaOf(file: SourceFile, arrowSchema: ArrowSchema): Schema {
  const names = new Set<string>()
  if (arrowSchema.fields.length > MAX_COLUMNS)
    throw new Problem('invalid-file', `${file.path}: ${arrowSchema.fields.length} columns; at most ${MAX_COLUMNS} are accepted`)
  for (const { name } of arrowSchema.fields) {
    if (names.has(name)) throw new Problem('invalid-file', `${file.path}: two columns are named "${name}"; name each column once`)
    names.add(name)
  }
  return parsing(file, () => fromArrowSchema(arrowSchema))
}

/** The schema once without a batch, then every batch. */
async function* openBatches(file: SourceFile): AsyncGenerator<{ schema: ArrowSchema; batch: RecordBatch | null }> {
  const source = faultsApart(file)
  try {
    const head = await source.file
      .bytes({ offset: 0, length: Math.min(8, file.sizeBytes) })
      [Symbol.asyncIterator]()
      .next()
    if (!head.done && isArrowFile(head.value)) {
      const read: ReadRange = (offset, length) => readRange(source.file, offset, length)
      for (const { offsetBytes, metadataBytes } of checkFooter(await readArrowFooter(file.sizeBytes, read), file.sizeBytes))
        checkMessage(withoutPrefix(await read(offsetBytes, metadataBytes)))
      const reader = await openArrowFile(file.sizeBytes, read)
      yield { schema: reader.schema, batch: null }
      for (let i = 0; i < reader.numRecordBatches; i++) {
        const batch = await reader.readRecordBatch(i)
        if (batch === null) throw new RangeError(`record batch ${i} is missing`)
        yield { schema: reader.schema, batch }
      }
    } else {
      const reader = await RecordBatchReader.from(checkedStream(source.file))
      await reader.open({ autoDestroy: false })
      if (reader.schema === undefined) throw new RangeError('no schema')
      yield { schema: reader.schema, batch: null }
      for await (const batch of reader) yield { schema: reader.schema, batch }
    }
  } catch (cause) {
    if (cause === source.fault() || cause instanceof Problem) throw cause
    throw damaged(file, cause)
  }
}

const CONTINUATION = 0xffffffff
const MAX_METADATA_BYTES = 64 * 1024 * 1024

/** The metadata of a message in a file, without what stands before it. */
function withoutPrefix(message: Uint8Array): Uint8Array {
  const marker = new DataView(message.buffer, message.byteOffset).getUint32(0, true)
  return message.subarray(marker === CONTINUATION ? 8 : 4)
}

/** The messages of a stream, each checked before it is handed on. Throws a RangeError for a stream that ends within a message. */
async function* checkedStream(file: SourceFile): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.sizeBytes;) {
    const prefix = await readRange(file, at, Math.min(8, file.sizeBytes - at))
    const view = new DataView(prefix.buffer)
    // Before format 0.15 there was no continuation marker.
    const prefixBytes = view.getUint32(0, true) === CONTINUATION ? 8 : 4
    const metadataBytes = view.getUint32(prefixBytes - 4, true)
    if (metadataBytes === 0) return yield prefix.subarray(0, prefixBytes)
    if (metadataBytes > MAX_METADATA_BYTES) throw new RangeError(`a message of ${metadataBytes} bytes`)
    const metadata = await readRange(file, at + prefixBytes, metadataBytes)
    const bodyBytes = checkMessage(metadata)
    yield prefix.subarray(0, prefixBytes)
    yield metadata
    at += prefixBytes + metadataBytes
    if (bodyBytes > 0) yield await readRange(file, at, bodyBytes)
    at += bodyBytes
  }
}

/** The file, and what its store threw, so that a fault of ours is not taken for damage in the file. */
function faultsApart(file: SourceFile): { file: SourceFile; fault: () => unknown } {
  let fault: unknown
  return {
    fault: () => fault,
    file: {
      path: file.path,
      sizeBytes: file.sizeBytes,
      async *bytes(range) {
        try {
          yield* file.bytes(range)
        } catch (error) {
          fault = error
          throw error
        }
      },
    },
  }
}

function parsing<T>(file: SourceFile, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (cause instanceof Problem) throw new Problem(cause.code, `${file.path}: ${cause.detail}`, { cause })
    throw damaged(file, cause)
  }
}

function damaged(file: SourceFile, cause: unknown): Problem {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Problem('invalid-file', `${file.path}: not a whole Arrow IPC file or stream (${reason}); it is truncated or damaged`, {
    cause,
  })
}

/**
 * Checks of Arrow's FlatBuffers (https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc)
 * before the library reads them: it believes the lengths of vectors, so that one wrong byte would make it build billions of
 * objects. Tables are walked as in https://flatbuffers.dev/internals. Everything here is attacker-controlled.
 */
import { MAX_NESTING } from '../../core/samples/encoding.ts'

/** Fields of a schema with all that is nested in them; tables may be shared, so the bytes alone do not bound the walk. */
const MAX_FIELDS = 65_536
const MAX_BATCH_ROWS = 1 << 24

/** Block of a footer: offset (int64), metadata length (int32, padded), body length (int64). */
const BLOCK_BYTES = 24
const SCHEMA = 1
const DICTIONARY_BATCH = 2
const RECORD_BATCH = 3

/** Reads a table's fields by their place in its IDL. Out-of-range reads throw RangeErrors, from the view itself. */
class Table {
  readonly #view: DataView
  readonly #at: number
  constructor(view: DataView, at: number) {
    this.#view = view
    this.#at = at
  }

  /** Position of a field, 0 where it has its default. */
  #field(index: number): number {
    const vtable = this.#at - this.#view.getInt32(this.#at, true)
    const offset = 4 + 2 * index
    if (offset + 2 > this.#view.getUint16(vtable, true)) return 0
    const relative = this.#view.getUint16(vtable + offset, true)
    return relative === 0 ? 0 : this.#at + relative
  }

  uint8(index: number): number {
    const at = this.#field(index)
    return at === 0 ? 0 : this.#view.getUint8(at)
  }

  int64(index: number): number {
    const at = this.#field(index)
    return at === 0 ? 0 : Number(this.#view.getBigInt64(at, true))
  }

  table(index: number): Table | null {
    const at = this.#field(index)
    return at === 0 ? null : new Table(this.#view, at + this.#view.getUint32(at, true))
  }

  /** Checks that a vector lies within the bytes; gives its length, its items, and the tables that they point to. */
  vector(index: number, itemBytes: number): { length: number; bytes: (i: number) => DataView; table: (i: number) => Table } {
    const field = this.#field(index)
    if (field === 0) return { length: 0, bytes: () => this.#view, table: () => this }
    const at = field + this.#view.getUint32(field, true)
    const length = this.#view.getUint32(at, true)
    if (at + 4 + length * itemBytes > this.#view.byteLength) throw new RangeError(`a vector of ${length} items beyond its message`)
    return {
      length,
      bytes: (i) => new DataView(this.#view.buffer, this.#view.byteOffset + at + 4 + i * itemBytes, itemBytes),
      table: (i) => {
        const item = at + 4 + i * itemBytes
        return new Table(this.#view, item + this.#view.getUint32(item, true))
      },
    }
  }
}

function rootOf(bytes: Uint8Array): Table {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return new Table(view, view.getUint32(0, true))
}

/** Checks a message's metadata and returns the length of its body. Throws a RangeError. */
export function checkMessage(metadata: Uint8Array): number {
  const message = rootOf(metadata)
  const kind = message.uint8(1)
  const header = message.table(2)
  message.vector(4, 4)
  if (header === null) throw new RangeError('a message without a header')
  if (kind === SCHEMA) checkSchema(header)
  else if (kind === RECORD_BATCH) checkBatch(header)
  else if (kind === DICTIONARY_BATCH) {
    const batch = header.table(1)
    if (batch === null) throw new RangeError('a dictionary without values')
    checkBatch(batch)
  } else throw new RangeError(`a message of kind ${kind}`)
  const bodyBytes = message.int64(3)
  if (!(bodyBytes >= 0 && Number.isSafeInteger(bodyBytes))) throw new RangeError(`a body of ${bodyBytes} bytes`)
  return bodyBytes
}

/** Checks the footer of a file and returns where its messages lie. Throws a RangeError. */
export function checkFooter(footer: Uint8Array, fileBytes: number): { offsetBytes: number; metadataBytes: number }[] {
  const root = rootOf(footer)
  const schema = root.table(1)
  if (schema === null) throw new RangeError('a footer without a schema')
  checkSchema(schema)
  root.vector(4, 4)
  return [root.vector(2, BLOCK_BYTES), root.vector(3, BLOCK_BYTES)].flatMap((blocks) =>
    Array.from({ length: blocks.length }, (_, i) => {
      const block = blocks.bytes(i)
      const offsetBytes = Number(block.getBigInt64(0, true))
      const metadataBytes = block.getInt32(8, true)
      const bodyBytes = Number(block.getBigInt64(16, true))
      if (!(offsetBytes >= 8 && metadataBytes >= 8 && bodyBytes >= 0 && offsetBytes + metadataBytes + bodyBytes <= fileBytes))
        throw new RangeError('a message beyond the end of the file')
      return { offsetBytes, metadataBytes }
    }),
  )
}

function checkSchema(schema: Table): void {
  let count = 0
  function checkFields(parent: Table, index: number, depth: number): void {
    if (depth > 2 * MAX_NESTING) throw new RangeError('fields nested too deep')
    const fields = parent.vector(index, 4)
    count += fields.length
    if (count > MAX_FIELDS) throw new RangeError(`more than ${MAX_FIELDS} fields`)
    for (let i = 0; i < fields.length; i++) {
      const field = fields.table(i)
      field.vector(0, 1) // name
      field.vector(6, 4) // metadata
      checkFields(field, 5, depth + 1)
    }
  }
  checkFields(schema, 1, 0)
  schema.vector(2, 4)
  schema.vector(3, 8)
}

function checkBatch(batch: Table): void {
  const rows = batch.int64(0)
  if (!(rows >= 0 && rows <= MAX_BATCH_ROWS)) throw new RangeError(`a record batch of ${rows} rows`)
  batch.vector(1, 16) // nodes
  batch.vector(2, 16) // buffers
  batch.vector(4, 8) // variadic buffer counts
}

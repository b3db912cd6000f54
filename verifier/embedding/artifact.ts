/**
 * Embeddings at rest: an Arrow IPC file with one row a sample, `embedding` (fixed-size list of float32, null where the sample has none),
 * and in the schema's metadata the digest of the model that made them (modelCache.ts). Read one record batch at a time.
 */
import {
  type Data,
  DataType,
  Field,
  FixedSizeList,
  Float32,
  makeData,
  Precision,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
} from 'apache-arrow'
import type { CID } from '../../core/cid.ts'
import { messageOf, Problem } from '../../core/problem.ts'
import { openArrowFile } from '../../store/arrowFile.ts'
import type { Blocks } from '../../store/blocks.ts'

export interface StoredEmbeddings {
  /** Digest of the model's files, 64 hexadecimal digits. */
  model: string
  dimensions: number
  /** count × dimensions; zeros where the sample has none. */
  vectors: Float32Array
  /** 1 for samples that were embedded. */
  valid: Uint8Array
}

const COLUMN = 'embedding'
const MODEL_KEY = 'assay:model'
const BATCH_ROWS = 4096

/** Stores embeddings and gives the UnixFS root of their file; the same embeddings have the same root. */
export async function storeEmbeddings(blocks: Blocks, { model, dimensions, vectors, valid }: StoredEmbeddings): Promise<CID> {
  const type = new FixedSizeList(dimensions, new Field('item', new Float32(), false))
  const schema = new Schema([new Field(COLUMN, type, true)], new Map([[MODEL_KEY, model]]))
  const writer = new RecordBatchFileWriter()
  writer.reset(undefined, schema)
  for (let start = 0; start < valid.length; start += BATCH_ROWS) {
    const bits = packBits(valid.subarray(start, start + BATCH_ROWS))
    const data = vectors.subarray(start * dimensions, (start + bits.length) * dimensions)
    const child = makeData({ type: new Float32(), length: data.length, nullCount: 0, data })
    const column = makeData({ type, length: bits.length, nullCount: bits.zeros, nullBitmap: bits.bytes, child })
    writer.write(
      new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: bits.length, nullCount: 0, children: [column] })),
    )
  }
  writer.finish()
  return (await blocks.importFile(writer)).cid
}

/**
 * Reads embeddings of `count` samples by `model`. Throws `invalid-file` where the file holds anything else: another model, another
 * number of samples or dimensions, or damage.
 */
export async function loadEmbeddings(
  blocks: Blocks,
  cid: CID,
  { model, dimensions, count }: { model: string; dimensions: number; count: number },
): Promise<StoredEmbeddings> {
  const reader = await openArrowFile(await blocks.fileSize(cid), async (offset, length) =>
    Buffer.concat(await Array.fromAsync(blocks.readFile(cid, { offset, length }))),
  ).catch((cause: unknown) => {
    throw cause instanceof Problem ? cause : invalid(cid, messageOf(cause), cause)
  })
  const { fields, metadata } = reader.schema
  if (metadata.get(MODEL_KEY) !== model) throw invalid(cid, 'another model made them')
  if (fields.length !== 1 || fields[0]?.name !== COLUMN || !isVectorType(fields[0].type, dimensions))
    throw invalid(cid, `it is not one column of ${dimensions} float32`)
  const stored = { model, dimensions, vectors: new Float32Array(count * dimensions), valid: new Uint8Array(count) }
  let start = 0
  for (let i = 0; i < reader.numRecordBatches; i++) {
    const column = (await reader.readRecordBatch(i))?.data.children[0]
    if (column === undefined || start + column.length > count) throw invalid(cid, `it has more than ${count} samples`)
    readColumn(column, stored, start)
    start += column.length
  }
  if (start !== count) throw invalid(cid, `it has ${start} samples instead of ${count}`)
  return stored
}

/** Copies a batch's vectors to those from `start` on. */
function readColumn(column: Data, { dimensions, vectors, valid }: StoredEmbeddings, start: number): void {
  const values: Float32Array = column.children[0]!.values
  for (let row = 0; row < column.length; row++) {
    if (!column.getValid(row)) continue
    valid[start + row] = 1
    vectors.set(values.subarray(row * dimensions, (row + 1) * dimensions), (start + row) * dimensions)
  }
}

function isVectorType(type: DataType, dimensions: number): boolean {
  if (!DataType.isFixedSizeList(type) || type.listSize !== dimensions) return false
  const item: DataType = type.children[0]!.type
  return DataType.isFloat(item) && item.precision === Precision.SINGLE
}

/** A bitmap, least significant bit first. */
function packBits(valid: Uint8Array): { bytes: Uint8Array; length: number; zeros: number } {
  const bytes = new Uint8Array(Math.ceil(valid.length / 8))
  let zeros = 0
  for (const [i, bit] of valid.entries())
    if (bit === 0) zeros++
    else bytes[i >> 3]! |= 1 << (i & 7)
  return { bytes, length: valid.length, zeros }
}

function invalid(cid: CID, reason: string, cause?: unknown): Problem {
  return new Problem('invalid-file', `the embeddings ${cid.toString()} cannot be used: ${reason}`, { cause })
}

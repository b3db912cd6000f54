/**
 * Samples as an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format). A record batch has the same bytes
 * in a stream as in a file, so whole shards are sent as they lie on the disk; only what is cut, projected or reordered is encoded anew.
 */
import { Field, RecordBatch, RecordBatchStreamWriter, Schema, Struct, Uint64, makeData } from 'apache-arrow'
import type { SampleIndex, SampleShard } from '../core/documents/sampleIndex.ts'
import { toArrowSchema } from '../core/samples/arrow.ts'
import { openArrowFile } from '../store/arrowFile.ts'
import type { Blocks } from '../store/blocks.ts'
import type { Samples } from '../store/samples.ts'
import type { SamplePlan } from './sampleQuery.ts'
import type { SampleSequence } from './sampleSequence.ts'

export const ARROW_STREAM = 'application/vnd.apache.arrow.stream'
/** The column of sample numbers, which no file can have by chance of its own: it is last, and comes only when asked for. */
export const NUMBER_COLUMN = 'assay:sample'

/** About so many bytes are put together from several places for one batch: the more, the fewer times is a stored batch read again. */
const TAKEN_BYTES = 32 * 1024 * 1024
const MAX_TAKEN_ROWS = 65_536
const END_OF_STREAM = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)

/** The bytes of the stream that answers a plan, read as fast as they are taken. */
export async function* arrowStream(blocks: Blocks, samples: Samples, plan: SamplePlan): AsyncGenerator<Uint8Array> {
  const { index, columns, numbers } = plan
  const stored = toArrowSchema(index.schema)
  const schema = withNumberField(columns === null ? stored : stored.select(columns), numbers)
  yield schemaMessage(schema)
  if (plan.sequence.isWhole && columns === null && !numbers) yield* storedBatches(blocks, samples, plan)
  else for await (const batch of shapedBatches(samples, plan)) yield batchMessage(new RecordBatch(schema, batch.data))
  yield END_OF_STREAM
}

/** Samples from … to − 1 of the index, whole shards verbatim. */
async function* storedBatches(blocks: Blocks, samples: Samples, { index, from, to }: SamplePlan): AsyncGenerator<Uint8Array> {
  for (const shard of index.shards) {
    const first = Math.max(from, shard.firstSample)
    const end = Math.min(to, shard.firstSample + shard.sampleCount)
    if (first >= end) continue
    if (end - first === shard.sampleCount) yield* shardBatches(blocks, shard)
    else for await (const batch of samples.rows(first, end)) yield batchMessage(batch)
  }
}

/** The record batches of a shard as the bytes of its file between schema and footer. */
async function* shardBatches(blocks: Blocks, shard: SampleShard): AsyncGenerator<Uint8Array> {
  const { footer } = await openArrowFile(shard.sizeBytes, (offset, length) => readRange(blocks, shard, offset, length))
  const first = footer?.getRecordBatch(0)
  const last = footer?.getRecordBatch(footer.numRecordBatches - 1)
  if (first == null || last == null) throw new Error(`shard ${shard.cid.toString()} has no record batch`)
  const length = last.offset + last.metaDataLength + last.bodyLength - first.offset
  yield* blocks.readFile(shard.cid, { offset: first.offset, length })
}

async function readRange(blocks: Blocks, shard: SampleShard, offset: number, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of blocks.readFile(shard.cid, { offset, length })) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* shapedBatches(samples: Samples, plan: SamplePlan): AsyncGenerator<RecordBatch> {
  const { sequence, from, to, columns, numbers } = plan
  if (sequence.isWhole) {
    let place = from
    for await (const batch of samples.rows(from, to)) {
      const chosen = columns === null ? batch : project(batch, columns)
      yield numbers ? withNumbers(chosen, numbersBetween(sequence, place, place + batch.numRows)) : chosen
      place += batch.numRows
    }
    return
  }
  const step = takenRows(plan.index)
  for (let place = from; place < to; place += step) {
    const taken = numbersBetween(sequence, place, Math.min(place + step, to))
    const batch = await samples.take(taken, columns ?? undefined)
    yield numbers ? withNumbers(batch, taken) : batch
  }
}

function takenRows(index: SampleIndex): number {
  const bytes = index.shards.reduce((sum, shard) => sum + shard.sizeBytes, 0)
  return Math.max(1, Math.min(MAX_TAKEN_ROWS, Math.floor((TAKEN_BYTES * index.sampleCount) / bytes)))
}

function numbersBetween(sequence: SampleSequence, from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => sequence.at(from + i))
}

/** Columns of a batch, shared with it. The library's own `select` keeps a column in its old place, where the new schema does not look. */
function project(batch: RecordBatch, columns: readonly string[]): RecordBatch {
  const chosen = columns.map((name) => batch.schema.fields.findIndex((field) => field.name === name))
  const schema = new Schema(chosen.map((at) => batch.schema.fields[at]!))
  const children = chosen.map((at) => batch.data.children[at]!)
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: batch.numRows, nullCount: 0, children }))
}

function withNumberField(schema: Schema, numbers: boolean): Schema {
  return numbers ? new Schema([...schema.fields, new Field(NUMBER_COLUMN, new Uint64(), false)]) : schema
}

function withNumbers(batch: RecordBatch, numbers: number[]): RecordBatch {
  const schema = withNumberField(batch.schema, true)
  const column = makeData({ type: new Uint64(), length: numbers.length, nullCount: 0, data: BigUint64Array.from(numbers, BigInt) })
  const type = new Struct(schema.fields)
  return new RecordBatch(schema, makeData({ type, length: numbers.length, nullCount: 0, children: [...batch.data.children, column] }))
}

function schemaMessage(schema: Schema): Uint8Array {
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  return writer.finish().toUint8Array(true).slice(0, -END_OF_STREAM.length)
}

/** A record batch without the schema before it and the end behind it. */
function batchMessage(batch: RecordBatch): Uint8Array {
  const writer = new RecordBatchStreamWriter()
  writer.write(batch)
  const bytes = writer.finish().toUint8Array(true)
  // A message is 0xffffffff, its length as int32, its metadata; a schema has no body.
  const schemaBytes = 8 + new DataView(bytes.buffer, bytes.byteOffset).getInt32(4, true)
  return bytes.subarray(schemaBytes, bytes.length - END_OF_STREAM.length)
}

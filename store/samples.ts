/**
 * The rows of an index, from its shards: in order, or any of them by number. A shard's record batches all hold the same number of rows
 * but the last, so the batch of a row is found by division and read for itself; what was read is kept up to `cacheBytes`.
 */
import { type RecordBatch, RecordBatchReader, RecordBatchStreamWriter } from 'apache-arrow'
import type { SampleIndex, SampleShard } from '../core/documents/sampleIndex.ts'
import { Problem } from '../core/problem.ts'
import { buildBatch, gatherRows, rowReader, selectRows, toArrowSchema } from '../core/samples/arrow.ts'
import type { Row } from '../core/samples/value.ts'
import { openArrowFile } from './arrowFile.ts'
import { BatchCache } from './batchCache.ts'
import type { Blocks } from './blocks.ts'

export interface Samples {
  readonly sampleCount: number
  /** Samples `from` … `to` − 1 in order, as the record batches of the shards, cut at both ends. Does not use the cache. */
  rows(from?: number, to?: number): AsyncIterable<RecordBatch>
  /** The samples of these numbers, in this order (repeats included), as one batch of all or of the named columns. */
  take(numbers: ArrayLike<number>, columns?: readonly string[]): Promise<RecordBatch>
  /** The same as rows. */
  takeRows(numbers: ArrayLike<number>): Promise<Row[]>
}

export interface SamplesOptions {
  /** Arrow bytes that are kept for `take`. Default 256 MiB. */
  cacheBytes?: number
}

interface OpenShard {
  shard: SampleShard
  /** Rows of each batch but the last. */
  batchRows: number
  batches: { offsetBytes: number; lengthBytes: number }[]
}

interface Place {
  shard: number
  batch: number
  row: number
}

/** Rows that are wanted of one batch, and where each was asked for. */
interface WantedRows extends Omit<Place, 'row'> {
  positions: number[]
  rows: number[]
}

export function openSamples(blocks: Blocks, index: SampleIndex, { cacheBytes = 256 * 1024 * 1024 }: SamplesOptions = {}): Samples {
  const { schema, shards, sampleCount } = index
  const prefix = schemaMessage(schema)
  const opened = new Map<number, Promise<OpenShard>>()
  const cache = new BatchCache(cacheBytes)

  async function readRange(shard: SampleShard, offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    let filled = 0
    for await (const piece of blocks.readFile(shard.cid, { offset, length })) {
      bytes.set(piece, filled)
      filled += piece.length
    }
    if (filled !== length) throw new RangeError(`shard ${shard.cid.toString()} ends at ${offset + filled}, not ${offset + length}`)
    return bytes
  }

  function open(number: number): Promise<OpenShard> {
    let shard = opened.get(number)
    if (shard === undefined) {
      shard = openShard(shards[number]!)
      opened.set(number, shard)
      // What failed may succeed when it is tried again: a block may have been mended.
      shard.catch(() => opened.delete(number))
    }
    return shard
  }

  async function openShard(shard: SampleShard): Promise<OpenShard> {
    const reader = await openArrowFile(shard.sizeBytes, (offset, length) => readRange(shard, offset, length))
    const batches = Array.from({ length: reader.numRecordBatches }, (_, i) => {
      const block = reader.footer?.getRecordBatch(i)
      if (block == null) throw new RangeError(`shard ${shard.cid.toString()} lacks record batch ${i}`)
      return { offsetBytes: block.offset, lengthBytes: block.metaDataLength + block.bodyLength }
    })
    const batchRows = batches.length === 1 ? shard.sampleCount : ((await reader.readRecordBatch(0))?.numRows ?? 0)
    if (batchRows === 0 || Math.ceil(shard.sampleCount / batchRows) !== batches.length)
      throw new RangeError(`shard ${shard.cid.toString()} is not as its index says`)
    return { shard, batchRows, batches }
  }

  /** Record batches `first` … `end` − 1, read as one range: neighbours share blocks, which are then read and verified once. */
  async function* readBatches({ shard, batchRows, batches }: OpenShard, first: number, end: number): AsyncGenerator<RecordBatch> {
    const start = batches[first]!.offsetBytes
    const last = batches[end - 1]!
    const length = last.offsetBytes + last.lengthBytes - start
    await using range = createRangeReader(blocks.readFile(shard.cid, { offset: start, length }), start)
    for (let number = first; number < end; number++) {
      const { offsetBytes, lengthBytes } = batches[number]!
      const bytes = new Uint8Array(prefix.length + lengthBytes)
      bytes.set(prefix)
      await range.fill(bytes.subarray(prefix.length), offsetBytes)
      const [batch] = RecordBatchReader.from(bytes)
      if (batch === undefined || batch.numRows !== Math.min(batchRows, shard.sampleCount - number * batchRows))
        throw new RangeError(`shard ${shard.cid.toString()} is not as its index says`)
      yield batch
    }
  }

  async function placeOf(sample: number): Promise<Place> {
    if (!Number.isInteger(sample) || sample < 0 || sample >= sampleCount)
      throw new Problem('not-found', `there is no sample ${sample}: the index has samples 0 to ${sampleCount - 1}`)
    let low = 0
    for (let high = shards.length - 1; low < high;) {
      const middle = Math.ceil((low + high) / 2)
      if (shards[middle]!.firstSample <= sample) low = middle
      else high = middle - 1
    }
    const { batchRows } = await open(low)
    const within = sample - shards[low]!.firstSample
    return { shard: low, batch: Math.floor(within / batchRows), row: within % batchRows }
  }

  /** Calls `visit` once for each batch that holds some of the samples, with their places in `numbers` and in the batch. */
  async function visitBatches(
    numbers: ArrayLike<number>,
    visit: (batch: RecordBatch, positions: number[], rows: number[]) => void,
  ): Promise<void> {
    const wanted = new Map<string, WantedRows>()
    for (let position = 0; position < numbers.length; position++) {
      const place = await placeOf(numbers[position]!)
      const key = batchKey(place)
      let rows = wanted.get(key)
      if (rows === undefined) wanted.set(key, (rows = { ...place, positions: [], rows: [] }))
      rows.positions.push(position)
      rows.rows.push(place.row)
    }
    // What is in the cache comes first: in any other order it would make room for the rest before its turn.
    for (const [key, { positions, rows }] of wanted) {
      const batch = cache.get(key)
      if (batch === undefined) continue
      visit(batch, positions, rows)
      wanted.delete(key)
    }
    for (const run of runsOf([...wanted.values()])) {
      const { shard, batch: first } = run[0]!
      let at = 0
      for await (const batch of readBatches(await open(shard), first, first + run.length)) {
        const { positions, rows } = run[at]!
        cache.put(batchKey(run[at]!), batch)
        visit(batch, positions, rows)
        at++
      }
    }
  }

  async function takeRows(numbers: ArrayLike<number>): Promise<Row[]> {
    const rows: Row[] = []
    await visitBatches(numbers, (batch, positions, places) => {
      const read = rowReader(schema, batch)
      for (const [i, position] of positions.entries()) rows[position] = read(places[i]!)
    })
    return rows
  }

  return {
    sampleCount,
    async *rows(from = 0, to = sampleCount) {
      for (let sample = from; sample < Math.min(to, sampleCount);) {
        const place = await placeOf(sample)
        const opened = await open(place.shard)
        const lastRow = Math.min(to - opened.shard.firstSample, opened.shard.sampleCount) - 1
        let row = place.row
        for await (const batch of readBatches(opened, place.batch, Math.floor(lastRow / opened.batchRows) + 1)) {
          const end = Math.min(batch.numRows, row + to - sample)
          yield row === 0 && end === batch.numRows ? batch : batch.slice(row, end)
          sample += end - row
          row = 0
        }
      }
    },
    async take(numbers, columns) {
      // Of each batch only the rows that are wanted are kept, and put in order at the end: a few rows of many batches take little memory.
      const parts: RecordBatch[] = []
      const sources = new Uint32Array(numbers.length)
      const indices = new Uint32Array(numbers.length)
      await visitBatches(numbers, (batch, positions, places) => {
        for (const [i, position] of positions.entries()) {
          sources[position] = parts.length
          indices[position] = i
        }
        parts.push(selectRows(batch, places, columns))
      })
      if (parts.length === 0) return selectRows(buildBatch(schema, []), [], columns)
      return parts.length === 1 ? parts[0]! : gatherRows(parts, { sources, indices })
    },
    takeRows,
  }
}

/** The start of an Arrow stream of this schema: with a record batch behind it, it reads as that batch. */
function schemaMessage(schema: SampleIndex['schema']): Uint8Array {
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, toArrowSchema(schema))
  const endOfStreamBytes = 8
  return writer.finish().toUint8Array(true).slice(0, -endOfStreamBytes)
}

function batchKey({ shard, batch }: { shard: number; batch: number }): string {
  return `${shard}/${batch}`
}

/** Batches in the order of their file, those that follow one another together. */
function runsOf(batches: WantedRows[]): WantedRows[][] {
  const runs: WantedRows[][] = []
  for (const batch of batches.sort((a, b) => a.shard - b.shard || a.batch - b.batch)) {
    const previous = runs.at(-1)?.at(-1)
    if (previous !== undefined && previous.shard === batch.shard && previous.batch + 1 === batch.batch) runs.at(-1)!.push(batch)
    else runs.push([batch])
  }
  return runs
}

/** Takes ranges, each behind the one before, out of a file's bytes that begin at `offsetBytes`. */
function createRangeReader(source: AsyncIterable<Uint8Array>, offsetBytes: number) {
  const pieces = source[Symbol.asyncIterator]()
  let piece: Uint8Array = new Uint8Array(0)
  /** Of the piece's first byte. */
  let position = offsetBytes
  return {
    /** Fills `target` with the bytes from `from` on. Throws a RangeError when the source ends before. */
    async fill(target: Uint8Array, from: number): Promise<void> {
      for (let filled = 0; filled < target.length;) {
        const at = from + filled - position
        if (at < piece.length) {
          const taken = piece.subarray(at, at + target.length - filled)
          target.set(taken, filled)
          filled += taken.length
        } else {
          const next = await pieces.next()
          if (next.done === true) throw new RangeError(`the file ends at ${position + piece.length}, before ${from + target.length}`)
          position += piece.length
          piece = next.value
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await pieces.return?.()
    },
  }
}

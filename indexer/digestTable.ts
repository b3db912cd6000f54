/**
 * Making the digest table (store/digestTable.ts).
 * Sorted in runs that fit into memory, the runs merged from a temporary file when there are several.
 */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DIGEST_LENGTH } from '../core/hash.ts'
import { RECORD_BYTES } from '../store/digestTable.ts'

/** 10 MiB a run. A power of two: a record's place in its run takes RUN_BITS of a sort key. */
const RUN_BITS = 18
const RUN_RECORDS = 1 << RUN_BITS
/** Leading bits of a digest in a sort key: with the place 52, which a double holds exactly. */
const PREFIX_BITS = 34
const READ_RECORDS = 1024
const WRITE_RECORDS = 16_384

export interface DigestTable {
  /** Adds the digest of the next sample. */
  push(digest: Uint8Array): void
  /** Resolves when there is room for more. */
  ready(): Promise<void>
  /** The table's bytes, in pieces. */
  records(): AsyncIterable<Uint8Array>
  [Symbol.asyncDispose](): Promise<void>
}

export function createDigestTable(scratchDir: string, runRecords = RUN_RECORDS): DigestTable {
  let run = Buffer.alloc(0)
  let count = 0
  let sampleCount = 0
  let spill: { dir: string; file: FileHandle } | undefined
  const runLengths: number[] = []

  async function spillRun(): Promise<void> {
    if (spill === undefined) {
      const dir = await mkdtemp(join(scratchDir, 'assay-digests-'))
      spill = { dir, file: await open(join(dir, 'runs'), 'wx+') }
    }
    await spill.file.appendFile(sortRun(run, count))
    runLengths.push(count)
    count = 0
  }

  return {
    push(digest) {
      if ((count + 1) * RECORD_BYTES > run.length) {
        const larger = Buffer.alloc(Math.max(run.length * 2, 1024 * RECORD_BYTES))
        run.copy(larger)
        run = larger
      }
      run.set(digest, count * RECORD_BYTES)
      run.writeBigUInt64BE(BigInt(sampleCount), count * RECORD_BYTES + DIGEST_LENGTH)
      count++
      sampleCount++
    },
    async ready() {
      if (count >= runRecords) await spillRun()
    },
    async *records() {
      if (spill === undefined) {
        yield sortRun(run, count)
        return
      }
      if (count > 0) await spillRun()
      yield* mergeRuns(spill.file, runLengths)
    },
    async [Symbol.asyncDispose]() {
      await spill?.file.close()
      if (spill !== undefined) await rm(spill.dir, { recursive: true, force: true })
    },
  }
}

/** Sorts by keys of digest prefix and place, natively; the rare equal prefixes are put right by full comparison. */
function sortRun(records: Buffer, count: number): Buffer {
  const keys = new Float64Array(count)
  // A run may be longer than RUN_RECORDS by the rows of one block; then the prefix gives way.
  const placeFactor = 2 ** Math.max(RUN_BITS, Math.ceil(Math.log2(Math.max(1, count))))
  const prefixDivisor = 2 ** (48 - PREFIX_BITS)
  for (let i = 0; i < count; i++) keys[i] = Math.floor(records.readUIntBE(i * RECORD_BYTES, 6) / prefixDivisor) * placeFactor + i
  keys.sort()
  const places = Array.from(keys, (key) => key % placeFactor)
  for (let i = 1; i < count; i++) {
    for (let j = i; j > 0 && Math.floor(keys[j - 1]! / placeFactor) === Math.floor(keys[i]! / placeFactor); j--) {
      if (compareRecords(records, places[j - 1]!, records, places[j]!) <= 0) break
      ;[places[j - 1], places[j]] = [places[j]!, places[j - 1]!]
    }
  }
  const sorted = Buffer.allocUnsafe(count * RECORD_BYTES)
  places.forEach((place, i) => records.copy(sorted, i * RECORD_BYTES, place * RECORD_BYTES, (place + 1) * RECORD_BYTES))
  return sorted
}

function compareRecords(a: Buffer, i: number, b: Buffer, j: number): number {
  return a.compare(b, j * RECORD_BYTES, (j + 1) * RECORD_BYTES, i * RECORD_BYTES, (i + 1) * RECORD_BYTES)
}

interface RunCursor {
  bytes: Buffer
  at: number
  nextByte: number
  endByte: number
}

/** Merges sorted runs that lie one after another in a file, with a binary heap of their heads. */
async function* mergeRuns(file: FileHandle, runLengths: readonly number[]): AsyncGenerator<Uint8Array> {
  const heap: RunCursor[] = []
  let start = 0
  for (const length of runLengths) {
    const cursor: RunCursor = { bytes: Buffer.alloc(0), at: 0, nextByte: start, endByte: start + length * RECORD_BYTES }
    start = cursor.endByte
    if (await refill(file, cursor)) heap.push(cursor)
  }
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) siftDown(heap, i)

  let out = Buffer.allocUnsafe(WRITE_RECORDS * RECORD_BYTES)
  let filled = 0
  while (heap.length > 0) {
    const head = heap[0]!
    head.bytes.copy(out, filled, head.at * RECORD_BYTES, (head.at + 1) * RECORD_BYTES)
    filled += RECORD_BYTES
    head.at++
    if (head.at * RECORD_BYTES === head.bytes.length && !(await refill(file, head))) {
      const last = heap.pop()!
      if (heap.length > 0) heap[0] = last
    }
    siftDown(heap, 0)
    if (filled === out.length) {
      yield out
      out = Buffer.allocUnsafe(WRITE_RECORDS * RECORD_BYTES)
      filled = 0
    }
  }
  if (filled > 0) yield out.subarray(0, filled)
}

async function refill(file: FileHandle, cursor: RunCursor): Promise<boolean> {
  const length = Math.min(READ_RECORDS * RECORD_BYTES, cursor.endByte - cursor.nextByte)
  if (length === 0) return false
  const bytes = Buffer.allocUnsafe(length)
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, cursor.nextByte + filled)
    if (bytesRead === 0) throw new Error('the temporary file of digests is shorter than what was written to it')
    filled += bytesRead
  }
  cursor.bytes = bytes
  cursor.at = 0
  cursor.nextByte += length
  return true
}

function siftDown(heap: RunCursor[], from: number): void {
  for (let parent = from; ;) {
    let least = parent
    for (const child of [2 * parent + 1, 2 * parent + 2])
      if (child < heap.length && compareRecords(heap[child]!.bytes, heap[child]!.at, heap[least]!.bytes, heap[least]!.at) < 0) least = child
    if (least === parent) return
    ;[heap[parent], heap[least]] = [heap[least]!, heap[parent]!]
    parent = least
  }
}

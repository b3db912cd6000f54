/**
 * Where the samples of an index occurred before: for each sample an index of a list of sources and its number there. Found by one pass
 * over both digest tables for each source. At rest a file of 8-byte records, one a sample: u16 place of the source, u48 sample number,
 * big-endian; all ones where the sample is new.
 */
import type { CID } from '../../core/cid.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { DIGEST_LENGTH } from '../../core/hash.ts'
import type { Blocks } from '../../store/blocks.ts'
import { digestRecords, RECORD_BYTES, sampleOf } from '../../store/digestTable.ts'

const ORIGIN_BYTES = 8
const NEW = 0xffff
export const MAX_SOURCES = 64

export interface Origin {
  /** Place in the list of sources. */
  source: number
  sample: number
}

/** Origins of consecutive samples. */
export class Origins {
  readonly #view: DataView<ArrayBuffer>
  readonly count: number

  /** Of `count` new samples, or those in a file's bytes. */
  constructor(from: number | Uint8Array) {
    const bytes = typeof from === 'number' ? new Uint8Array(from * ORIGIN_BYTES).fill(0xff) : new Uint8Array(from)
    this.#view = new DataView(bytes.buffer)
    this.count = bytes.length / ORIGIN_BYTES
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer)
  }

  at(row: number): Origin | null {
    const source = this.#view.getUint16(row * ORIGIN_BYTES)
    if (source === NEW) return null
    return { source, sample: this.#view.getUint16(row * ORIGIN_BYTES + 2) * 2 ** 32 + this.#view.getUint32(row * ORIGIN_BYTES + 4) }
  }

  isNew(row: number): boolean {
    return this.#view.getUint16(row * ORIGIN_BYTES) === NEW
  }

  set(row: number, { source, sample }: Origin): void {
    this.#view.setUint16(row * ORIGIN_BYTES, source)
    this.#view.setUint16(row * ORIGIN_BYTES + 2, Math.floor(sample / 2 ** 32))
    this.#view.setUint32(row * ORIGIN_BYTES + 4, sample >>> 0)
  }
}

/** Reads the origins of the samples `from` … `from + count − 1`. */
export async function loadOrigins(blocks: Blocks, file: CID, from: number, count: number): Promise<Origins> {
  const pieces = await Array.fromAsync(blocks.readFile(file, { offset: from * ORIGIN_BYTES, length: count * ORIGIN_BYTES }))
  const origins = new Origins(Buffer.concat(pieces))
  if (origins.count !== count) throw new RangeError(`the origins ${file.toString()} end after sample ${from + origins.count}`)
  return origins
}

/** The samples of `index` that `source`, at `place` of the list, has too: sets the origins of those that had none, and says how many. */
export async function findIn(
  blocks: Blocks,
  index: Pick<SampleIndex, 'digestTable'>,
  source: Pick<SampleIndex, 'digestTable'>,
  { origins, place, signal }: { origins: Origins; place: number; signal: AbortSignal },
): Promise<number> {
  const theirs = cursorOf(digestRecords(blocks, source.digestTable, signal))
  let found = 0
  if (!(await theirs.advance())) return found
  for await (const records of digestRecords(blocks, index.digestTable, signal))
    for (let offset = 0; offset < records.byteLength; offset += RECORD_BYTES) {
      let order = compareDigests(theirs.records, theirs.offset, records, offset)
      while (order < 0) {
        if (!theirs.step() && !(await theirs.advance())) return found
        order = compareDigests(theirs.records, theirs.offset, records, offset)
      }
      const sample = sampleOf(records, offset)
      if (order > 0 || !origins.isNew(sample)) continue
      origins.set(sample, { source: place, sample: sampleOf(theirs.records, theirs.offset) })
      found++
    }
  return found
}

/** A place in a table. `step` moves on among the records in memory; where it says false, `advance` reads more. */
function cursorOf(table: AsyncGenerator<DataView<ArrayBuffer>>) {
  const cursor = {
    records: new DataView(new ArrayBuffer(0)),
    offset: 0,
    step(): boolean {
      cursor.offset += RECORD_BYTES
      return cursor.offset < cursor.records.byteLength
    },
    async advance(): Promise<boolean> {
      const next = await table.next()
      if (next.done === true) return false
      cursor.records = next.value
      cursor.offset = 0
      return true
    },
  }
  return cursor
}

function compareDigests(a: DataView, offsetA: number, b: DataView, offsetB: number): number {
  for (let i = 0; i < DIGEST_LENGTH; i += 4) {
    const difference = a.getUint32(offsetA + i) - b.getUint32(offsetB + i)
    if (difference !== 0) return difference
  }
  return 0
}

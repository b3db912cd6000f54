/**
 * Checks of a Parquet page before the decoder gets it. A few bytes can announce billions of values (a run length, a shared prefix), and
 * the decoder writes out whatever is announced. Everything here is attacker-controlled.
 */
import { crc32 } from 'node:zlib'
import type { ColumnMetaData, PageHeader, SchemaTree } from 'hyparquet'
import { decompressPage } from 'hyparquet/src/datapage.js'
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js'
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js'
import { readVarInt } from 'hyparquet/src/thrift.js'
import { COMPRESSORS } from './parquetCodecs.ts'

/** Far above what writers make (about 1 MiB, 20,000 values). */
export const MAX_PAGE_BYTES = 256 * 1024 * 1024
const MAX_PAGE_VALUES = 1 << 24
/** Bit-packed runs are padded to 8 values; writers may pad to a whole block. */
const PADDING_VALUES = 512

interface Reader {
  view: DataView
  offset: number
}

/**
 * The page with its bytes decompressed and its header saying so, after all checks. Throws a RangeError for a page that contradicts
 * itself or is too large, and what the decompressor throws.
 */
export function guardedPage(
  header: PageHeader,
  bytes: Uint8Array,
  { codec, type }: ColumnMetaData,
  schemaPath: SchemaTree[],
): { header: PageHeader; bytes: Uint8Array } {
  const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header
  const valueCount = (v1 ?? v2 ?? dictionary)?.num_values
  if (valueCount === undefined || !(valueCount >= 0 && valueCount <= MAX_PAGE_VALUES))
    throw new RangeError(`a page of ${valueCount} values`)
  const sizeBytes = header.uncompressed_page_size
  if (!(sizeBytes >= 0 && sizeBytes <= MAX_PAGE_BYTES)) throw new RangeError(`a page of ${sizeBytes} bytes`)
  if (header.crc !== undefined && crc32(bytes) !== header.crc >>> 0) throw new RangeError('a page with a wrong checksum')

  const levelBytes = v2 === undefined ? 0 : v2.repetition_levels_byte_length + v2.definition_levels_byte_length
  if (!(levelBytes >= 0 && levelBytes <= Math.min(sizeBytes, bytes.length))) throw new RangeError('levels beyond their page')
  const compressed = bytes.subarray(levelBytes)
  const plain = v2?.is_compressed === false ? compressed : decompressPage(compressed, sizeBytes - levelBytes, codec, COMPRESSORS)
  const page = new Uint8Array(levelBytes + plain.length)
  page.set(bytes.subarray(0, levelBytes))
  page.set(plain, levelBytes)

  if (v1 !== undefined || v2 !== undefined) {
    const reader = { view: new DataView(page.buffer), offset: 0 }
    checkLevels(reader, getMaxRepetitionLevel(schemaPath), valueCount, v2?.repetition_levels_byte_length)
    checkLevels(reader, getMaxDefinitionLevel(schemaPath), valueCount, v2?.definition_levels_byte_length)
    reader.offset = v2 === undefined ? reader.offset : levelBytes
    checkValues(reader, (v1 ?? v2)!.encoding, type, valueCount)
  }
  const plainHeader = { ...header, compressed_page_size: page.length, uncompressed_page_size: page.length }
  if (v2 !== undefined) plainHeader.data_page_header_v2 = { ...v2, is_compressed: false }
  return { header: plainHeader, bytes: page }
}

/** Levels are runs; in the first page format their length stands before them. */
function checkLevels(reader: Reader, maxLevel: number, valueCount: number, lengthBytes: number | undefined): void {
  if (maxLevel === 0) return
  const length = lengthBytes ?? reader.view.getUint32(reader.offset, true)
  const start = reader.offset + (lengthBytes === undefined ? 4 : 0)
  checkRuns({ view: reader.view, offset: start }, start + length, 32 - Math.clz32(maxLevel), valueCount)
  reader.offset = start + length
}

function checkValues(reader: Reader, encoding: string, type: string, valueCount: number): void {
  const end = reader.view.byteLength
  if (encoding === 'RLE' && type === 'BOOLEAN') {
    checkRuns({ view: reader.view, offset: reader.offset + 4 }, end, 1, valueCount)
  } else if (encoding === 'RLE' || encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    if (reader.offset < end)
      checkRuns({ view: reader.view, offset: reader.offset + 1 }, end, reader.view.getUint8(reader.offset), valueCount)
  } else if (encoding === 'DELTA_BYTE_ARRAY' && reader.offset < end) {
    // Each value repeats a prefix of the one before it: the whole may be far larger than the page.
    const lengths = { view: reader.view, offset: reader.offset }
    const announced = Math.min(valueCount, deltaCount({ ...lengths }))
    const prefixes = new Int32Array(announced)
    if (announced > 0) deltaBinaryUnpack(lengths, announced, prefixes)
    const totalBytes = prefixes.reduce((sum, prefix) => sum + prefix, 0)
    if (totalBytes > MAX_PAGE_BYTES) throw new RangeError(`a page that grows to ${totalBytes} bytes`)
  }
}

/** The number of values that a delta encoding says it holds. */
function deltaCount(reader: Reader): number {
  readVarInt(reader)
  readVarInt(reader)
  return readVarInt(reader) >>> 0
}

/** Walks the runs of the RLE and bit-packing hybrid without writing them out. */
function checkRuns(reader: Reader, end: number, bitWidth: number, valueCount: number): void {
  if (bitWidth > 32 || end > reader.view.byteLength) throw new RangeError('runs beyond their page')
  for (let seen = 0; seen < valueCount && reader.offset < end;) {
    const header = readVarInt(reader)
    const packed = (header & 1) === 1
    const count = packed ? (header >>> 1) * 8 : header >>> 1
    reader.offset += packed ? (header >>> 1) * bitWidth : Math.ceil(bitWidth / 8)
    seen += count
    if (seen > valueCount + (packed ? PADDING_VALUES : 0)) throw new RangeError(`a run of ${count} values in a page of ${valueCount}`)
  }
}

/**
 * Arrow IPC files (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format) read by ranges: the footer first, then any record
 * batch for itself, so that a file of any size is read in the memory of one batch.
 */
import type { FileHandle } from 'node:fs/promises'
import { type AsyncRecordBatchFileReader, RecordBatchReader } from 'apache-arrow'

/** Reads exactly these bytes; throws when they are not there. */
export type ReadRange = (offsetBytes: number, lengthBytes: number) => Promise<Uint8Array>

const MAGIC = 'ARROW1'
/** Footer length (int32) and magic. */
const TAIL_BYTES = 10
const MAX_FOOTER_BYTES = 64 * 1024 * 1024

/** Whether the bytes at the start of a file are those of an Arrow IPC file; a stream has no magic. */
export function isArrowFile(head: Uint8Array): boolean {
  return String.fromCharCode(...head.subarray(0, MAGIC.length)) === MAGIC
}

/** The footer of an Arrow file. Throws `RangeError` for what is not a whole Arrow file. */
export async function readArrowFooter(sizeBytes: number, readRange: ReadRange): Promise<Uint8Array> {
  if (sizeBytes < TAIL_BYTES + 8) throw new RangeError('too short')
  const tail = await readRange(sizeBytes - TAIL_BYTES, TAIL_BYTES)
  if (!isArrowFile(tail.subarray(4))) throw new RangeError(`it does not end with "${MAGIC}"`)
  const footerBytes = new DataView(tail.buffer, tail.byteOffset).getInt32(0, true)
  if (footerBytes <= 0 || footerBytes > MAX_FOOTER_BYTES || footerBytes > sizeBytes - TAIL_BYTES - 8)
    throw new RangeError(`a footer of ${footerBytes} bytes`)
  return readRange(sizeBytes - TAIL_BYTES - footerBytes, footerBytes)
}

/**
 * Opens an Arrow file whose footer `readArrowFooter` accepts. The reader's batches are read one after another, never at once. The library
 * believes the lengths in the file: what comes from outside is checked first.
 */
export async function openArrowFile(sizeBytes: number, readRange: ReadRange): Promise<AsyncRecordBatchFileReader> {
  const handle = {
    fd: -1,
    stat: () => Promise.resolve({ size: sizeBytes }),
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      const bytes = await readRange(position, length)
      buffer.set(bytes, offset)
      return { bytesRead: bytes.length, buffer }
    },
    close: () => Promise.resolve(),
  }
  // The library uses no more of a FileHandle than this.
  const reader = await RecordBatchReader.from(handle as unknown as FileHandle)
  await reader.open()
  return reader as AsyncRecordBatchFileReader
}

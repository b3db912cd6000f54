/** Vectors at half precision in a file: read into memory that threads share. */
import type { FileHandle } from 'node:fs/promises'

export interface HalvesFile extends AsyncDisposable {
  /** Puts rows in their places, from `first` on. */
  write(first: number, rows: Float16Array): Promise<void>
  /** Reads rows to the beginning of `into`. Throws when they were not written. */
  read(first: number, count: number, into: SharedArrayBuffer): Promise<void>
}

const BYTES = 2
/** Of one call. */
const READ_BYTES = 64 * 1024 * 1024

/** Takes over an open file. */
export function openHalvesFile(file: FileHandle, dimensions: number): HalvesFile {
  const rowBytes = dimensions * BYTES
  return {
    async write(first, rows) {
      const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)
      for (let done = 0; done < bytes.length;)
        done += (await file.write(bytes, done, bytes.length - done, first * rowBytes + done)).bytesWritten
    },
    async read(first, count, into) {
      const bytes = new Uint8Array(into, 0, count * rowBytes)
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await file.read(bytes, done, Math.min(READ_BYTES, bytes.length - done), first * rowBytes + done)
        if (bytesRead === 0) throw new Error('the file of vectors has become shorter')
        done += bytesRead
      }
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

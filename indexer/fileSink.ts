/** A UnixFS file that is written while it is made: pieces go to the blocks as they come, and wait when the disk is behind. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Blocks, ImportedFile } from '../store/blocks.ts'

const BUFFER_BYTES = 4 * 1024 * 1024

export interface FileSink {
  /** Takes over the bytes; the caller must not change them afterwards. */
  write(bytes: Uint8Array): void
  /** Resolves when there is room for more. Throws what the blocks threw. */
  ready(): Promise<void>
  finish(): Promise<ImportedFile>
  /** Gives the file up; nothing of it is kept. */
  abort(): Promise<void>
}

export function createFileSink(blocks: Blocks): FileSink {
  const stream = new PassThrough({ highWaterMark: BUFFER_BYTES })
  let fault: { error: unknown } | undefined
  const stored = blocks.importFile(stream)
  stored.catch((error: unknown) => {
    fault = { error }
    stream.destroy()
  })
  // A stream that is given up ends its import with an error, which `stored` brings.
  stream.on('error', () => {})
  return {
    write: (bytes) => void stream.write(bytes),
    async ready() {
      if (stream.writableNeedDrain) await Promise.race([once(stream, 'drain'), stored])
      if (fault !== undefined) throw fault.error
    },
    finish() {
      stream.end()
      return stored
    },
    async abort() {
      stream.destroy(new Error('the index is given up'))
      await stored.catch(() => {})
    },
  }
}

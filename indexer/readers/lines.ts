/** Lines of UTF-8 text, plain, gzip (RFC 1952) or Zstandard (RFC 8878), in blocks that bound memory. */
import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Problem } from '../../core/problem.ts'
import type { ReaderOptions, SourceFile } from './reader.ts'

export const MAX_LINE_BYTES = 16 * 1024 * 1024

/** Compressed input may grow this much, or to this size, whichever is more; a bomb grows further. */
const MAX_EXPANSION = 200
const MAX_UNSUSPECTED_BYTES = 1024 * 1024 * 1024
const PIECE_BYTES = 1024 * 1024

export interface LineBlock {
  /** Number of the first line, from 1. */
  readonly firstLine: number
  /** Without their line feed; a carriage return before it is left to the reader. */
  readonly lines: string[]
}

/** Every extension as it is and with the endings of the compressions that `lineBlocks` undoes. */
export function withCompression(...extensions: string[]): string[] {
  return extensions.flatMap((extension) => [extension, `${extension}.gz`, `${extension}.zst`])
}

/** The file's name without the ending of its compression. */
export function uncompressedName(path: string): string {
  return path.replace(/\.(gz|zst)$/i, '')
}

/**
 * The file's lines. Throws `invalid-file` for bytes that are not UTF-8, for a line over 16 MiB, for damaged compression and for
 * output over 200 times the input (once it passes 1 GiB). A byte-order mark at the start is left out.
 */
export async function* lineBlocks(file: SourceFile, options: ReaderOptions): AsyncGenerator<LineBlock> {
  let firstLine = 1
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  for await (const piece of decompressed(file, options.signal)) {
    const end = piece.lastIndexOf(0x0a)
    pending.push(end < 0 ? piece : piece.subarray(0, end))
    pendingBytes += end < 0 ? piece.length : end
    if (end >= 0) {
      const block = splitLines(file, Buffer.concat(pending, pendingBytes), firstLine)
      pending = [piece.subarray(end + 1)]
      pendingBytes = piece.length - end - 1
      firstLine += block.lines.length
      yield block
    } else if (pendingBytes > MAX_LINE_BYTES) throw tooLong(file, firstLine)
  }
  if (pendingBytes > 0) yield splitLines(file, Buffer.concat(pending, pendingBytes), firstLine)
}

function splitLines(file: SourceFile, bytes: Buffer, firstLine: number): LineBlock {
  let start = firstLine === 1 && bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const valid = isUtf8(bytes)
  const lines: string[] = []
  for (;;) {
    const found = bytes.indexOf(0x0a, start)
    const end = found < 0 ? bytes.length : found
    if (end - start > MAX_LINE_BYTES) throw tooLong(file, firstLine + lines.length)
    if (!valid && !isUtf8(bytes.subarray(start, end)))
      throw new Problem('invalid-file', `${file.path} row ${firstLine + lines.length}: not UTF-8; convert the file to UTF-8`)
    lines.push(bytes.toString('utf8', start, end))
    if (found < 0) return { firstLine, lines }
    start = found + 1
  }
}

function tooLong(file: SourceFile, line: number): Problem {
  return new Problem('invalid-file', `${file.path} row ${line}: a line may have at most ${MAX_LINE_BYTES} bytes`)
}

/** The file's bytes, decompressed where its name says so. Throws `invalid-file` for damage and for what grows too far. */
export async function* decompressed(file: SourceFile, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const name = file.path.toLowerCase()
  if (!name.endsWith('.gz') && !name.endsWith('.zst')) {
    for await (const piece of file.bytes()) {
      signal.throwIfAborted()
      yield piece
    }
    return
  }
  const limitBytes = Math.max(MAX_UNSUSPECTED_BYTES, file.sizeBytes * MAX_EXPANSION)
  const source = Readable.from(file.bytes(), { objectMode: false, highWaterMark: PIECE_BYTES })
  const inflate = name.endsWith('.gz') ? createGunzip({ chunkSize: PIECE_BYTES }) : createZstdDecompress({ chunkSize: PIECE_BYTES })
  let sourceFault: unknown
  source.on('error', (error) => {
    sourceFault = error
    inflate.destroy(error)
  })
  let bytes = 0
  try {
    for await (const piece of source.pipe(inflate) as AsyncIterable<Uint8Array>) {
      signal.throwIfAborted()
      bytes += piece.length
      if (bytes > limitBytes)
        throw new Problem('invalid-file', `${file.path}: grows to more than ${limitBytes} bytes when decompressed; publish it uncompressed`)
      yield piece
    }
  } catch (cause) {
    // What the store or the caller threw goes on as it is; what the decompressor threw is the file's fault.
    if (cause === sourceFault || cause instanceof Problem || signal.aborted) throw cause
    if (cause instanceof Error && 'code' in cause)
      throw new Problem('invalid-file', `${file.path}: damaged or truncated compression (${cause.message})`, { cause })
    throw cause
  } finally {
    source.destroy()
    inflate.destroy()
  }
}

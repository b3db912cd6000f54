/** Neighbours of many samples, written once and read as often as need be: in memory while they are few, in a file when they are not. */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NeighbourBlock, Neighbours } from '../detectors/detector.ts'

export interface NeighbourSpool extends Neighbours, AsyncDisposable {
  /** Blocks come in the order of their samples. */
  write(block: NeighbourBlock): Promise<void>
}

const MEMORY_BYTES = 256 * 2 ** 20

/** A spool for lists of `k`, with a file in the system's temporary directory once there are more than `memoryBytes`. */
export function createNeighbourSpool(k: number, memoryBytes = MEMORY_BYTES): NeighbourSpool {
  const kept: NeighbourBlock[] = []
  const filed: { first: number; count: number; offset: number }[] = []
  let bytes = 0
  let fileBytes = 0
  let file: { handle: FileHandle; path: string } | undefined
  return {
    k,
    async write(block) {
      const sizeBytes = block.samples.byteLength + block.similarities.byteLength
      if (bytes + sizeBytes <= memoryBytes && filed.length === 0) {
        bytes += sizeBytes
        kept.push(block)
        return
      }
      file ??= await openTemporary()
      for (const part of [block.samples, block.similarities])
        await file.handle.write(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
      filed.push({ first: block.first, count: block.count, offset: fileBytes })
      fileBytes += sizeBytes
    },
    async *blocks() {
      yield* kept
      for (const { first, count, offset } of filed) {
        const samples = new Int32Array(count * k)
        const similarities = new Float32Array(count * k)
        await readFully(file!.handle, samples, offset)
        await readFully(file!.handle, similarities, offset + samples.byteLength)
        yield { first, count, samples, similarities }
      }
    },
    async [Symbol.asyncDispose]() {
      if (file === undefined) return
      await file.handle.close()
      await rm(file.path, { force: true })
    },
  }
}

async function openTemporary(): Promise<{ handle: FileHandle; path: string }> {
  const path = join(tmpdir(), `assay-neighbours-${randomUUID()}`)
  return { handle: await open(path, 'wx+', 0o600), path }
}

async function readFully(handle: FileHandle, into: Int32Array | Float32Array, position: number): Promise<void> {
  const target = new Uint8Array(into.buffer, into.byteOffset, into.byteLength)
  const { bytesRead } = await handle.read(target, 0, target.length, position)
  if (bytesRead !== target.length) throw new Error('the file of neighbours has become shorter')
}

/** Images as they come, to thumbnails in a table: decoded in threads, a few at a time, so that their bytes are not held. */
import { availableParallelism } from 'node:os'
import { Problem } from '../../core/problem.ts'
import { openWorkers, type WorkerPool } from '../embedding/workers.ts'
import { createImageTable, type ImageTableParts, putImage } from './imageTable.ts'
import type { Thumbnail } from './thumbnail.ts'

export interface ImageReader extends AsyncDisposable {
  /** Takes the bytes of a sample's image; resolves when there is room for the next. */
  add(sample: number, bytes: Uint8Array): Promise<void>
  /** Resolves when all that was taken is in the table. */
  finish(): Promise<ImageTableParts>
}

/** Each may hold the largest image that is read, and what it is made of. */
const MAX_THREADS = 4
/** Images that wait at a thread for each that is decoded there, so that no thread waits for us. */
const AHEAD = 4
/** Their bytes together: of more only one is taken at a time. */
const AHEAD_BYTES = 64 * 1024 * 1024

/** A reader into a table of `count` samples. Threads start with the first image. */
export function createImageReader(count: number, threads = Math.min(MAX_THREADS, availableParallelism())): ImageReader {
  const table = createImageTable(count)
  const running = new Set<Promise<void>>()
  let workers: Promise<WorkerPool<Uint8Array, Thumbnail>> | undefined
  let runningBytes = 0
  let failure: { error: unknown } | undefined

  async function read(pool: WorkerPool<Uint8Array, Thumbnail>, sample: number, bytes: Uint8Array): Promise<void> {
    try {
      // A copy that is handed over: the batch in which the bytes lie stays here.
      const own = new Uint8Array(bytes)
      putImage(table, sample, await pool.run(own, [own.buffer]))
    } catch (error) {
      if (error instanceof Problem) putImage(table, sample, null)
      else failure ??= { error }
    }
  }

  return {
    async add(sample, bytes) {
      workers ??= openWorkers(new URL('./thumbnailWorker.ts', import.meta.url), null, threads)
      const pool = await workers
      while (running.size > 0 && (running.size >= threads * AHEAD || runningBytes + bytes.length > AHEAD_BYTES)) await Promise.race(running)
      if (failure !== undefined) throw failure.error
      runningBytes += bytes.length
      const reading = read(pool, sample, bytes).then(() => {
        runningBytes -= bytes.length
        running.delete(reading)
      })
      running.add(reading)
    },
    async finish() {
      await Promise.all(running)
      if (failure !== undefined) throw failure.error
      return table
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running)
      await (await workers?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}

/** The last checkpoint that this installation let out, in a file beside its keys: what a restored database is held against. */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What remembers a checkpoint where the database cannot forget it. */
export interface CheckpointMemory {
  /** The signed note; null before the first. */
  read(): Promise<Uint8Array | null>
  /** Durable when it returns. */
  write(checkpoint: Uint8Array): Promise<void>
}

/** Order of writes: the new file, its name, the folder's entry. A crash leaves the old checkpoint or the new one. */
export function checkpointFile(path: string): CheckpointMemory {
  return {
    read: async () =>
      readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null
        throw error
      }),
    async write(checkpoint) {
      const temporary = `${path}.${randomUUID()}`
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      try {
        {
          await using file = await open(temporary, 'wx', 0o644)
          await file.writeFile(checkpoint)
          await file.sync()
        }
        await rename(temporary, path)
      } finally {
        await rm(temporary, { force: true })
      }
      await using folder = await open(dirname(path))
      await folder.sync()
    },
  }
}

/** For logs that live no longer than their process. */
export function memoryCheckpoint(): CheckpointMemory {
  let kept: Uint8Array | null = null
  return {
    read: async () => Promise.resolve(kept),
    write: async (checkpoint) => {
      kept = checkpoint
      return Promise.resolve()
    },
  }
}

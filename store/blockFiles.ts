/**
 * A file for each block, named by its multihash, as an IPFS blockstore. Several processes may share the directory.
 *
 *     staging/<random>            blocks of imports that have not succeeded yet
 *     blocks/<xx>/<multihash>     blocks; the multihash in base32, xx its last two characters
 *
 * A block enters `blocks/` by a rename, so it is there whole or not at all, and nothing in `blocks/` is ever changed or removed on behalf
 * of an import that failed: two imports that share a block cannot harm each other. What is durable when (with `fsync`): the bytes of a
 * staged block before its rename, the rename before `put` or `commit` returns; the latter also for blocks that were already there, whose
 * own rename may be someone else's and a moment old. Without `fsync` all of this survives the death of the process, but not a power cut.
 */
import { randomUUID } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BaseBlockstore } from 'blockstore-core/base'
import type { InputPair, Pair } from 'interface-blockstore'
import { base32 } from 'multiformats/bases/base32'
import * as Digest from 'multiformats/hashes/digest'
import { concatBytes, equalBytes } from '../core/bytes.ts'
import { CID, CODEC_RAW } from '../core/cid.ts'

/** Blocks that become part of a store together, or not at all. */
export interface StagedBlocks {
  put(cid: CID, bytes: Uint8Array): Promise<void>
  /** Makes all of them part of the store; durable when it returns. */
  commit(): Promise<void>
  /** Drops them. Harmless after a commit. */
  discard(): Promise<void>
}

/** Where Blocks keep their bytes: an IPFS blockstore that can also take many blocks at once. Reads are not verified here. */
export interface StagingBlockstore {
  /** The stored bytes; null when there are none. */
  read(cid: CID): Promise<Uint8Array | null>
  has(cid: CID): Promise<boolean>
  stage(): StagedBlocks
}

/** Staged blocks of an import that takes longer than this are taken for those of a process that died. */
const STAGING_MS = 24 * 60 * 60 * 1000

const CONCURRENT_FILES = 16

export class BlockFiles extends BaseBlockstore implements StagingBlockstore {
  readonly #dir: string
  readonly #fsync: boolean

  private constructor(dir: string, fsync: boolean) {
    super()
    this.#dir = dir
    this.#fsync = fsync
  }

  /** Opens the directory, makes it if need be, and clears away what dead processes left in its staging area. */
  static async open(dir: string, { fsync = true } = {}): Promise<BlockFiles> {
    const staging = join(dir, 'staging')
    await mkdir(staging, { recursive: true })
    await mkdir(join(dir, 'blocks'), { recursive: true })
    for (const name of await readdir(staging)) {
      const found = await stat(join(staging, name)).catch(() => null)
      if (found !== null && Date.now() - found.mtimeMs > STAGING_MS) await rm(join(staging, name), { force: true })
    }
    return new BlockFiles(dir, fsync)
  }

  /** The file of a block. */
  pathOf(cid: CID): string {
    const name = base32.encode(cid.multihash.bytes)
    return join(this.#dir, 'blocks', name.slice(-2), name)
  }

  async read(cid: CID): Promise<Uint8Array | null> {
    return readFile(this.pathOf(cid)).catch(orNull)
  }

  override async has(cid: CID): Promise<boolean> {
    return (await stat(this.pathOf(cid)).catch(orNull)) !== null
  }

  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    const bytes = await this.read(cid)
    if (bytes === null) throw Object.assign(new Error(`block ${cid.toString()} is not in the store`), { name: 'NotFoundError' })
    yield bytes
  }

  override async put(cid: CID, block: InputPair['bytes']): Promise<CID> {
    const bytes = block instanceof Uint8Array ? block : concatBytes(...(await Array.fromAsync(block)))
    const staged = this.stage()
    try {
      await staged.put(cid, bytes)
      await staged.commit()
    } finally {
      await staged.discard()
    }
    return cid
  }

  override async delete(cid: CID): Promise<void> {
    await rm(this.pathOf(cid), { force: true })
  }

  override async *getAll(): AsyncGenerator<Pair> {
    for (const folder of await readdir(join(this.#dir, 'blocks'), { withFileTypes: true }))
      for (const name of await namesIn(join(this.#dir, 'blocks'), folder)) {
        const cid = CID.createV1(CODEC_RAW, Digest.decode(base32.decode(name)))
        yield { cid, bytes: this.get(cid) }
      }
  }

  stage(): StagedBlocks {
    /** Final path → staged path; null for a block that is there already. */
    const staged = new Map<string, string | null>()
    const folders = new Set<string>()
    return {
      put: async (cid, bytes) => {
        const path = this.pathOf(cid)
        if (staged.has(path)) return
        staged.set(path, null)
        folders.add(join(path, '..'))
        if (await hasContent(path, bytes)) return
        const temporary = join(this.#dir, 'staging', randomUUID())
        staged.set(path, temporary)
        await this.#write(temporary, bytes)
      },
      commit: async () => {
        let made = false
        await forEach(folders, async (folder) => {
          if ((await mkdir(folder, { recursive: true })) !== undefined) made = true
        })
        await forEach(staged, async ([path, temporary]) => {
          if (temporary !== null) await rename(temporary, path)
          staged.set(path, null)
        })
        if (!this.#fsync) return
        if (made) folders.add(join(this.#dir, 'blocks'))
        await forEach(folders, syncFolder)
      },
      discard: async () => {
        await forEach(staged.values(), async (temporary) => {
          if (temporary !== null) await rm(temporary, { force: true })
        })
        staged.clear()
      },
    }
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    await using file = await open(path, 'wx', 0o644)
    await file.writeFile(bytes)
    if (this.#fsync) await file.datasync()
  }
}

/** Whether the file holds exactly these bytes: a damaged block is written anew. */
async function hasContent(path: string, bytes: Uint8Array): Promise<boolean> {
  const found = await stat(path).catch(orNull)
  if (found === null || found.size !== bytes.length) return false
  const stored = await readFile(path).catch(orNull)
  return stored !== null && equalBytes(stored, bytes)
}

async function namesIn(parent: string, folder: Dirent): Promise<string[]> {
  return folder.isDirectory() ? readdir(join(parent, folder.name)) : []
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  await folder.sync()
}

/** Runs `action` for each item, CONCURRENT_FILES at a time; throws the first error after all that began have ended. */
async function forEach<T>(items: Iterable<T>, action: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const workers = Array.from({ length: CONCURRENT_FILES }, async () => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await action(next.value)
  })
  for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason
}

function orNull(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

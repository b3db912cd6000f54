/**
 * Blocks: every byte that Assay keeps, by CID. Behind this interface stands a Helia node over a store of block files; its pins are in
 * Postgres, so that the processes of one installation share them.
 *
 * What is durable when: `put`, `importFile`, `importBytes` and `importDirectory` return after their blocks are on disk (blockFiles.ts says
 * how), `pin` after its transaction is committed. Until then a crash leaves nothing but blocks that nobody names. So whoever writes
 * first imports, then pins, then names the CID in Postgres (documents.ts, files.ts), and only then answers.
 */
import { createHash, hash as nodeHash } from 'node:crypto'
import type { Helia } from '@helia/interface'

import { type CID, blockMatches, cidOf, CODEC_DAG_JSON } from '../core/cid.ts'
import { DIGEST_LENGTH, type Sha256 } from '../core/hash.ts'
import { Problem } from '../core/problem.ts'
import { buildDirectory, type DirectoryEntry } from '../core/unixfs/directory.ts'
import { CHUNK_BYTES, createFileBuilder } from '../core/unixfs/file.ts'
import { fileSize, readFileRange } from '../core/unixfs/reader.ts'
import { BlockFiles, type StagingBlockstore } from './blockFiles.ts'
import type { Database } from './database.ts'
import { PostgresDatastore, type TransactionalDatastore } from './datastore.ts'
import { MemoryBlocks } from './memoryBlocks.ts'
import { MemoryTransactions } from './memoryDatastore.ts'
import type { Network, NetworkOptions } from './network.ts'
import { createPins } from './pins.ts'
import type { RemoteBlocks } from './remoteBlocks.ts'

export interface ImportedFile {
  /** Root of the file's UnixFS DAG under the profile unixfs-v1-2025. */
  cid: CID
  sizeBytes: number
  /** Of the whole file, 64 hexadecimal digits. */
  sha256: string
}

export interface Blocks {
  /** Native SHA-256, for others who hash much. */
  readonly hash: Sha256
  /** A block's bytes, verified against its CID. Throws `block-missing` or `block-corrupt`. */
  get(cid: CID): Promise<Uint8Array>
  has(cid: CID): Promise<boolean>
  /** Stores a block; durable when it returns. */
  put(codec: number, bytes: Uint8Array): Promise<CID>
  /**
   * Takes in a file as UnixFS; durable when it returns. Throws `cid-mismatch` if `expected` is given and is not what the bytes make;
   * then, and when the source or the disk fails, none of its blocks become part of the store. The source must not write again to the
   * bytes that it has handed over.
   */
  importFile(source: AsyncIterable<Uint8Array>, options?: { expected?: CID; signal?: AbortSignal }): Promise<ImportedFile>
  importBytes(bytes: Uint8Array): Promise<ImportedFile>
  /** Builds the directory of these files and stores its nodes. The files themselves need not be here. */
  importDirectory(files: Iterable<DirectoryEntry>): Promise<CID>
  /** A UnixFS file's bytes from `offset`, `length` of them (default: to the end), every block verified. */
  readFile(cid: CID, options?: { offset?: number; length?: number; signal?: AbortSignal }): AsyncIterable<Uint8Array>
  /** A whole UnixFS file. Throws `too-large` beyond `maxBytes`. */
  readAll(cid: CID, maxBytes: number): Promise<Uint8Array>
  /** Bytes of a UnixFS file. */
  fileSize(cid: CID): Promise<number>
  /**
   * Keeps a block, and everything that it links to unless `recursive` is false. Pinning twice does no harm. Throws `block-missing` when
   * a part is not here. Never call it inside a transaction: it has one of its own.
   */
  pin(cid: CID, options?: { recursive?: boolean }): Promise<void>
  unpin(cid: CID): Promise<void>
  /** Whether the block is pinned, by itself or as a part of something that is. */
  isPinned(cid: CID): Promise<boolean>
  /** Multiaddrs under which peers reach these blocks; none without a network. */
  addresses(): string[]
  [Symbol.asyncDispose](): Promise<void>
}

export interface BlocksOptions {
  /** Directory of the block files; without it blocks live in memory. */
  dir?: string
  /** Where pins are kept, shared by all processes; without it in memory. */
  db?: Database
  /** Default: SHA-256 of node:crypto. */
  hash?: Sha256
  /** Survive a power cut (fsync) and not only the death of the process. Default true. */
  fsync?: boolean
  /** Exchange blocks with peers. Without it no socket is opened and a block that is not here is missing. */
  network?: NetworkOptions
  /** The installation's own blocks, where this process has another disk: what is missing here is read there, what is pinned is sent there. */
  remote?: RemoteBlocks
}

/**
 * SHA-256 by OpenSSL: the same bytes as core's own, many times as fast for large blocks. The digest comes out as text, a byte a
 * character: a buffer from the native side costs more than the hash of a short input, and each row of a data set takes several of those.
 */
export const nativeSha256: Sha256 = (bytes) => {
  const text = nodeHash('sha256', bytes, 'binary')
  const digest = new Uint8Array(DIGEST_LENGTH)
  for (let i = 0; i < DIGEST_LENGTH; i++) digest[i] = text.charCodeAt(i)
  return digest
}

/** Bytes of blocks of one import that may be on their way to the disk at once. */
const IN_FLIGHT_BYTES = 16 * 1024 * 1024

/** Opens the blocks. Throws when the directory cannot be used or a peer of the network cannot be reached. */
export async function openBlocks({ dir, db, hash = nativeSha256, fsync = true, network, remote }: BlocksOptions = {}): Promise<Blocks> {
  const { createHeliaLight } = await import('helia')
  const store = dir === undefined ? new MemoryBlocks() : await BlockFiles.open(dir, { fsync })
  const datastore = db === undefined ? new MemoryTransactions() : new PostgresDatastore(db)
  const helia = createHeliaLight({ blockstore: store, datastore })
  let joined: Network | null = null
  if (network === undefined) await helia.start()
  else joined = await (await import('./network.ts')).startWithNetwork(helia, network)
  return createBlocks({ store, helia, datastore, hash, network: joined, remote: remote ?? null })
}

interface BlockParts {
  store: StagingBlockstore
  helia: Helia
  datastore: TransactionalDatastore
  hash: Sha256
  network: Network | null
  remote: RemoteBlocks | null
}

function createBlocks({ store, helia, datastore, hash, network, remote }: BlockParts): Blocks {
  async function get(cid: CID): Promise<Uint8Array> {
    const bytes = (await store.read(cid)) ?? (await network?.fetch(cid)) ?? (await fetchRemote(cid))
    if (bytes === null) throw new Problem('block-missing', `the block ${cid.toString()} is not here`)
    if (!blockMatches(cid, bytes, hash))
      throw new Problem('block-corrupt', `the block ${cid.toString()} is damaged on this server's disk; publish its file again to mend it`)
    return bytes
  }

  async function putBlock(cid: CID, bytes: Uint8Array): Promise<void> {
    const writer = createWriter(store)
    try {
      writer.write(cid, bytes)
      await writer.commit()
    } finally {
      await writer.discard()
    }
  }

  async function fetchRemote(cid: CID): Promise<Uint8Array | null> {
    const bytes = (await remote?.fetch(cid)) ?? null
    if (bytes === null) return null
    if (!blockMatches(cid, bytes, hash)) throw new Problem('block-corrupt', `the gateway gives other bytes for the block ${cid.toString()}`)
    await putBlock(cid, bytes)
    return bytes
  }

  async function pin(cid: CID, recursive: boolean): Promise<void> {
    if (remote !== null && !(await pins.has(cid))) await sendTo(remote, cid)
    await pins.add(cid, recursive)
  }

  async function sendTo(target: RemoteBlocks, cid: CID): Promise<void> {
    if (cid.code !== CODEC_DAG_JSON) return target.send(cid, { sizeBytes: await fileSize(get, cid), bytes: () => readFileRange(get, cid) })
    const bytes = await get(cid)
    return target.send(cid, { sizeBytes: bytes.length, bytes: () => [bytes] })
  }

  const has = (cid: CID) => store.has(cid)
  const pins = createPins(helia, { get, has }, datastore)

  async function importFile(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { expected, signal }: { expected?: CID; signal?: AbortSignal } = {},
  ): Promise<ImportedFile> {
    const writer = createWriter(store)
    try {
      const whole = createHash('sha256')
      const builder = createFileBuilder({ hash, onBlock: writer.write, chunkBuffer: writer.chunkBuffer })
      for await (const bytes of source) {
        signal?.throwIfAborted()
        for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
          const piece = bytes.subarray(start, start + PIECE_BYTES)
          whole.update(piece)
          builder.push(piece)
          await writer.ready()
        }
      }
      signal?.throwIfAborted()
      const { cid, sizeBytes } = builder.finish()
      if (expected !== undefined && !cid.equals(expected))
        throw new Problem('cid-mismatch', `the ${sizeBytes} bytes make ${cid.toString()}, not ${String(expected)}; was the file changed?`)
      await writer.commit()
      return { cid, sizeBytes, sha256: whole.digest('hex') }
    } finally {
      await writer.discard()
    }
  }

  return {
    hash,
    get,
    has,
    async put(codec, bytes) {
      const cid = cidOf(codec, bytes, hash)
      await putBlock(cid, bytes)
      return cid
    },
    importFile,
    importBytes: (bytes) => importFile([bytes]),
    async importDirectory(files) {
      const writer = createWriter(store)
      try {
        const cid = buildDirectory(files, writer.write, hash)
        await writer.commit()
        return cid
      } finally {
        await writer.discard()
      }
    },
    async *readFile(cid, { offset = 0, length = Infinity, signal } = {}) {
      for await (const bytes of readFileRange(get, cid, offset, length)) {
        signal?.throwIfAborted()
        yield bytes
      }
    },
    async readAll(cid, maxBytes) {
      const sizeBytes = await fileSize(get, cid)
      if (sizeBytes > maxBytes)
        throw new Problem('too-large', `${cid.toString()} has ${sizeBytes} bytes; at most ${maxBytes} are read here`)
      const bytes = new Uint8Array(sizeBytes)
      let position = 0
      for await (const piece of readFileRange(get, cid)) {
        bytes.set(piece, position)
        position += piece.length
      }
      return bytes
    },
    fileSize: (cid) => fileSize(get, cid),
    pin: (cid, { recursive = true } = {}) => pin(cid, recursive),
    unpin: (cid) => pins.remove(cid),
    isPinned: (cid) => pins.has(cid),
    addresses: () => network?.addresses() ?? [],
    async [Symbol.asyncDispose]() {
      await helia.stop()
    },
  }
}

/** A large piece of a source is worked off in parts of this size, so that the disk has its turn in between. */
const PIECE_BYTES = 1024 * 1024

/** Stages blocks as a DAG builder gives them out, several on their way to the disk at once. */
function createWriter(store: StagingBlockstore) {
  const staged = store.stage()
  const writing = new Set<Promise<void>>()
  /** Memory of chunks: of those that are being filled or written, and of those that are written, to be used again. */
  const lent = new Set<ArrayBufferLike>()
  const free: ArrayBufferLike[] = []
  let inFlightBytes = 0
  let failure: { error: unknown } | null = null

  function throwIfFailed(): void {
    if (failure !== null) throw failure.error
  }

  return {
    write: (cid: CID, bytes: Uint8Array): void => {
      inFlightBytes += bytes.length
      const written = staged
        .put(cid, bytes)
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => {
          inFlightBytes -= bytes.length
          writing.delete(written)
          const { buffer } = bytes
          if (lent.delete(buffer)) free.push(buffer)
        })
      writing.add(written)
    },
    /** A buffer for a chunk, one that has been written where there is one: new memory costs more than the copy into it. */
    chunkBuffer: (): Uint8Array => {
      const buffer = free.pop() ?? new ArrayBuffer(CHUNK_BYTES)
      lent.add(buffer)
      return new Uint8Array(buffer)
    },
    /** Resolves when there is room for more. Throws if a write has failed. */
    async ready(): Promise<void> {
      while (inFlightBytes > IN_FLIGHT_BYTES) await Promise.race(writing)
      throwIfFailed()
    },
    async commit(): Promise<void> {
      await Promise.all(writing)
      throwIfFailed()
      await staged.commit()
    },
    async discard(): Promise<void> {
      await Promise.all(writing)
      await staged.discard()
    },
  }
}

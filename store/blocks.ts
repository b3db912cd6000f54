/**
 * Blocks: every byte that Assay keeps, by CID. Behind this interface stands a Helia node with a store of block files.
 */
import type { CID } from '../core/cid.ts'
import type { Sha256 } from '../core/hash.ts'
import type { Database } from './database.ts'

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
  get(cid: CID, options?: { signal?: AbortSignal }): Promise<Uint8Array>
  has(cid: CID): Promise<boolean>
  /** Stores a block; durable when it returns. */
  put(codec: number, bytes: Uint8Array): Promise<CID>
  /**
   * Takes in a file as UnixFS; durable when it returns. Throws `cid-mismatch` if `expected` is given and is not what the bytes make;
   * then, and when the source or the disk fails, none of its blocks become part of the store.
   */
  importFile(source: AsyncIterable<Uint8Array>, options?: { expected?: CID; signal?: AbortSignal }): Promise<ImportedFile>
  importBytes(bytes: Uint8Array): Promise<ImportedFile>
  /** Builds the directory of these files (paths with `/`) and stores its nodes. The files themselves need not be here. */
  importDirectory(files: readonly { path: string; cid: CID; sizeBytes: number }[]): Promise<CID>
  /** A UnixFS file's bytes from `offset`, `length` of them (default: to the end), every block verified. */
  readFile(cid: CID, options?: { offset?: number; length?: number; signal?: AbortSignal }): AsyncIterable<Uint8Array>
  /** A whole UnixFS file. Throws `too-large` beyond `maxBytes`. */
  readAll(cid: CID, maxBytes: number): Promise<Uint8Array>
  /** Bytes of a UnixFS file. */
  fileSize(cid: CID): Promise<number>
  /** Keeps a block, and everything that it links to unless `recursive` is false. Pinning twice does no harm. */
  pin(cid: CID, options?: { recursive?: boolean }): Promise<void>
  unpin(cid: CID): Promise<void>
  isPinned(cid: CID): Promise<boolean>
  [Symbol.asyncDispose](): Promise<void>
}

export interface BlocksOptions {
  /** Directory of the block files; without it blocks live in memory. */
  dir?: string
  /** Where pins are kept, shared by all processes; without it in memory. */
  db?: Database
  /** Native SHA-256. Default: node:crypto. */
  hash?: Sha256
  /** Survive a power cut (fsync) and not only the death of the process. Default true. */
  fsync?: boolean
}

export declare function openBlocks(options?: BlocksOptions): Promise<Blocks>

/** Files of a manifest onto the disk: each block hashed before it is written, what is there already kept, whole files renamed into place. */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CODEC_RAW, blockMatches, cidOf } from '../core/cid.ts'
import type { FileObject } from '../core/documents/manifest.ts'
import { Problem } from '../core/problem.ts'
import { CHUNK_BYTES } from '../core/unixfs/file.ts'
import type { GetBlock } from '../core/unixfs/node.ts'
import { readFileRange } from '../core/unixfs/reader.ts'
import { isCode } from './home.ts'
import { nativeSha256 } from './nativeHash.ts'

export interface FetchedFile {
  path: string
  /** Whether the whole file was there already. */
  kept: boolean
}

export interface FetchOptions {
  /** Blocks that were verified. */
  getBlock: GetBlock
  signal: AbortSignal
  onBytes: (count: number) => void
}

/**
 * Brings one file under `folder`. A fetch that broke off leaves `.NAME.part`; its good blocks are used again. Throws
 * `block-corrupt` when the blocks do not make the file that the manifest describes.
 */
export async function fetchFile(file: FileObject, folder: string, options: FetchOptions): Promise<FetchedFile> {
  const parts = file.path.split('/')
  const target = join(folder, ...parts)
  if (await isThere(target, file)) {
    options.onBytes(file.sizeBytes)
    return { path: file.path, kept: true }
  }
  await mkdir(dirname(target), { recursive: true })
  const partial = join(dirname(target), `.${parts.at(-1)}.part`)
  {
    await using handle = await openPartial(partial)
    await writeBlocks(file, handle, options)
  }
  await rename(partial, target)
  return { path: file.path, kept: false }
}

async function writeBlocks(file: FileObject, handle: FileHandle, { getBlock, signal, onBytes }: FetchOptions): Promise<void> {
  const getNearest = preferLocal(getBlock, handle, await indexChunks(handle, signal))
  const hash = createHash('sha256')
  let position = 0
  for await (const piece of readFileRange(getNearest, file.cid)) {
    signal.throwIfAborted()
    hash.update(piece)
    await handle.write(piece, 0, piece.length, position)
    position += piece.length
    onBytes(piece.length)
  }
  await handle.truncate(position)
  if (position !== file.sizeBytes || hash.digest('hex') !== file.sha256)
    throw new Problem('block-corrupt', `the blocks of ${file.path} make another file than its manifest says`)
}

/** Where in a partial file each chunk lies, by CID. */
async function indexChunks(handle: FileHandle, signal: AbortSignal): Promise<Map<string, number>> {
  const offsets = new Map<string, number>()
  const buffer = new Uint8Array(CHUNK_BYTES)
  for (let position = 0; ; position += CHUNK_BYTES) {
    signal.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position)
    if (bytesRead === 0) return offsets
    offsets.set(cidOf(CODEC_RAW, buffer.subarray(0, bytesRead), nativeSha256).toString(), position)
  }
}

/** Takes a chunk from the partial file where it still lies there, and from afar otherwise. */
function preferLocal(getBlock: GetBlock, handle: FileHandle, offsets: ReadonlyMap<string, number>): GetBlock {
  return async (cid) => {
    const position = offsets.get(cid.toString())
    if (position !== undefined) {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, position)
      const whole = buffer.subarray(0, bytesRead)
      // What is written meanwhile may have covered it.
      if (blockMatches(cid, whole, nativeSha256)) return whole
    }
    return getBlock(cid)
  }
}

async function openPartial(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return open(path, 'wx+')
    throw error
  }
}

/** Whether the file is on the disk with the manifest's size and SHA-256. */
async function isThere(path: string, file: FileObject): Promise<boolean> {
  try {
    if ((await stat(path)).size !== file.sizeBytes) return false
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false
    throw error
  }
  await using handle = await open(path, 'r')
  const hash = createHash('sha256')
  const stream = handle.createReadStream({ highWaterMark: CHUNK_BYTES, autoClose: false })
  for await (const piece of stream) hash.update(piece as Buffer)
  return hash.digest('hex') === file.sha256
}

/** The files of a data set as they lie on the contributor's disk: what is taken, what is left out, what is refused. */
import { createHash } from 'node:crypto'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { CID } from '../core/cid.ts'
import { FilePath } from '../core/documents/common.ts'
import type { FileObject } from '../core/documents/manifest.ts'
import { Problem } from '../core/problem.ts'
import { createFileBuilder } from '../core/unixfs/file.ts'
import { isCode } from './home.ts'
import { nativeSha256 } from './nativeHash.ts'

export interface LocalFile {
  /** Inside the data set: relative, `/` between parts, NFC. */
  path: string
  absolutePath: string
  /** What tells that the file is still the one that was looked at. */
  identity: FileIdentity
}

interface FileIdentity {
  sizeBytes: number
  modifiedNs: bigint
  inode: bigint
}

/** A file that was read, with what a manifest says of it. */
export interface HashedFile extends LocalFile {
  object: FileObject
}

/** Pieces in which files are read. */
const PIECE_BYTES = 1024 * 1024

/**
 * All files below a folder, or the one file, sorted by path. Names that begin with a dot are left out; symbolic links and whatever
 * is neither file nor folder are refused, since what they lead to is not under the contributor's hand.
 */
export async function listLocalFiles(path: string): Promise<LocalFile[]> {
  const root = resolve(path)
  const identity = await stat(root, { bigint: true }).catch((cause: unknown) => {
    if (isCode(cause, 'ENOENT')) throw new Problem('not-found', `there is no ${path}`, { cause })
    throw cause
  })
  const files: LocalFile[] = []
  if (identity.isFile()) files.push(await localFile(root, basename(root)))
  else if (identity.isDirectory()) await collect(root, '', files)
  else throw new Problem('invalid-request', `${path} is neither a file nor a folder`)
  if (files.length === 0) throw new Problem('invalid-request', `${path} holds no file (names that begin with a dot are left out)`)
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function collect(folder: string, prefix: string, files: LocalFile[]): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue
    const absolutePath = join(folder, entry.name)
    const path = `${prefix}${entry.name.normalize('NFC')}`
    if (entry.isDirectory()) await collect(absolutePath, `${path}/`, files)
    else if (entry.isFile()) files.push(await localFile(absolutePath, path))
    else
      throw new Problem(
        'invalid-request',
        `${absolutePath} is a ${entry.isSymbolicLink() ? 'symbolic link' : 'special file'}; put the file itself there`,
      )
  }
}

async function localFile(absolutePath: string, path: string): Promise<LocalFile> {
  const checked = FilePath.safeParse(path)
  if (!checked.success)
    throw new Problem('invalid-request', `the name of ${absolutePath} cannot be used: ${checked.error.issues[0]?.message ?? ''}`)
  return { path, absolutePath, identity: identityOf(await stat(absolutePath, { bigint: true })) }
}

function identityOf(stats: { size: bigint; mtimeNs: bigint; ino: bigint }): FileIdentity {
  return { sizeBytes: Number(stats.size), modifiedNs: stats.mtimeNs, inode: stats.ino }
}

/** Reads a file once: its CID under unixfs-v1-2025, its SHA-256 and its size. Throws `conflict` when it changes meanwhile. */
export async function hashLocalFile(file: LocalFile, signal: AbortSignal, onBytes: (count: number) => void): Promise<HashedFile> {
  const builder = createFileBuilder({ hash: nativeSha256 })
  const whole = createHash('sha256')
  for await (const piece of readLocalFile(file, signal)) {
    builder.push(piece)
    whole.update(piece)
    onBytes(piece.length)
  }
  const { cid, sizeBytes } = builder.finish()
  return { ...file, object: { path: file.path, cid, sizeBytes, sha256: whole.digest('hex') } }
}

/**
 * The bytes of a file, or `length` of them from `offset` on, in pieces of at most 1 MiB, each valid until the next is asked for. Throws
 * `conflict` when the file is not, or does not stay, the one that was listed.
 */
export async function* readLocalFile(
  file: LocalFile,
  signal: AbortSignal,
  { offset = 0, length = Infinity }: { offset?: number; length?: number } = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  await using handle = await open(file.absolutePath, 'r')
  const buffer = new Uint8Array(PIECE_BYTES)
  // No further than the size that was listed: a file that somebody keeps writing to would have no end.
  const end = Math.min(offset + length, file.identity.sizeBytes + 1)
  for (let position = offset; position < end;) {
    signal.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - position), position)
    if (bytesRead === 0) break
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
  await checkUnchanged(file, handle)
}

async function checkUnchanged({ path, identity }: LocalFile, handle: FileHandle): Promise<void> {
  const now = identityOf(await handle.stat({ bigint: true }))
  if (now.sizeBytes !== identity.sizeBytes || now.modifiedNs !== identity.modifiedNs || now.inode !== identity.inode)
    throw new Problem('conflict', `${path} changed while it was read; try again when nobody writes to it`)
}

/** A request body that reads the file anew. */
export function localFileBody(file: LocalFile, signal: AbortSignal, onBytes: (count: number) => void): ReadableStream<Uint8Array> {
  const pieces = readLocalFile(file, signal)
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next()
      if (done === true) {
        controller.close()
        return
      }
      onBytes(value.length)
      // The consumer may hold on to it while the next piece is read into the same buffer.
      controller.enqueue(value.slice())
    },
    async cancel() {
      await pieces.return(undefined)
    },
  })
}

/** Total size of some files. */
export function totalBytes(files: readonly LocalFile[]): number {
  return files.reduce((sum, { identity }) => sum + identity.sizeBytes, 0)
}

/** One of each file that has the same bytes. */
export function distinctFiles(files: readonly HashedFile[]): Map<string, HashedFile & { object: { cid: CID } }> {
  return new Map(files.map((file) => [file.object.cid.toString(), file]))
}

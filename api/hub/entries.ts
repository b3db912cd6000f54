/** Files and folders of a snapshot as the Hub's tree lists them. */
import { bytesToHex, compareBytes, utf8ToBytes } from '../../core/bytes.ts'
import type { FileObject } from '../../core/documents/manifest.ts'
import { MAX_PLAIN_BYTES, gitBlobId, lfsPointer } from '../../core/hub/objectIds.ts'
import type { ApiContext } from '../context.ts'
import type { Snapshot } from './snapshot.ts'

const HELD_IDS = 50_000
const ID_BYTES = 20

export interface FileEntry {
  type: 'file'
  /** Of git: the file's own or, of a large file, its pointer's. */
  oid: string
  size: number
  path: string
  lfs?: { oid: string; size: number; pointerSize: number }
}

export interface FolderEntry {
  type: 'directory'
  /** 40 hexadecimal digits that change when a file below does; no id of git. */
  oid: string
  size: 0
  path: string
}

export interface Entries {
  file(file: FileObject): Promise<FileEntry>
  folder(path: string, snapshot: Snapshot): FolderEntry
  /** ETag of a file: what its bytes are checked against. */
  etag(file: FileObject): Promise<string>
}

export function createEntries(ctx: ApiContext): Entries {
  const plainIds = new Map<string, string>()

  async function plainId({ cid }: FileObject): Promise<string> {
    const key = cid.toString()
    const known = plainIds.get(key)
    if (known !== undefined) return known
    const id = gitBlobId(await ctx.blocks.readAll(cid, MAX_PLAIN_BYTES))
    if (plainIds.size >= HELD_IDS) plainIds.clear()
    plainIds.set(key, id)
    return id
  }

  return {
    async file(file) {
      const { path, sizeBytes, sha256 } = file
      if (sizeBytes <= MAX_PLAIN_BYTES) return { type: 'file', oid: await plainId(file), size: sizeBytes, path }
      const pointer = lfsPointer(file)
      const lfs = { oid: sha256, size: sizeBytes, pointerSize: pointer.length }
      return { type: 'file', oid: gitBlobId(pointer), size: sizeBytes, path, lfs }
    },
    folder(path, { files }) {
      const below = filesBelow(files, path)
      const digest = ctx.blocks.hash(utf8ToBytes(below.map((file) => `${file.path}\0${file.sha256}\n`).join('')))
      return { type: 'directory', oid: bytesToHex(digest.subarray(0, ID_BYTES)), size: 0, path }
    },
    etag: async (file) => (file.sizeBytes <= MAX_PLAIN_BYTES ? plainId(file) : file.sha256),
  }
}

export type TreePath = { path: string; file: FileObject | null }

/** What lies in a folder (empty: the root), sorted by path; with `recursive` also what lies below, folders included. `null`: a folder. */
export function pathsIn(files: readonly FileObject[], folder: string, recursive: boolean): TreePath[] {
  const prefix = folder === '' ? 0 : folder.length + 1
  const paths = new Map<string, FileObject | null>()
  for (const file of filesBelow(files, folder)) {
    for (let slash = file.path.indexOf('/', prefix); slash !== -1; slash = file.path.indexOf('/', slash + 1)) {
      paths.set(file.path.slice(0, slash), null)
      if (!recursive) break
    }
    if (recursive || !file.path.includes('/', prefix)) paths.set(file.path, file)
  }
  return [...paths].map(([path, file]) => ({ path, file })).sort((a, b) => comparePaths(a.path, b.path))
}

export function comparePaths(a: string, b: string): number {
  return compareBytes(utf8ToBytes(a), utf8ToBytes(b))
}

function filesBelow(files: readonly FileObject[], folder: string): readonly FileObject[] {
  return folder === '' ? files : files.filter(({ path }) => path.startsWith(`${folder}/`))
}

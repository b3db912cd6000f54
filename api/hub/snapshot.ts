/**
 * What a revision names: the files of one version, under a commit id that names them and nothing else, for good. A manifest's commit id is
 * the first 20 bytes of its SHA-256; under it stand the files as published.
 */
import type { Context } from 'hono'
import { CID, digestOf, isCid } from '../../core/cid.ts'
import { bytesToHex } from '../../core/bytes.ts'
import type { FileObject, Manifest } from '../../core/documents/manifest.ts'
import { Problem } from '../../core/problem.ts'
import { loadDocument } from '../../store/documents.ts'
import { type VersionRow, resolveRef, versionByDigestPrefix } from '../../store/versions.ts'
import type { ApiContext } from '../context.ts'
import { missing } from './problems.ts'
import { warn } from './warnings.ts'

export const COMMIT_BYTES = 20
const COMMIT = /^[0-9a-f]{40}$/
/** Files of all snapshots that are held in memory. */
const HELD_FILES = 200_000

export interface Snapshot {
  /** 40 hexadecimal digits. */
  commit: string
  version: VersionRow
  manifest: Manifest
  /** Sorted by path. */
  files: readonly FileObject[]
  byPath: ReadonlyMap<string, FileObject>
}

export interface Snapshots {
  /** The snapshot of a revision, with its warnings put on the answer. Throws `not-found`, marked for the client. */
  resolve(c: Context, dataset: string, revision: string): Promise<Snapshot>
  /** The commit that a version shows now. */
  commitOf(version: VersionRow): string
  manifestOf(version: VersionRow): Promise<Manifest>
}

type Content = Pick<Snapshot, 'manifest' | 'files' | 'byPath'>

export function createSnapshots(ctx: ApiContext): Snapshots {
  const held = new Map<string, Content>()

  async function contentOf(version: VersionRow): Promise<Content> {
    const key = version.manifest.toString()
    const known = held.get(key)
    held.delete(key)
    const content = known ?? (await loadContent(version.manifest))
    held.set(key, content)
    let count = 0
    for (const { files } of held.values()) count += files.length
    for (const [oldest, { files }] of held) {
      if (count <= HELD_FILES || oldest === key) break
      held.delete(oldest)
      count -= files.length
    }
    return content
  }

  async function loadContent(cid: CID): Promise<Content> {
    const { document: manifest } = await loadDocument(ctx.blocks, 'manifest', cid)
    return { manifest, files: manifest.files, byPath: new Map(manifest.files.map((file) => [file.path, file])) }
  }

  return {
    async resolve(c, dataset, revision) {
      const version = await findVersion(ctx, c, dataset, revision)
      const commit = commitOf(version.manifest)
      c.header('x-repo-commit', commit)
      await warn(c, ctx, version)
      return { commit, version, ...(await contentOf(version)) }
    },
    commitOf: (version) => commitOf(version.manifest),
    manifestOf: async (version) => (await contentOf(version)).manifest,
  }
}

function commitOf(document: CID): string {
  return bytesToHex(digestOf(document).subarray(0, COMMIT_BYTES))
}

/** The version of `main`, a number, a commit id or the CID of a manifest or index. */
async function findVersion(ctx: ApiContext, c: Context, dataset: string, revision: string): Promise<VersionRow> {
  const newest = (await orNull(resolveRef(ctx.db, dataset))) ?? (await byCid(ctx, dataset))
  if (newest === null) throw missing(c, 'RepoNotFound', `there is no data set ${dataset} here`)
  const name = revision.replace(/^refs\/(heads|tags)\//, '')
  if (name === 'main' || name === 'HEAD') return newest
  let found: VersionRow | null = null
  if (COMMIT.test(name)) found = await versionByDigestPrefix(ctx.db, newest.dataset, name)
  else if (isCid(name)) found = await orNull(resolveRef(ctx.db, name))
  else if (/^[1-9]\d{0,8}$/.test(name)) found = await orNull(resolveRef(ctx.db, `${newest.dataset}@${name}`))
  if (found === null || found.dataset !== newest.dataset)
    throw missing(
      c,
      'RevisionNotFound',
      `${newest.dataset} has no revision "${revision}"; there are main, the numbers of its versions, and the CIDs of their manifests`,
    )
  return found
}

/** Clients refuse names that are not ASCII: `cid/<manifest>` names a version, and what its data set is called does not matter. */
async function byCid(ctx: ApiContext, dataset: string): Promise<VersionRow | null> {
  const cid = /^cid\/(.*)$/.exec(dataset)?.[1]
  return cid !== undefined && isCid(cid) ? orNull(resolveRef(ctx.db, cid)) : null
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof Problem && (error.code === 'not-found' || error.code === 'invalid-request')) return null
    throw error
  }
}

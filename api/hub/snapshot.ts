/**
 * What a revision names: files under a commit id that names them and nothing else, for good (core/hub/exportDocument.ts). A manifest's commit
 * shows the files as published. A report's export adds the rows that passed and a card; it is what a version shows once it is there.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from 'hono'
import { type CID, isCid, parseCid } from '../../core/cid.ts'
import type { FileObject, Manifest } from '../../core/documents/manifest.ts'
import { type Export, commitIdOf, showsPublishedFiles } from '../../core/hub/exportDocument.ts'
import { Problem } from '../../core/problem.ts'
import { loadDocument } from '../../store/documents.ts'
import { type ExportRow, exportByCommit, exportsOf, loadExport, requestExport } from '../../store/exports.ts'
import { indexOfSelection } from '../../store/selections.ts'
import { type VersionRow, reportOf, resolveRef, versionByDigestPrefix, versionOf } from '../../store/versions.ts'
import type { ApiContext } from '../context.ts'
import { comparePaths } from './entries.ts'
import { missing } from './problems.ts'
import { type Standing, standingOf, warn } from './standing.ts'

const COMMIT = /^[0-9a-f]{40}$/
/** Files of all snapshots that are held in memory. */
const HELD_FILES = 200_000
/** Clients of the Hub wait ten seconds for an answer that has no body. */
const EXPORT_WAIT_MS = 8_000
const EXPORT_POLL_MS = 100

export interface Snapshot {
  /** 40 hexadecimal digits. */
  commit: string
  version: VersionRow
  standing: Standing
  manifest: Manifest
  /** Sorted by path. */
  files: readonly FileObject[]
  byPath: ReadonlyMap<string, FileObject>
}

export interface Snapshots {
  /** The snapshot of a revision, with its warnings put on the answer. Throws `not-found`, marked for the client, and `unavailable`. */
  resolve(c: Context, dataset: string, revision: string): Promise<Snapshot>
  manifestOf(version: VersionRow): Promise<Manifest>
}

/** A version, and the export that is asked for: null for the files as published. */
interface Place {
  version: VersionRow
  standing: Standing
  shown: ExportRow | null
}

type Content = Pick<Snapshot, 'manifest' | 'files' | 'byPath'>

export function createSnapshots(ctx: ApiContext): Snapshots {
  const held = new Map<string, Content>()

  async function contentOf(document: CID, load: () => Promise<Content>): Promise<Content> {
    const key = document.toString()
    const known = held.get(key)
    held.delete(key)
    const content = known ?? (await load())
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

  const published = (cid: CID) =>
    contentOf(cid, async () => {
      const { document: manifest } = await loadDocument(ctx.blocks, 'manifest', cid)
      return content(manifest, manifest.files)
    })

  const exported = ({ document, manifest: cid }: ExportRow) =>
    contentOf(document, async () => {
      const { manifest } = await published(cid)
      return content(manifest, filesOf(await loadExport(ctx.blocks, document), manifest))
    })

  return {
    async resolve(c, dataset, revision) {
      const { version, standing, shown } = await findPlace(ctx, c, dataset, revision)
      const commit = shown?.commit ?? commitIdOf(version.manifest)
      c.header('x-repo-commit', commit)
      warn(c, ctx, version, standing)
      return { commit, version, standing, ...(await (shown === null ? published(version.manifest) : exported(shown))) }
    },
    manifestOf: async (version) => (await published(version.manifest)).manifest,
  }
}

function content(manifest: Manifest, files: readonly FileObject[]): Content {
  return { manifest, files, byPath: new Map(files.map((file) => [file.path, file])) }
}

function filesOf(document: Export, manifest: Manifest): readonly FileObject[] {
  if (!showsPublishedFiles(document)) return document.files
  return [...manifest.files, ...document.files].sort((a, b) => comparePaths(a.path, b.path))
}

/** What `main`, a number, a commit id, or the CID of a manifest, index, report or selection names. */
async function findPlace(ctx: ApiContext, c: Context, dataset: string, revision: string): Promise<Place> {
  const newest = (await orNull(resolveRef(ctx.db, dataset))) ?? (await byCid(ctx, dataset))
  if (newest === null) throw missing(c, 'RepoNotFound', `there is no data set ${dataset} here`)
  const name = revision.replace(/^refs\/(heads|tags)\//, '')
  const found = await findRevision(ctx, newest, name)
  if (found === null || found.version.dataset !== newest.dataset)
    throw missing(
      c,
      'RevisionNotFound',
      `${newest.dataset} has no revision "${revision}"; there are main, the numbers of its versions, and the CIDs of their manifests, reports and selections`,
    )
  const standing = await standingOf(ctx, found.version)
  return { version: found.version, standing, shown: found.shown === undefined ? standing.shown : found.shown }
}

/** `shown` is undefined where it is whatever the version shows now. */
async function findRevision(
  ctx: ApiContext,
  newest: VersionRow,
  name: string,
): Promise<{ version: VersionRow; shown?: ExportRow | null } | null> {
  if (name === 'main' || name === 'HEAD') return { version: newest }
  if (/^[1-9]\d{0,8}$/.test(name)) return asNow(await orNull(resolveRef(ctx.db, `${newest.dataset}@${name}`)))
  if (COMMIT.test(name)) {
    const shown = await exportByCommit(ctx.db, name)
    if (shown !== null) return { version: await versionOf(ctx.db, shown.manifest), shown }
    return asPublished(await versionByDigestPrefix(ctx.db, newest.dataset, name))
  }
  if (!isCid(name)) return null
  const cid = parseCid(name)
  const manifest = await orNull(versionOf(ctx.db, cid))
  if (manifest !== null) return asPublished(manifest)
  const ofIndex = await orNull(resolveRef(ctx.db, name))
  if (ofIndex !== null) return asNow(ofIndex)
  const index = (await indexOfSelection(ctx.db, cid)) ?? (await orNull(reportOf(ctx.db, cid)))?.index
  const version = index === undefined ? null : await orNull(resolveRef(ctx.db, index.toString()))
  if (version === null || version.dataset !== newest.dataset) return null
  return { version, shown: await awaitExport(ctx, cid) }
}

function asNow(version: VersionRow | null) {
  return version === null ? null : { version }
}

function asPublished(version: VersionRow | null) {
  return version === null ? null : { version, shown: null }
}

/** The export of a report or selection. Throws `unavailable` when no worker has made it in time: the client asks again. */
async function awaitExport(ctx: ApiContext, subject: CID): Promise<ExportRow> {
  const find = async () => (await exportsOf(ctx.db, [subject])).get(subject.toString())
  let found = await find()
  if (found === undefined && (await indexOfSelection(ctx.db, subject)) !== null) await requestExport(ctx.db, subject)
  for (const end = performance.now() + EXPORT_WAIT_MS; found === undefined && performance.now() < end; found = await find())
    await delay(EXPORT_POLL_MS)
  if (found === undefined)
    throw new Problem('unavailable', `the rows of ${subject.toString()} are being written as Parquet; ask again in a moment`)
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

/** What a data set is, in the words of the Hub: `dataset_info`, refs and commits. */
import type { Context } from 'hono'
import { type CardMetadata, cardMetadata } from '../../core/hub/card.ts'
import { commitIdOf } from '../../core/hub/exportDocument.ts'
import { loadDocument } from '../../store/documents.ts'
import { type ReportRow, type VersionRow, listVersions } from '../../store/versions.ts'
import type { ApiContext } from '../context.ts'
import type { Entries } from './entries.ts'
import type { HubParts, HubRouter } from './hub.ts'
import type { Snapshot, Snapshots } from './snapshot.ts'
import { commitOf, standingOf } from './standing.ts'

export interface DatasetInfo {
  _id: string
  id: string
  author: string
  sha: string
  createdAt: string
  lastModified: string
  private: false
  gated: false
  disabled: false
  /** Nobody counts them here. */
  downloads: 0
  likes: 0
  tags: string[]
  description: string
  cardData: CardMetadata
  /** Ours: what the version rests on, as CIDs. */
  assay: {
    version: number
    state: string
    owner: string
    manifest: string
    index: string | null
    report: string | null
    verdict: string | null
  }
}

export function infoRoutes(router: HubRouter, parts: HubParts): void {
  const { ctx, snapshots, entries } = parts

  async function answer(c: Context, revision: string) {
    const { namespace, name } = c.req.param() as { namespace: string; name: string } // both stand in the path
    const snapshot = await snapshots.resolve(c, `${namespace}/${name}`, revision)
    const info = await describeDataset(ctx, snapshots, snapshot.version)
    const withBlobs = /^(true|1)$/i.test(c.req.query('blobs') ?? '')
    return c.json({ ...info, sha: snapshot.commit, siblings: await siblings(entries, snapshot, withBlobs) })
  }
  router.get('/api/datasets/:namespace/:name', (c) => answer(c, 'main'))
  router.get('/api/datasets/:namespace/:name/revision/:revision', (c) => answer(c, c.req.param('revision')))

  router.get('/api/datasets/:namespace/:name/refs', async (c) => {
    const { namespace, name } = c.req.param()
    const { commit, version } = await snapshots.resolve(c, `${namespace}/${name}`, 'main')
    const versions = await listVersions(ctx.db, version.dataset)
    const tags = []
    for (const { id, number } of await commitsOf(ctx, versions))
      tags.push({ name: `${number}`, ref: `refs/tags/${number}`, targetCommit: id })
    return c.json({ branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: commit }], tags, converts: [], pullRequests: [] })
  })

  router.get('/api/datasets/:namespace/:name/commits/:revision', async (c) => {
    const { namespace, name, revision } = c.req.param()
    const { version } = await snapshots.resolve(c, `${namespace}/${name}`, revision)
    const versions = await listVersions(ctx.db, version.dataset)
    c.header('x-total-count', String(version.number))
    const commits = await commitsOf(
      ctx,
      versions.filter((one) => one.number <= version.number),
    )
    return c.json(commits.map(({ number: _number, ...commit }) => commit))
  })

  router.get('/api/datasets/:namespace/:name/auth-check', async (c) => {
    const { namespace, name } = c.req.param()
    await snapshots.resolve(c, `${namespace}/${name}`, 'main')
    return c.body(null, 200)
  })
}

/** A data set by one of its versions. */
export async function describeDataset(ctx: ApiContext, snapshots: Snapshots, version: VersionRow): Promise<DatasetInfo> {
  const manifest = await snapshots.manifestOf(version)
  const sampleCount = version.index === null ? null : (await loadDocument(ctx.blocks, 'index', version.index)).document.sampleCount
  const { report, shown } = await standingOf(ctx, version)
  const [author = ''] = version.dataset.split('/')
  const card = cardMetadata(manifest, sampleCount)
  return {
    _id: version.dataset,
    id: version.dataset,
    author,
    sha: shown?.commit ?? commitIdOf(version.manifest),
    createdAt: version.createdAt.toISOString(),
    lastModified: version.createdAt.toISOString(),
    private: false,
    gated: false,
    disabled: false,
    downloads: 0,
    likes: 0,
    tags: tagsOf(card, version, report),
    description: manifest.description ?? manifest.title ?? '',
    cardData: card,
    assay: {
      version: version.number,
      state: version.state,
      owner: version.owner,
      manifest: version.manifest.toString(),
      index: version.index?.toString() ?? null,
      report: report?.report.toString() ?? null,
      verdict: report?.verdict ?? null,
    },
  }
}

function tagsOf(card: CardMetadata, { state }: VersionRow, report: ReportRow | null): string[] {
  return [
    ...card.license.map((license) => `license:${license}`),
    ...(card.language ?? []).map((language) => `language:${language}`),
    ...(card.size_categories ?? []).map((size) => `size_categories:${size}`),
    `assay:state:${state}`,
    ...(report === null ? [] : [`assay:verdict:${report.verdict.toLowerCase()}`]),
  ]
}

async function siblings(entries: Entries, { files }: Snapshot, withBlobs: boolean) {
  if (!withBlobs) return files.map(({ path }) => ({ rfilename: path }))
  const described = []
  for (const file of files) {
    const { oid, size, lfs } = await entries.file(file)
    const large = lfs === undefined ? {} : { lfs: { sha256: lfs.oid, size, pointerSize: lfs.pointerSize } }
    described.push({ rfilename: file.path, size, blobId: oid, ...large })
  }
  return described
}

/** Versions as the Hub tells of commits. */
async function commitsOf(ctx: ApiContext, versions: readonly VersionRow[]) {
  const commits = []
  for (const version of versions)
    commits.push({
      number: version.number,
      id: await commitOf(ctx, version),
      title: `${version.dataset}@${version.number}`,
      message: `manifest ${version.manifest.toString()}`,
      authors: [{ user: version.owner, avatar: '' }],
      date: version.createdAt.toISOString(),
    })
  return commits
}

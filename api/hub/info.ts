/** What a data set is, in the words of the Hub: `dataset_info`, refs and commits. */
import type { Context } from 'hono'
import type { Manifest } from '../../core/documents/manifest.ts'
import { loadDocument } from '../../store/documents.ts'
import { type ReportRow, type VersionRow, listVersions } from '../../store/versions.ts'
import type { ApiContext } from '../context.ts'
import type { Entries } from './entries.ts'
import type { HubParts, HubRouter } from './hub.ts'
import type { Snapshot, Snapshots } from './snapshot.ts'
import { ownReport } from './warnings.ts'

/** Of the Hub's size categories. */
const SIZES: readonly (readonly [number, string])[] = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
  [1e8, '10M<n<100M'],
  [1e9, '100M<n<1B'],
  [1e10, '1B<n<10B'],
  [1e11, '10B<n<100B'],
  [1e12, '100B<n<1T'],
]

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
  cardData: CardData
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

export interface CardData {
  pretty_name?: string
  license: string[]
  language?: string[]
  size_categories?: string[]
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
    const tags = versions.map((one) => ({ name: `${one.number}`, ref: `refs/tags/${one.number}`, targetCommit: snapshots.commitOf(one) }))
    return c.json({ branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: commit }], tags, converts: [], pullRequests: [] })
  })

  router.get('/api/datasets/:namespace/:name/commits/:revision', async (c) => {
    const { namespace, name, revision } = c.req.param()
    const { version } = await snapshots.resolve(c, `${namespace}/${name}`, revision)
    const versions = await listVersions(ctx.db, version.dataset)
    c.header('x-total-count', String(version.number))
    return c.json(versions.filter((one) => one.number <= version.number).map((one) => commit(snapshots, one)))
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
  const report = await ownReport(ctx, version)
  const [author = ''] = version.dataset.split('/')
  const card = cardData(manifest, sampleCount)
  return {
    _id: version.dataset,
    id: version.dataset,
    author,
    sha: snapshots.commitOf(version),
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

export function cardData(manifest: Manifest, sampleCount: number | null): CardData {
  const size = sampleCount === null ? undefined : (SIZES.find(([limit]) => sampleCount < limit)?.[1] ?? 'n>1T')
  return {
    ...(manifest.title === undefined ? {} : { pretty_name: manifest.title }),
    license: [manifest.license.toLowerCase()],
    ...(manifest.language === undefined ? {} : { language: [manifest.language.toLowerCase()] }),
    ...(size === undefined ? {} : { size_categories: [size] }),
  }
}

function tagsOf(card: CardData, { state }: VersionRow, report: ReportRow | null): string[] {
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

function commit(snapshots: Snapshots, version: VersionRow) {
  const title = `${version.dataset}@${version.number}`
  return {
    id: snapshots.commitOf(version),
    title,
    message: `manifest ${version.manifest.toString()}`,
    authors: [{ user: version.owner, avatar: '' }],
    date: version.createdAt.toISOString(),
  }
}

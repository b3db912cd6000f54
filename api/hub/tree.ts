/** What lies in a snapshot: `tree`, in pages, and `paths-info`. */
import type { Context } from 'hono'
import { z } from 'zod'
import { Problem } from '../../core/problem.ts'
import { readRequestBody } from '../http/body.ts'
import { type Entries, type FileEntry, type FolderEntry, type TreePath, comparePaths, pathsIn } from './entries.ts'
import type { HubParts, HubRouter } from './hub.ts'
import { linkNext } from './paging.ts'
import { missing } from './problems.ts'
import type { Snapshot } from './snapshot.ts'

const PAGE_ENTRIES = 1000
const MAX_BODY_BYTES = 1024 * 1024

const PathsInfoRequest = z.object({
  paths: z.union([z.string(), z.array(z.string())]).transform((paths) => [paths].flat()),
  expand: z.boolean().default(false),
})

export function treeRoutes(router: HubRouter, { ctx, snapshots, entries }: HubParts): void {
  router.get('/api/datasets/:namespace/:name/tree/:revision/:path{.+}?', async (c) => {
    const { namespace, name, revision, path = '' } = c.req.param()
    const snapshot = await snapshots.resolve(c, `${namespace}/${name}`, revision)
    const folder = path.normalize('NFC').replace(/\/+$/, '')
    const all = pathsIn(snapshot.files, folder, isTrue(c.req.query('recursive')))
    if (all.length === 0) throw missing(c, 'EntryNotFound', `there is no folder "${folder}" in ${snapshot.version.dataset} at ${revision}`)
    const after = c.req.query('cursor')
    const start = after === undefined ? 0 : all.findIndex((entry) => comparePaths(entry.path, after) > 0)
    const page = start === -1 ? [] : all.slice(start, start + PAGE_ENTRIES)
    if (start !== -1 && start + PAGE_ENTRIES < all.length) linkNext(c, { cursor: page.at(-1)!.path })
    return c.json(await describe(entries, snapshot, page, isTrue(c.req.query('expand'))))
  })

  router.post('/api/datasets/:namespace/:name/paths-info/:revision', async (c) => {
    const { namespace, name, revision } = c.req.param()
    const snapshot = await snapshots.resolve(c, `${namespace}/${name}`, revision)
    const { paths, expand } = parsePathsInfo(c, await readRequestBody(c, Math.min(MAX_BODY_BYTES, ctx.limits.fileBytes)))
    const known = paths.flatMap((path): TreePath[] => {
      const wanted = path.normalize('NFC').replace(/\/+$/, '')
      const file = snapshot.byPath.get(wanted)
      if (file !== undefined) return [{ path: wanted, file }]
      return snapshot.files.some((one) => one.path.startsWith(`${wanted}/`)) ? [{ path: wanted, file: null }] : []
    })
    return c.json(await describe(entries, snapshot, known, expand))
  })
}

async function describe(
  entries: Entries,
  snapshot: Snapshot,
  paths: readonly TreePath[],
  expand: boolean,
): Promise<(FileEntry | FolderEntry)[]> {
  const { version, commit } = snapshot
  const lastCommit = { id: commit, title: `${version.dataset}@${version.number}`, date: version.createdAt.toISOString() }
  const described: (FileEntry | FolderEntry)[] = []
  for (const { path, file } of paths) {
    const entry = file === null ? entries.folder(path, snapshot) : await entries.file(file)
    described.push(expand ? Object.assign(entry, { lastCommit }) : entry)
  }
  return described
}

/** Python's client sends a form, JavaScript's JSON. */
function parsePathsInfo(c: Context, body: Uint8Array): z.infer<typeof PathsInfoRequest> {
  const text = Buffer.from(body).toString('utf8')
  let value: unknown
  try {
    if (c.req.header('content-type')?.startsWith('application/json') === true) value = JSON.parse(text)
    else {
      const form = new URLSearchParams(text)
      value = { paths: form.getAll('paths'), expand: isTrue(form.get('expand') ?? undefined) }
    }
  } catch (cause) {
    throw new Problem('invalid-request', 'the body is not JSON', { cause })
  }
  const parsed = PathsInfoRequest.safeParse(value)
  if (!parsed.success) throw new Problem('invalid-request', '"paths" is a list of paths, "expand" true or false')
  return parsed.data
}

/** Python writes True, JavaScript true. */
function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(true|1)$/i.test(text)
}

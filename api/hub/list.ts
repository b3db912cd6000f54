/** `list_datasets`: data sets by name, with the filters that the manifests can answer. */
import { z } from 'zod'
import { Problem } from '../../core/problem.ts'
import { listDatasets, nameKey } from '../../store/versions.ts'
import type { HubParts, HubRouter } from './hub.ts'
import { type DatasetInfo, describeDataset } from './info.ts'
import { linkNext } from './paging.ts'

/** Data sets that one request looks at: a page may hold fewer than were asked for, and then names the next. */
const SCANNED = 1000
const STEP = 100

const ListQuery = z.object({
  search: z.array(z.string().max(256)).default([]),
  author: z.array(z.string().max(256)).max(1).default([]),
  filter: z.array(z.string().max(256)).default([]),
  gated: z.array(z.string()).max(1).default([]),
  limit: z
    .tuple([
      z.coerce
        .number()
        .int()
        .min(1)
        .transform((limit) => Math.min(limit, 1000)),
    ])
    .default([100]),
  /** Nothing is counted here, so that all are equal in these; in dates they are not. */
  sort: z.tuple([z.enum(['downloads', 'likes', 'trendingScore', 'id'])]).optional(),
  cursor: z.tuple([z.string().max(256)]).optional(),
})

export function listRoutes(router: HubRouter, { ctx, snapshots }: HubParts): void {
  router.get('/api/datasets', async (c) => {
    const parsed = ListQuery.safeParse(c.req.queries())
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      throw new Problem('invalid-request', `${issue?.path.map(String).join('.') ?? 'query'}: ${issue?.message ?? 'wrong shape'}`)
    }
    const { search, author, filter, gated, limit, cursor } = parsed.data
    const wanted = (info: DatasetInfo) =>
      search.every((part) => nameKey(info.id).includes(nameKey(part))) &&
      author.every((name) => nameKey(info.author) === nameKey(name)) &&
      filter.every((tag) => info.tags.includes(tag.toLowerCase()) || info.tags.includes(tag)) &&
      gated.every((value) => !/^(true|1)$/i.test(value))

    const page: DatasetInfo[] = []
    let after = cursor?.[0]
    let isEnd = false
    for (let scanned = 0; scanned < SCANNED && page.length < limit[0] && !isEnd;) {
      const [query] = search
      const rows = await listDatasets(ctx.db, {
        limit: STEP,
        ...(query === undefined ? {} : { query }),
        ...(after === undefined ? {} : { after }),
      })
      isEnd = rows.length < STEP
      for (const row of rows) {
        if (page.length === limit[0]) {
          isEnd = false
          break
        }
        after = row.dataset
        scanned++
        const info = await describeDataset(ctx, snapshots, row.latest)
        if (wanted(info)) page.push(info)
      }
    }
    if (!isEnd && after !== undefined) linkNext(c, { cursor: after })
    return c.json(page)
  })
}

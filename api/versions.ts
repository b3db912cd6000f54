/** Versions by reference: `namespace/name` (the newest), `namespace/name@3`, or the CID of a manifest or an index. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { reportsOf, resolveRef } from '../store/versions.ts'
import type { ApiContext } from './context.ts'
import { standingOf } from './hub/standing.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { RefParameter } from './schemas.ts'
import { Version, reportSummary, versionSummary } from './versionView.ts'

const versionRoute = createRoute({
  method: 'get',
  path: '/v1/versions/{ref}',
  tags: ['datasets'],
  summary: 'A version: its state, documents and reports',
  request: { params: RefParameter },
  responses: { 200: { description: 'It', content: { 'application/json': { schema: Version } } }, default: problemResponse },
})

export function versionRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openapi(versionRoute, async (c) => {
    const version = await resolveRef(ctx.db, c.req.valid('param').ref)
    const reports = version.index === null ? [] : await reportsOf(ctx.db, version.index)
    const { shown } = await standingOf(ctx, version)
    return c.json({ ...versionSummary(version), reports: reports.map(reportSummary), export: shown?.document.toString() ?? null }, 200)
  })

  return router
}

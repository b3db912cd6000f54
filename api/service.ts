/** The node itself: whether it lives, and who it is. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { sql } from 'kysely'
import { z } from 'zod'
import { Did } from '../core/documents/common.ts'
import type { ApiContext } from './context.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { CidText } from './schemas.ts'

const Service = z
  .strictObject({
    url: z.string().meta({ description: 'The audience that a token request names' }),
    logVkey: z.string(),
    indexer: Did,
    verifier: Did,
    recipe: CidText.meta({ description: 'The recipe under which this node verifies' }),
    registration: z.enum(['open', 'closed']),
    maxFileBytes: z.number().int(),
  })
  .meta({ id: 'Service' })

const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  tags: ['service'],
  summary: 'Whether the node can serve: its database answers',
  responses: {
    200: { description: 'It can', content: { 'application/json': { schema: z.strictObject({ status: z.literal('ok') }) } } },
    default: problemResponse,
  },
})

const serviceRoute = createRoute({
  method: 'get',
  path: '/v1/service',
  tags: ['service'],
  summary: 'Who this node is',
  responses: {
    200: { description: 'Its names and limits', content: { 'application/json': { schema: Service } } },
    default: problemResponse,
  },
})

export function serviceRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openapi(healthRoute, async (c) => {
    await sql`select 1`.execute(ctx.db)
    return c.json({ status: 'ok' as const }, 200, { 'cache-control': 'no-store' })
  })

  router.openapi(serviceRoute, (c) =>
    c.json(
      {
        url: ctx.publicUrl,
        logVkey: ctx.logVkey,
        indexer: ctx.indexerDid,
        verifier: ctx.verifierDid,
        recipe: ctx.recipeCid.toString(),
        registration: ctx.registration,
        maxFileBytes: ctx.limits.fileBytes,
      },
      200,
    ),
  )

  return router
}

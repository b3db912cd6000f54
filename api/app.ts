/** The HTTP face of Assay: every resource under one application of web-standard requests and responses. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiContext } from './context.ts'
import { croissantRoutes } from './croissant.ts'
import { datasetRoutes } from './datasets.ts'
import { documentRoutes } from './documents.ts'
import { eventRoutes } from './events.ts'
import { fileRoutes } from './files.ts'
import { gatewayRoutes } from './gateway.ts'
import { hubRoutes } from './hub/hub.ts'
import { logRoutes } from './log.ts'
import { addOpenApi } from './openapi.ts'
import { createErrorHandler, handleNotFound } from './problems.ts'
import { reportRoutes } from './reports.ts'
import { createRouter } from './router.ts'
import { runRoutes } from './runs.ts'
import { sampleLookupRoutes } from './sampleLookup.ts'
import { sampleRoutes } from './samples.ts'
import { selectionRoutes } from './selections.ts'
import { serviceRoutes } from './service.ts'
import { tokenRoutes } from './tokens.ts'
import { versionRoutes } from './versions.ts'

/** The application; `app.fetch` serves it and `app.request(path)` tests it. */
export function createApp(ctx: ApiContext): OpenAPIHono {
  const app = createRouter()
  app.onError(createErrorHandler(ctx))
  app.notFound(handleNotFound)
  app.use(async (c, next) => {
    await next()
    c.header('x-content-type-options', 'nosniff')
  })
  for (const routes of [
    serviceRoutes,
    tokenRoutes,
    fileRoutes,
    datasetRoutes,
    versionRoutes,
    croissantRoutes,
    eventRoutes,
    documentRoutes,
    sampleRoutes,
    sampleLookupRoutes,
    reportRoutes,
    selectionRoutes,
    runRoutes,
    logRoutes,
    gatewayRoutes,
  ])
    app.route('/', routes(ctx) as OpenAPIHono)
  app.route('/', hubRoutes(ctx))
  addOpenApi(app, ctx.publicUrl)
  return app
}

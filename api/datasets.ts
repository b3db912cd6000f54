/** Data sets by name. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { Did } from '../core/documents/common.ts'
import { type DatasetRow, listDatasets, listVersions, resolveRef } from '../store/versions.ts'
import { type AccountEnv, bearerSecurity, requireScope } from './auth.ts'
import type { ApiContext } from './context.ts'
import { limitBody } from './http/body.ts'
import { problemResponse } from './problems.ts'
import { publishVersion } from './publish.ts'
import { createRouter } from './router.ts'
import { MAX_SIGNED_DOCUMENT_BYTES, SignedDocument, WholeText, signedDocumentBytes } from './schemas.ts'
import { VersionSummary, versionSummary } from './versionView.ts'

const Dataset = z
  .strictObject({ dataset: z.string(), owner: Did, createdAt: z.iso.datetime(), latest: VersionSummary })
  .meta({ id: 'Dataset' })

const DatasetWithVersions = z
  .strictObject({ dataset: z.string(), owner: Did, versions: z.array(VersionSummary).meta({ description: 'Newest first' }) })
  .meta({ id: 'DatasetWithVersions' })

const DatasetPage = z
  .strictObject({
    datasets: z.array(Dataset),
    next: z.string().nullable().meta({ description: '`cursor` of the next page; null at the end' }),
  })
  .meta({ id: 'DatasetPage' })

const DatasetParameters = z.object({ namespace: z.string(), name: z.string() })

const listRoute = createRoute({
  method: 'get',
  path: '/v1/datasets',
  tags: ['datasets'],
  summary: 'List data sets',
  request: {
    query: z.object({
      query: z.string().max(256).optional().meta({ description: 'A part of the name' }),
      limit: WholeText.pipe(z.number().min(1).max(1000)).default(100),
      cursor: z.string().max(256).optional().meta({ description: '`next` of the page before' }),
    }),
  },
  responses: { 200: { description: 'By name', content: { 'application/json': { schema: DatasetPage } } }, default: problemResponse },
})

const datasetRoute = createRoute({
  method: 'get',
  path: '/v1/datasets/{namespace}/{name}',
  tags: ['datasets'],
  summary: 'A data set and its versions',
  request: { params: DatasetParameters },
  responses: { 200: { description: 'It', content: { 'application/json': { schema: DatasetWithVersions } } }, default: problemResponse },
})

const numberRoute = createRoute({
  method: 'get',
  path: '/v1/datasets/{namespace}/{name}/versions/{number}',
  tags: ['datasets'],
  summary: 'A version by its number',
  request: { params: DatasetParameters.extend({ number: WholeText }) },
  responses: { 200: { description: 'It', content: { 'application/json': { schema: VersionSummary } } }, default: problemResponse },
})

const publishRoute = (ctx: ApiContext) =>
  createRoute({
    method: 'post',
    path: '/v1/datasets/{namespace}/{name}/versions',
    tags: ['datasets'],
    summary: 'Publish a version',
    description:
      'Takes a signed manifest whose files were uploaded before. The first publisher of a namespace owns it. Publishing the same manifest again answers 200 and changes nothing.',
    security: bearerSecurity,
    middleware: [requireScope(ctx, 'publish'), limitBody(MAX_SIGNED_DOCUMENT_BYTES)] as const,
    request: { params: DatasetParameters, body: { content: { 'application/json': { schema: SignedDocument } }, required: true } },
    responses: {
      200: { description: 'It was published before', content: { 'application/json': { schema: VersionSummary } } },
      201: { description: 'It is published', content: { 'application/json': { schema: VersionSummary } } },
      default: problemResponse,
    },
  })

export function datasetRoutes(ctx: ApiContext): OpenAPIHono<AccountEnv> {
  const router = createRouter<AccountEnv>()

  router.openapi(listRoute, async (c) => {
    const { query, limit, cursor } = c.req.valid('query')
    const datasets = await listDatasets(ctx.db, {
      limit,
      ...(query === undefined ? {} : { query }),
      ...(cursor === undefined ? {} : { after: cursor }),
    })
    return c.json({ datasets: datasets.map(datasetView), next: datasets.length < limit ? null : (datasets.at(-1)?.dataset ?? null) }, 200)
  })

  router.openapi(datasetRoute, async (c) => {
    const { namespace, name } = c.req.valid('param')
    const versions = await listVersions(ctx.db, `${namespace}/${name}`)
    const [{ dataset, owner }] = versions as [(typeof versions)[number], ...typeof versions] // listVersions throws when there is none
    return c.json({ dataset, owner, versions: versions.map(versionSummary) }, 200)
  })

  router.openapi(numberRoute, async (c) => {
    const { namespace, name, number } = c.req.valid('param')
    return c.json(versionSummary(await resolveRef(ctx.db, `${namespace}/${name}@${number}`)), 200)
  })

  router.openapi(publishRoute(ctx), async (c) => {
    const { namespace, name } = c.req.valid('param')
    const { document, envelope } = signedDocumentBytes(c.req.valid('json'))
    const { version, created } = await publishVersion(ctx, {
      dataset: `${namespace}/${name}`,
      account: c.var.account,
      documentBytes: document,
      envelopeBytes: envelope,
    })
    return c.json(versionSummary(version), created ? 201 : 200)
  })

  return router
}

function datasetView(row: DatasetRow): z.infer<typeof Dataset> {
  return { dataset: row.dataset, owner: row.owner, createdAt: row.createdAt.toISOString(), latest: versionSummary(row.latest) }
}

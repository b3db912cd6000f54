/** Reports, with their findings as a table for programs and as evidence for people. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { bytesToUtf8 } from '../core/bytes.ts'
import { parseCid } from '../core/cid.ts'
import type { Report } from '../core/documents/report.ts'
import { attestationsOf, loadDocument } from '../store/documents.ts'
import { reportOf } from '../store/versions.ts'
import type { ApiContext } from './context.ts'
import { serveFile } from './http/file.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { AttestationView, CidParameter, DagJson, attestationView, bytesAnswer } from './schemas.ts'
import { ReportSummary, reportSummary } from './versionView.ts'

const ARROW_FILE = 'application/vnd.apache.arrow.file'

const ReportView = ReportSummary.extend({
  document: DagJson.meta({ description: 'The signed report, links as {"/": cid}' }),
  attestations: z.array(AttestationView),
}).meta({ id: 'ReportView' })

const reportRoute = createRoute({
  method: 'get',
  path: '/v1/reports/{cid}',
  tags: ['reports'],
  summary: 'A report',
  request: { params: CidParameter },
  responses: { 200: { description: 'It', content: { 'application/json': { schema: ReportView } } }, default: problemResponse },
})

const findingsRoute = createRoute({
  method: 'get',
  path: '/v1/reports/{cid}/findings',
  tags: ['reports'],
  summary: 'The findings table: one row a sample, flags and scores',
  request: { params: CidParameter },
  responses: { 200: bytesAnswer('An Arrow IPC file', ARROW_FILE), default: problemResponse },
})

const evidenceRoute = createRoute({
  method: 'get',
  path: '/v1/reports/{cid}/evidence',
  tags: ['reports'],
  summary: 'The evidence that a person can read: an array of findings',
  request: { params: CidParameter },
  responses: { 200: bytesAnswer('DAG-JSON', 'application/json'), default: problemResponse },
})

export function reportRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openapi(reportRoute, async (c) => {
    const cid = parseCid(c.req.valid('param').cid)
    const row = await reportOf(ctx.db, cid)
    const [{ bytes }, attestations] = await Promise.all([loadDocument(ctx.blocks, 'report', cid), attestationsOf(ctx.db, cid)])
    const document = DagJson.parse(JSON.parse(bytesToUtf8(bytes)))
    return c.json({ ...reportSummary(row), document, attestations: attestations.map(attestationView) }, 200)
  })

  router.openapi(findingsRoute, async (c) => {
    const { findings } = await loadReport(ctx, c.req.valid('param').cid)
    return serveFile(c, ctx, findings, { 'content-type': ARROW_FILE })
  })

  router.openapi(evidenceRoute, async (c) => {
    const { evidence } = await loadReport(ctx, c.req.valid('param').cid)
    return serveFile(c, ctx, evidence, { 'content-type': 'application/json' })
  })

  return router
}

async function loadReport(ctx: ApiContext, text: string): Promise<Report> {
  const { report } = await reportOf(ctx.db, parseCid(text))
  return (await loadDocument(ctx.blocks, 'report', report)).document
}

/** Selections: computed here or anywhere else, the same policy over the same reports gives the same CID. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type CID, parseCid } from '../core/cid.ts'
import { Count } from '../core/documents/common.ts'
import type { Encoded } from '../core/documents/document.ts'
import { POLICIES, Policy, type Selection } from '../core/documents/selection.ts'
import { Problem } from '../core/problem.ts'
import { loadDocument } from '../store/documents.ts'
import { indexOfSelection, storeSelection } from '../store/selections.ts'
import { reportsOf, resolveRef } from '../store/versions.ts'
import type { ApiContext } from './context.ts'
import { limitBody } from './http/body.ts'
import { serveFile } from './http/file.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { CidParameter, CidText, bytesAnswer } from './schemas.ts'

const MAX_BODY_BYTES = 64 * 1024

const SelectionRequest = z
  .strictObject({
    version: z.string().max(512).optional().meta({ description: 'Of which version: name, name@number, or the CID of its manifest' }),
    index: CidText.optional().meta({ description: 'Of which index; instead of "version"' }),
    policy: z
      .union([z.enum(Object.keys(POLICIES) as [keyof typeof POLICIES]), Policy])
      .default('verified')
      .meta({ description: 'The name of a policy, or a policy' }),
    reports: z
      .array(CidText)
      .max(64)
      .optional()
      .meta({ description: "Whose findings count. Default: this node's own report, or none if the policy excludes nothing" }),
  })
  .refine((request) => (request.version === undefined) !== (request.index === undefined), 'give either "version" or "index"')
  .meta({ id: 'SelectionRequest' })

const SelectionView = z
  .strictObject({
    selection: CidText,
    index: CidText,
    reports: z.array(CidText),
    policy: Policy,
    sampleCount: Count,
    selectedCount: Count,
    bitmap: CidText,
  })
  .meta({ id: 'SelectionView' })

const computeRoute = createRoute({
  method: 'post',
  path: '/v1/selections',
  tags: ['selections'],
  summary: 'Compute a selection',
  middleware: limitBody(MAX_BODY_BYTES),
  request: { body: { content: { 'application/json': { schema: SelectionRequest } }, required: true } },
  responses: { 200: { description: 'It', content: { 'application/json': { schema: SelectionView } } }, default: problemResponse },
})

const selectionRoute = createRoute({
  method: 'get',
  path: '/v1/selections/{cid}',
  tags: ['selections'],
  summary: 'A selection that was computed here',
  request: { params: CidParameter },
  responses: { 200: { description: 'It', content: { 'application/json': { schema: SelectionView } } }, default: problemResponse },
})

const bitmapRoute = createRoute({
  method: 'get',
  path: '/v1/selections/{cid}/bitmap',
  tags: ['selections'],
  summary: 'Its bitmap',
  description: 'Sample i is bit i mod 8 (least significant first) of byte ⌊i / 8⌋.',
  request: { params: CidParameter },
  responses: { 200: bytesAnswer('The bytes', 'application/octet-stream'), default: problemResponse },
})

export function selectionRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openapi(computeRoute, async (c) => {
    const { version, index: given, policy, reports } = c.req.valid('json')
    const ref = version ?? given! // The schema demands one of the two.
    const { index } = await resolveRef(ctx.db, ref)
    if (index === null) throw new Problem('not-ready', `${ref} is not indexed yet; GET /v1/versions/{ref} tells when it is`)
    const rules = typeof policy === 'string' ? POLICIES[policy] : policy
    const chosen = reports === undefined ? await defaultReports(ctx, index, rules) : await namedReports(ctx, index, reports)
    return c.json(view(await storeSelection(ctx.db, ctx.blocks, { index, reports: chosen, policy: rules })), 200)
  })

  router.openapi(selectionRoute, async (c) => c.json(view(await loadSelection(ctx, parseCid(c.req.valid('param').cid))), 200))

  router.openapi(bitmapRoute, async (c) => {
    const { document } = await loadSelection(ctx, parseCid(c.req.valid('param').cid))
    return serveFile(c, ctx, document.bitmap, { 'content-type': 'application/octet-stream' })
  })

  return router
}

/** A selection that was computed here. Throws `not-found`. */
export async function loadSelection(ctx: ApiContext, cid: CID): Promise<Encoded<Selection>> {
  if ((await indexOfSelection(ctx.db, cid)) === null)
    throw new Problem('not-found', `the selection ${cid.toString()} was not computed here; POST /v1/selections makes it`)
  return loadDocument(ctx.blocks, 'selection', cid)
}

async function defaultReports(ctx: ApiContext, index: CID, policy: Policy): Promise<CID[]> {
  if (policy.exclude.length === 0) return []
  const own = (await reportsOf(ctx.db, index)).filter((report) => report.recipe.equals(ctx.recipeCid))
  if (own.length === 0)
    throw new Problem('not-ready', 'the version is not verified yet; name other reports, or wait for the state "verified"')
  return own.map((report) => report.report)
}

async function namedReports(ctx: ApiContext, index: CID, texts: string[]): Promise<CID[]> {
  const known = new Map((await reportsOf(ctx.db, index)).map((report) => [report.report.toString(), report.report]))
  return [...new Set(texts)].map((text) => {
    const report = known.get(text)
    if (report === undefined) throw new Problem('not-found', `${text} is not a report on the index ${index.toString()} that is known here`)
    return report
  })
}

function view({ cid, document }: Encoded<Selection>): z.infer<typeof SelectionView> {
  return {
    selection: cid.toString(),
    index: document.index.toString(),
    reports: document.reports.map((report) => report.toString()),
    policy: document.policy,
    sampleCount: document.sampleCount,
    selectedCount: document.selectedCount,
    bitmap: document.bitmap.toString(),
  }
}

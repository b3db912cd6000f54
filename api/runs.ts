/** Training runs: recorded by who trained, and traced back to who contributed. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type CID, parseCid } from '../core/cid.ts'
import { Did } from '../core/documents/common.ts'
import type { Run } from '../core/documents/run.ts'
import { Problem } from '../core/problem.ts'
import { stepsPerEpoch } from '../core/runOrder.ts'
import { verifyDocument } from '../core/statement.ts'
import { attestationsOf, putDocument, putEnvelope } from '../store/documents.ts'
import { type RunRow, endsOfRun, findRun, saveRun } from '../store/runs.ts'
import { type AccountEnv, bearerSecurity, requireScope } from './auth.ts'
import type { ApiContext } from './context.ts'
import { limitBody } from './http/body.ts'
import { problemResponse } from './problems.ts'
import { Provenance, provenanceOf } from './provenance.ts'
import { createRouter } from './router.ts'
import {
  AttestationView,
  CidParameter,
  CidText,
  MAX_SIGNED_DOCUMENT_BYTES,
  SignedDocument,
  attestationView,
  signedDocumentBytes,
} from './schemas.ts'
import { loadSelection } from './selections.ts'

const RunView = z
  .strictObject({
    run: CidText,
    name: z.string(),
    author: Did,
    status: z.enum(['started', 'finished', 'failed']),
    createdAt: z.iso.datetime(),
    started: CidText.nullable().meta({ description: 'The document that started it; null when this is the one' }),
    ends: z.array(CidText).meta({ description: 'The documents that finish it, oldest first' }),
    consumed: z.array(z.strictObject({ selection: CidText, index: CidText })),
    attestations: z.array(AttestationView),
  })
  .meta({ id: 'RunView' })

const recordRoute = (ctx: ApiContext) =>
  createRoute({
    method: 'post',
    path: '/v1/runs',
    tags: ['runs'],
    summary: 'Record a run',
    description: 'A signed run document: first with the status "started", at the end with "finished" or "failed" and a link to the first.',
    security: bearerSecurity,
    middleware: [requireScope(ctx, 'run'), limitBody(MAX_SIGNED_DOCUMENT_BYTES)] as const,
    request: { body: { content: { 'application/json': { schema: SignedDocument } }, required: true } },
    responses: { 201: { description: 'It is recorded', content: { 'application/json': { schema: RunView } } }, default: problemResponse },
  })

const runRoute = createRoute({
  method: 'get',
  path: '/v1/runs/{cid}',
  tags: ['runs'],
  summary: 'A run',
  request: { params: CidParameter },
  responses: { 200: { description: 'It', content: { 'application/json': { schema: RunView } } }, default: problemResponse },
})

const provenanceRoute = createRoute({
  method: 'get',
  path: '/v1/runs/{cid}/provenance',
  tags: ['runs'],
  summary: 'Where everything that a run consumed came from',
  description: 'Run → selections → reports → index → manifest → contributor, each with its signatures and places in the log.',
  request: { params: CidParameter },
  responses: { 200: { description: 'The links', content: { 'application/json': { schema: Provenance } } }, default: problemResponse },
})

export function runRoutes(ctx: ApiContext): OpenAPIHono<AccountEnv> {
  const router = createRouter<AccountEnv>()

  router.openapi(recordRoute(ctx), async (c) => {
    const { document, envelope } = signedDocumentBytes(c.req.valid('json'))
    const { encoded, author, createdAt, envelopeCid } = verifyDocument('run', document, envelope)
    if (author !== c.var.account)
      throw new Problem('forbidden', `the run is signed by ${author}, but the token belongs to ${c.var.account}; sign with that key`)
    await checkConsumption(ctx, encoded.document)
    await checkStarted(ctx, encoded.document)
    await putDocument(ctx.blocks, encoded)
    await putEnvelope(ctx.blocks, envelope)
    await saveRun(ctx.db, encoded, { kind: 'run', document: encoded.cid, envelope: envelopeCid, author, createdAt: new Date(createdAt) })
    return c.json(await view(ctx, await requireRun(ctx, encoded.cid)), 201)
  })

  router.openapi(runRoute, async (c) => c.json(await view(ctx, await requireRun(ctx, parseCid(c.req.valid('param').cid))), 200))

  router.openapi(provenanceRoute, async (c) => {
    const { run } = await requireRun(ctx, parseCid(c.req.valid('param').cid))
    return c.json(await provenanceOf(ctx, run), 200)
  })

  return router
}

async function requireRun(ctx: ApiContext, cid: CID): Promise<RunRow> {
  const run = await findRun(ctx.db, cid)
  if (run === null) throw new Problem('not-found', `the run ${cid.toString()} is not known here`)
  return run
}

/** Nothing may be claimed that the selections cannot give. */
async function checkConsumption(ctx: ApiContext, run: Run): Promise<void> {
  for (const consumption of run.consumed) {
    const { document } = await loadSelection(ctx, consumption.selection)
    const possible = document.selectedCount === 0 ? 0 : stepsPerEpoch(consumption, document.selectedCount) * consumption.epochs
    if (consumption.steps !== null && consumption.steps > possible)
      throw new Problem(
        'invalid-document',
        `${consumption.epochs} epochs of ${consumption.selection.toString()} have ${possible} steps, not ${consumption.steps}`,
      )
  }
}

/** `saveRun` holds the law; this look beforehand keeps the blocks of a run that it would refuse from being stored. */
async function checkStarted(ctx: ApiContext, run: Run): Promise<void> {
  if (run.status === 'started') return
  const started = run.previous === undefined ? null : await findRun(ctx.db, run.previous)
  if (started === null || started.status !== 'started')
    throw new Problem('conflict', 'a finished or failed run names in "previous" the document that started it, recorded here')
  if (started.author !== run.author) throw new Problem('forbidden', `the run was started by ${started.author}; only they can end it`)
}

async function view(ctx: ApiContext, row: RunRow): Promise<z.infer<typeof RunView>> {
  const [attestations, ends] = await Promise.all([attestationsOf(ctx.db, row.run), endsOfRun(ctx.db, row.started ?? row.run)])
  return {
    run: row.run.toString(),
    name: row.name,
    author: row.author,
    status: row.status,
    createdAt: row.createdAt.toISOString(),
    started: row.started?.toString() ?? null,
    ends: ends.map((end) => end.run.toString()),
    consumed: row.consumed.map(({ selection, index }) => ({ selection: selection.toString(), index: index.toString() })),
    attestations: attestations.map(attestationView),
  }
}

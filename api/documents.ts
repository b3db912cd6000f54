/** The documents as the bytes that were signed, with their envelopes and the proof that the log has them. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type CID, parseCid } from '../core/cid.ts'
import { Problem } from '../core/problem.ts'
import { type RecordedAttestation, attestationOf, attestationsOf, documentKind } from '../store/documents.ts'
import type { ApiContext } from './context.ts'
import { markImmutable } from './http/immutable.ts'
import { proofFileOf } from './logProof.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { AttestationView, CidParameter, DSSE, attestationView, bytesAnswer } from './schemas.ts'

const DAG_JSON = 'application/vnd.ipld.dag-json'

const documentRoute = createRoute({
  method: 'get',
  path: '/v1/documents/{cid}',
  tags: ['documents'],
  summary: 'A document',
  description: 'Canonical DAG-JSON: the bytes whose SHA-256 is in the CID and in the signed statement.',
  request: { params: CidParameter },
  responses: {
    200: bytesAnswer('The bytes', DAG_JSON),
    304: { description: 'You have them' },
    default: problemResponse,
  },
})

const envelopeRoute = createRoute({
  method: 'get',
  path: '/v1/documents/{cid}/envelope',
  tags: ['documents'],
  summary: 'Its first envelope',
  description: 'The DSSE envelope over an in-toto Statement about the document. /attestations names all of them.',
  request: { params: CidParameter },
  responses: {
    200: bytesAnswer('The envelope', DSSE),
    default: problemResponse,
  },
})

const attestationsRoute = createRoute({
  method: 'get',
  path: '/v1/documents/{cid}/attestations',
  tags: ['documents'],
  summary: 'Who signed it, and where the log has it',
  request: { params: CidParameter },
  responses: {
    200: { description: 'Oldest first', content: { 'application/json': { schema: z.array(AttestationView) } } },
    default: problemResponse,
  },
})

const proofRoute = createRoute({
  method: 'get',
  path: '/v1/documents/{cid}/proof',
  tags: ['documents'],
  summary: 'A C2SP tlog-proof file against the newest checkpoint',
  description: 'For the first attestation; `extra` is the log entry, which names the document and its envelope.',
  request: { params: CidParameter },
  responses: { 200: bytesAnswer('The file', 'text/plain'), default: problemResponse },
})

export function documentRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openapi(documentRoute, async (c) => {
    const cid = parseCid(c.req.valid('param').cid)
    if ((await documentKind(ctx.db, cid)) === null) throw unknown(cid)
    if (markImmutable(c, cid.toString())) return c.body(null, 304)
    return c.body(Buffer.from(await ctx.blocks.get(cid)), 200, { 'content-type': DAG_JSON })
  })

  router.openapi(envelopeRoute, async (c) => {
    const { envelope } = await firstAttestation(ctx, parseCid(c.req.valid('param').cid))
    return c.body(Buffer.from(await ctx.blocks.get(envelope)), 200, { 'content-type': DSSE })
  })

  router.openapi(attestationsRoute, async (c) => {
    const cid = parseCid(c.req.valid('param').cid)
    if ((await documentKind(ctx.db, cid)) === null) throw unknown(cid)
    return c.json((await attestationsOf(ctx.db, cid)).map(attestationView), 200)
  })

  router.openapi(proofRoute, async (c) => {
    const attestation = await firstAttestation(ctx, parseCid(c.req.valid('param').cid))
    const file = await proofFileOf(ctx.db, attestation)
    return c.body(Buffer.from(file), 200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' })
  })

  return router
}

async function firstAttestation(ctx: ApiContext, cid: CID): Promise<RecordedAttestation> {
  const attestation = await attestationOf(ctx.db, cid)
  if (attestation !== null) return attestation
  if ((await documentKind(ctx.db, cid)) === null) throw unknown(cid)
  throw new Problem('not-found', 'nobody signs a document of this kind; anyone who computes it gets the same CID')
}

function unknown(cid: CID): Problem {
  return new Problem('not-found', `there is no document ${cid.toString()} here`)
}

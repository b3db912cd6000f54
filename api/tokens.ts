/**
 * Tokens. Whoever holds a key asks for one by signing a request that names this service and the time, so that the signature is of no use
 * elsewhere or later.
 */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { bytesToUtf8 } from '../core/bytes.ts'
import { Did, Timestamp } from '../core/documents/common.ts'
import { MAX_ENVELOPE_BYTES, openEnvelope } from '../core/dsse.ts'
import { Problem } from '../core/problem.ts'
import { SCOPES, hasToken, issueToken, revokeToken } from '../store/tokens.ts'
import { type AccountEnv, bearerSecurity, requireScope } from './auth.ts'
import type { ApiContext } from './context.ts'
import { readRequestBody } from './http/body.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { DSSE } from './schemas.ts'

export const TOKEN_REQUEST_TYPE = 'application/vnd.assay.token-request+json'
const CLOCK_SKEW_MS = 5 * 60 * 1000

const Scopes = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length)

export const TokenRequest = z
  .strictObject({
    audience: z.string().max(2048).meta({ description: 'The URL of this service, as GET /v1/service gives it' }),
    issuedAt: Timestamp,
    scopes: Scopes,
  })
  .meta({ id: 'TokenRequest' })

const Token = z
  .strictObject({ token: z.string().meta({ description: 'Shown this once; we keep its hash' }), account: Did, scopes: Scopes })
  .meta({ id: 'Token' })

const issueRoute = createRoute({
  method: 'post',
  path: '/v1/tokens',
  tags: ['tokens'],
  summary: 'Get a token for a signature',
  description: `The body is a DSSE envelope whose payload, of type ${TOKEN_REQUEST_TYPE}, is a TokenRequest signed by one Ed25519 key not more than five minutes ago.`,
  request: { body: { content: { [DSSE]: { schema: { type: 'object' } } }, required: true } },
  responses: { 201: { description: 'The token', content: { 'application/json': { schema: Token } } }, default: problemResponse },
})

const revokeRoute = (ctx: ApiContext) =>
  createRoute({
    method: 'delete',
    path: '/v1/tokens/current',
    tags: ['tokens'],
    summary: 'Revoke the token that the request carries',
    security: bearerSecurity,
    middleware: requireScope(ctx),
    responses: { 204: { description: 'It is worth nothing now' }, default: problemResponse },
  })

export function tokenRoutes(ctx: ApiContext): OpenAPIHono<AccountEnv> {
  const router = createRouter<AccountEnv>()
  router.openAPIRegistry.register('TokenRequest', TokenRequest)

  router.openapi(issueRoute, async (c) => {
    const envelope = await readRequestBody(c, MAX_ENVELOPE_BYTES)
    const { payload, signers } = openEnvelope(envelope, { payloadType: TOKEN_REQUEST_TYPE })
    const [account] = signers
    if (account === undefined || signers.length > 1) throw new Problem('invalid-request', 'a token request is signed by one key')
    const request = parseTokenRequest(payload)
    if (request.audience !== ctx.publicUrl)
      throw new Problem('untrusted', `the request is for ${request.audience}; this is ${ctx.publicUrl}. Sign one that names it`)
    if (Math.abs(ctx.clock().getTime() - Date.parse(request.issuedAt)) > CLOCK_SKEW_MS)
      throw new Problem('untrusted', `the request was signed at ${request.issuedAt}; sign a fresh one, and check your clock`)
    if (ctx.registration === 'closed' && !(await hasToken(ctx.db, account)))
      throw new Problem('forbidden', 'this service takes no new accounts; ask its operator')
    const scopes = [...new Set(request.scopes)].sort()
    const token = await issueToken(ctx.db, { account, scopes }, ctx.random)
    return c.json({ token, account, scopes }, 201, { 'cache-control': 'no-store' })
  })

  router.openapi(revokeRoute(ctx), async (c) => {
    await revokeToken(ctx.db, c.var.token)
    return c.body(null, 204)
  })

  return router
}

function parseTokenRequest(payload: Uint8Array): z.infer<typeof TokenRequest> {
  let value: unknown
  try {
    value = JSON.parse(bytesToUtf8(payload))
  } catch (cause) {
    throw new Problem('invalid-document', 'the token request is not JSON', { cause })
  }
  const result = TokenRequest.safeParse(value)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Problem('invalid-document', `not a token request at ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  return result.data
}

/** Files of data sets on their way in, each under the CID that its bytes make. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { CODEC_DAG_PB, CODEC_RAW, parseCid } from '../core/cid.ts'
import { Count, Hex32 } from '../core/documents/common.ts'
import { Problem } from '../core/problem.ts'
import { findFile, storeFile } from '../store/files.ts'
import { type AccountEnv, bearerSecurity, requireScope } from './auth.ts'
import type { ApiContext } from './context.ts'
import { requestBody } from './http/body.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { CidParameter, CidText } from './schemas.ts'

const StoredFileView = z.strictObject({ cid: CidText, sizeBytes: Count, sha256: Hex32 }).meta({ id: 'StoredFile' })

const headRoute = createRoute({
  method: 'get',
  path: '/v1/files/{cid}',
  tags: ['files'],
  summary: 'Whether a file is here, whole',
  description: 'HEAD does the same. The bytes themselves are at /ipfs/{cid}.',
  request: { params: CidParameter },
  responses: { 200: { description: 'It is', content: { 'application/json': { schema: StoredFileView } } }, default: problemResponse },
})

const putRoute = (ctx: ApiContext) =>
  createRoute({
    method: 'put',
    path: '/v1/files/{cid}',
    tags: ['files'],
    summary: 'Upload a file',
    description:
      'The body is the file, as a stream. The CID is the root of its UnixFS DAG under the profile unixfs-v1-2025; other bytes are refused and leave nothing behind. Once this is answered, the file survives any crash.',
    security: bearerSecurity,
    middleware: requireScope(ctx, 'publish'),
    request: { params: CidParameter, body: { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } } },
    responses: {
      200: { description: 'It was here already', content: { 'application/json': { schema: StoredFileView } } },
      201: { description: 'It is here now', content: { 'application/json': { schema: StoredFileView } } },
      default: problemResponse,
    },
  })

export function fileRoutes(ctx: ApiContext): OpenAPIHono<AccountEnv> {
  const router = createRouter<AccountEnv>()

  router.openapi(headRoute, async (c) => {
    const cid = parseCid(c.req.valid('param').cid)
    const file = await findFile(ctx.db, cid)
    if (file === null) throw new Problem('not-found', `the file ${cid.toString()} is not here; PUT it`)
    return c.json(view(file), 200)
  })

  router.openapi(putRoute(ctx), async (c) => {
    const cid = parseCid(c.req.valid('param').cid)
    if (cid.code !== CODEC_RAW && cid.code !== CODEC_DAG_PB)
      throw new Problem('invalid-request', `${cid.toString()} is not the CID of a UnixFS file`)
    const held = await findFile(ctx.db, cid)
    if (held !== null) return c.json(view(held), 200)
    const { created, ...file } = await storeFile(ctx.db, ctx.blocks, requestBody(c, ctx.limits.fileBytes), {
      expected: cid,
      signal: c.req.raw.signal,
    })
    return c.json(view(file), created ? 201 : 200)
  })

  return router
}

function view(file: { cid: { toString(): string }; sizeBytes: number; sha256: string }): z.infer<typeof StoredFileView> {
  return { cid: file.cid.toString(), sizeBytes: file.sizeBytes, sha256: file.sha256 }
}

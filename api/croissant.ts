/** A version as Croissant 1.1, at the path where clients of the Hugging Face Hub look for it. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { type CID, isCid } from '../core/cid.ts'
import { CROISSANT_MEDIA_TYPE } from '../core/croissant/context.ts'
import { croissantOf, encodeCroissant } from '../core/croissant/croissant.ts'
import type { Signed } from '../core/croissant/provenance.ts'
import { parseKey } from '../core/log/noteKey.ts'
import type { SignedKind } from '../core/statement.ts'
import { attestationsOf, loadDocument } from '../store/documents.ts'
import { loadExport } from '../store/exports.ts'
import { type VersionRow, resolveRef } from '../store/versions.ts'
import type { ApiContext } from './context.ts'
import { standingOf } from './hub/standing.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { attestationView } from './schemas.ts'

const croissantRoute = createRoute({
  method: 'get',
  path: '/api/datasets/{namespace}/{name}/croissant',
  tags: ['datasets'],
  summary: 'A version as Croissant 1.1',
  description:
    'JSON-LD with each file’s SHA-256, the rows as record sets (as published, and those that pass), splits, provenance (PROV-O), declarations (RAI) and terms of use (ODRL). `assay provenance REF --format croissant` writes the same bytes from the signed documents.',
  request: {
    params: z.object({
      namespace: z.string().meta({ description: '`cid` where the name is the CID of a manifest or index' }),
      name: z.string(),
    }),
    query: z.object({
      version: z
        .string()
        .regex(/^[1-9]\d{0,8}$/, 'expected the number of a version')
        .optional()
        .meta({ description: 'The number of a version; the newest unless given' }),
    }),
  },
  responses: {
    200: { description: 'It', content: { [CROISSANT_MEDIA_TYPE as string]: { schema: { type: 'object' as const } } } },
    default: problemResponse,
  },
})

export function croissantRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openapi(croissantRoute, async (c) => {
    const { namespace, name } = c.req.valid('param')
    const { version: number } = c.req.valid('query')
    const ref = namespace === 'cid' && isCid(name) ? name : `${namespace}/${name}${number === undefined ? '' : `@${number}`}`
    const text = encodeCroissant(await describe(ctx, await resolveRef(ctx.db, ref)))
    return c.body(text, 200, { 'content-type': CROISSANT_MEDIA_TYPE, 'cache-control': 'no-cache' })
  })

  return router
}

async function describe(ctx: ApiContext, version: VersionRow) {
  const { shown } = await standingOf(ctx, version)
  return croissantOf({
    registry: { url: ctx.publicUrl, logOrigin: parseKey(ctx.logVkey).name },
    number: version.number,
    manifest: await signed(ctx, 'manifest', version.manifest),
    index: version.index === null ? null : await signed(ctx, 'index', version.index),
    verified:
      shown === null
        ? null
        : {
            report: await signed(ctx, 'report', shown.subject),
            export: { cid: shown.document, document: await loadExport(ctx.blocks, shown.document) },
          },
  })
}

async function signed<K extends SignedKind>(ctx: ApiContext, kind: K, cid: CID): Promise<Signed<K>> {
  return { ...(await loadDocument(ctx.blocks, kind, cid)), signatures: (await attestationsOf(ctx.db, cid)).map(attestationView) }
}

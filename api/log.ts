/**
 * The transparency log as static tiles (https://c2sp.org/tlog-tiles): `/log/checkpoint`, `/log/tile/<L>/<N>[.p/<W>]` and
 * `/log/tile/entries/<N>[.p/<W>]`. A tile that the published checkpoint does not cover does not exist yet.
 */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { bytesToHex } from '../core/bytes.ts'
import { Count, Hex32 } from '../core/documents/common.ts'
import { DIGEST_LENGTH } from '../core/hash.ts'
import { encodeEntryTile } from '../core/log/entry.ts'
import { TILE_WIDTH, parseTilePath } from '../core/merkle/tiles.ts'
import { Problem } from '../core/problem.ts'
import { readLogEntries, readPublishedCheckpoint, readLogTile } from '../store/log.ts'
import type { ApiContext } from './context.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { bytesAnswer } from './schemas.ts'

const LogInfo = z
  .strictObject({
    origin: z.string(),
    vkey: z.string().meta({ description: 'C2SP verification key of the checkpoints' }),
    size: Count,
    rootHash: Hex32.nullable(),
    checkpointUrl: z.string(),
  })
  .meta({ id: 'LogInfo' })

const infoRoute = createRoute({
  method: 'get',
  path: '/v1/log',
  tags: ['log'],
  summary: 'The log and its key',
  responses: { 200: { description: 'The log', content: { 'application/json': { schema: LogInfo } } }, default: problemResponse },
})

const checkpointRoute = createRoute({
  method: 'get',
  path: '/log/checkpoint',
  tags: ['log'],
  summary: 'The newest checkpoint, a signed note',
  responses: { 200: bytesAnswer('A note', 'text/plain'), default: problemResponse },
})

export function logRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openapi(infoRoute, async (c) => {
    const state = await readPublishedCheckpoint(ctx.db)
    return c.json(
      {
        origin: ctx.logVkey.slice(0, ctx.logVkey.indexOf('+')),
        vkey: ctx.logVkey,
        size: state?.size ?? 0,
        rootHash: state === null ? null : bytesToHex(state.rootHash),
        checkpointUrl: `${ctx.publicUrl}/log/checkpoint`,
      },
      200,
    )
  })

  router.openapi(checkpointRoute, async (c) => {
    const state = await readPublishedCheckpoint(ctx.db)
    if (state === null) throw new Problem('not-ready', 'the log has no checkpoint yet')
    return c.body(Buffer.from(state.checkpoint), 200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' })
  })

  // The paths of tiles have slashes in their last part, which OpenAPI cannot route; so it is only described here.
  router.openAPIRegistry.registerPath({
    method: 'get',
    path: '/log/tile/{level}/{index}',
    tags: ['log'],
    summary: 'A tile of hashes (level 0, 1 …) or a bundle of entries (level "entries")',
    description:
      'The index is written in groups of three digits, x001/x234/067; a partial tile ends in .p/<width> (https://c2sp.org/tlog-tiles).',
    request: { params: z.object({ level: z.string(), index: z.string() }) },
    responses: { 200: bytesAnswer('Hashes or entries', 'application/octet-stream'), default: problemResponse },
  })
  router.get('/log/tile/*', async (c) => {
    const { level, index, width } = parseTilePath(c.req.path.slice('/log/'.length))
    const bytes = level === 'entries' ? await entryTile(ctx, index, width) : await hashTile(ctx, level, index, width)
    return c.body(Buffer.from(bytes), 200, {
      'content-type': 'application/octet-stream',
      'cache-control': 'public, max-age=29030400, immutable',
    })
  })

  return router
}

async function hashTile(ctx: ApiContext, level: number, index: number, width: number): Promise<Uint8Array> {
  const tile = await readLogTile(ctx.db, level, index)
  if (tile === null || tile.width < width) throw beyondLog()
  return tile.bytes.subarray(0, width * DIGEST_LENGTH)
}

async function entryTile(ctx: ApiContext, index: number, width: number): Promise<Uint8Array> {
  const first = index * TILE_WIDTH
  const entries = await readLogEntries(ctx.db, first, first + width)
  if (entries.length < width) throw beyondLog()
  return encodeEntryTile(entries)
}

function beyondLog(): Problem {
  return new Problem('not-found', 'the log has not grown that far; /log/checkpoint says how far it has')
}

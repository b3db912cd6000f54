/** The state of a version as it changes, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import { setTimeout as delay } from 'node:timers/promises'
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { utf8ToBytes } from '../core/bytes.ts'
import type { CID } from '../core/cid.ts'
import { resolveRef, versionOf } from '../store/versions.ts'
import type { ApiContext } from './context.ts'
import { responseBody } from './http/body.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { RefParameter, bytesAnswer } from './schemas.ts'
import { versionSummary } from './versionView.ts'

const EVENT_STREAM = 'text/event-stream'
const POLL_MS = 500
/** A comment after so many quiet polls keeps proxies from closing the connection. */
const QUIET_POLLS = 30

const eventsRoute = createRoute({
  method: 'get',
  path: '/v1/versions/{ref}/events',
  tags: ['datasets'],
  summary: 'The state of a version as it changes',
  description: 'Server-sent events; the data of each is a VersionSummary. The stream ends when the version is verified or failed.',
  request: { params: RefParameter },
  responses: { 200: bytesAnswer('Events', EVENT_STREAM), default: problemResponse },
})

export function eventRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openapi(eventsRoute, async (c) => {
    const { manifest } = await resolveRef(ctx.db, c.req.valid('param').ref)
    return c.body(responseBody(ctx, c.req, versionEvents(ctx, manifest, c.req.raw.signal)), 200, {
      'content-type': EVENT_STREAM,
      'cache-control': 'no-store',
    })
  })

  return router
}

async function* versionEvents(ctx: ApiContext, manifest: CID, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let last = ''
  for (let quiet = 0; !signal.aborted; quiet++) {
    const version = versionSummary(await versionOf(ctx.db, manifest))
    const data = JSON.stringify(version)
    if (data !== last) {
      quiet = 0
      last = data
      yield utf8ToBytes(`event: version\ndata: ${data}\n\n`)
    } else if (quiet >= QUIET_POLLS) {
      quiet = 0
      yield utf8ToBytes(': still here\n\n')
    }
    if (version.state === 'verified' || version.state === 'failed') return
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined) // an abort ends the loop
  }
}

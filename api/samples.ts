/** The samples of a version: JSON pages to look at, an Arrow stream to train on. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { bytesToHex } from '../core/bytes.ts'
import type { CID } from '../core/cid.ts'
import { Count, Hex32 } from '../core/documents/common.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import { formatCursor } from '../core/runOrder.ts'
import { sampleDigest } from '../core/samples/encoding.ts'
import { rowToJsonValue } from '../core/samples/json.ts'
import { type Samples, openSamples } from '../store/samples.ts'
import { resolveRef } from '../store/versions.ts'
import { ARROW_STREAM, arrowStream } from './arrowStream.ts'
import type { ApiContext } from './context.ts'
import { responseBody } from './http/body.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { type SamplePlan, SampleQuery, planSamples } from './sampleQuery.ts'
import { RefParameter } from './schemas.ts'
import { createSelectionCache } from './selectionCache.ts'

/** A page ends with the row that passes this many bytes of JSON. */
const PAGE_BYTES = 8 * 1024 * 1024
/** Rows of a page that are read at a time. */
const PAGE_STEP = 64
/** Indices whose shards are held in memory at a time. */
const OPEN_INDICES = 2

const SamplePage = z
  .strictObject({
    schema: z.array(z.unknown()).meta({ description: 'The columns, as in the index' }),
    samples: z.array(
      z.strictObject({
        number: Count,
        digest: Hex32.meta({ description: 'Of the whole row' }),
        row: z.record(z.string(), z.unknown()).meta({
          description: 'int64 beyond 2^53, NaN and infinities as strings, bytes as base64, times as ISO 8601 (core/samples/json.ts)',
        }),
      }),
    ),
    next: z.string().nullable().meta({ description: '`cursor` of the next page; null at the end' }),
  })
  .meta({ id: 'SamplePage' })

const samplesRoute = createRoute({
  method: 'get',
  path: '/v1/versions/{ref}/samples',
  tags: ['samples'],
  summary: 'Samples of a version',
  description: `A JSON page, or with "Accept: ${ARROW_STREAM}" everything that is asked for as an Arrow IPC stream. With "selection" and "seed" it is what a training epoch reads; shards are disjoint and cover it.`,
  request: { params: RefParameter, query: SampleQuery },
  responses: {
    200: {
      description: 'The samples',
      content: {
        'application/json': { schema: SamplePage },
        [ARROW_STREAM as string]: { schema: { type: 'string' as const, format: 'binary' } },
      },
    },
    default: problemResponse,
  },
})

export function sampleRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()
  const selections = createSelectionCache(ctx)
  const open = createSamplesCache(ctx)

  router.openapi(samplesRoute, async (c) => {
    const isStream = (c.req.header('accept') ?? '').includes(ARROW_STREAM)
    const version = await resolveRef(ctx.db, c.req.valid('param').ref)
    const plan = await planSamples(ctx, selections, version, c.req.valid('query'), isStream)
    const samples = open(plan.indexCid, plan.index)
    c.header('vary', 'accept')
    if (!isStream) return c.json(await samplePage(ctx, samples, plan), 200)
    return c.body(responseBody(ctx, c.req, arrowStream(ctx.blocks, samples, plan)), 200, {
      'content-type': ARROW_STREAM,
      'x-assay-samples': String(plan.to - plan.from),
    })
  })

  return router
}

async function samplePage(ctx: ApiContext, samples: Samples, plan: SamplePlan): Promise<z.infer<typeof SamplePage>> {
  const { index, sequence, columns, epoch } = plan
  const schema = columns === null ? index.schema : index.schema.filter((field) => columns.includes(field.name))
  const page: z.infer<typeof SamplePage> = { schema, samples: [], next: null }
  let place = plan.from
  for (let bytes = 0; place < plan.to && bytes < PAGE_BYTES;) {
    const numbers = Array.from({ length: Math.min(PAGE_STEP, plan.to - place) }, (_, i) => sequence.at(place + i))
    for (const [i, row] of (await samples.takeRows(numbers)).entries()) {
      if (bytes >= PAGE_BYTES) break
      const json = rowToJsonValue(schema, row)
      page.samples.push({ number: numbers[i]!, digest: bytesToHex(sampleDigest(row, ctx.blocks.hash)), row: json })
      bytes += JSON.stringify(json).length
      place++
    }
  }
  if (place < sequence.length) page.next = formatCursor({ epoch, offset: place })
  return page
}

/** Opened indices, so that a stream of small pages does not read the same shards again; the least recently used is closed first. */
function createSamplesCache(ctx: ApiContext): (cid: CID, index: SampleIndex) => Samples {
  const opened = new Map<string, Samples>()
  return (cid, index) => {
    const key = cid.toString()
    const samples = opened.get(key) ?? openSamples(ctx.blocks, index, { cacheBytes: ctx.limits.cacheBytes / 2 / OPEN_INDICES })
    opened.delete(key)
    opened.set(key, samples)
    const [oldest] = opened.keys()
    if (opened.size > OPEN_INDICES && oldest !== undefined) opened.delete(oldest)
    return samples
  }
}

/** From a sample's digest to the versions that hold it and the runs that read it: what a recall or an artist asks. */
import { type OpenAPIHono, createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { hexToBytes } from '../core/bytes.ts'
import type { CID } from '../core/cid.ts'
import { Count, Hex32 } from '../core/documents/common.ts'
import type { Consumption } from '../core/documents/run.ts'
import { createInverseOrder } from '../core/order.ts'
import { positionOf, stepOf } from '../core/runOrder.ts'
import { loadDocument } from '../store/documents.ts'
import { type RunRow, runsOfIndex } from '../store/runs.ts'
import { indexedVersions } from '../store/versions.ts'
import type { ApiContext } from './context.ts'
import { findDigest } from './digestTable.ts'
import { problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { CidText } from './schemas.ts'
import { type LoadedSelection, type SelectionCache, createSelectionCache } from './selectionCache.ts'

/** Copies of one sample that are listed for a version. */
const MAX_COPIES = 100
/** Readings that are listed for a run; a run of more epochs read it as often again. */
const MAX_READINGS = 100

const Reading = z.strictObject({ sample: Count, epoch: Count, step: Count, row: Count })

const SampleLookup = z
  .strictObject({
    digest: Hex32,
    versions: z.array(
      z.strictObject({
        dataset: z.string(),
        number: z.number().int(),
        manifest: CidText,
        index: CidText,
        samples: z.array(Count).meta({ description: `Its numbers, at most ${MAX_COPIES}` }),
      }),
    ),
    runs: z.array(
      z.strictObject({
        run: CidText,
        name: z.string(),
        author: z.string(),
        status: z.enum(['started', 'finished', 'failed']),
        selection: CidText,
        readings: z.array(Reading).meta({
          description: `When it read the sample, at most ${MAX_READINGS}. Of a run that is not finished: when its plan reads it`,
        }),
      }),
    ),
  })
  .meta({ id: 'SampleLookup' })

const lookupRoute = createRoute({
  method: 'get',
  path: '/v1/samples/{digest}',
  tags: ['samples'],
  summary: 'Which versions hold a sample, and which runs read it',
  request: { params: z.object({ digest: Hex32.meta({ description: "The sample's digest, 64 hexadecimal digits" }) }) },
  responses: {
    200: { description: 'What is known here', content: { 'application/json': { schema: SampleLookup } } },
    default: problemResponse,
  },
})

type RunReadings = z.infer<typeof SampleLookup>['runs'][number]

export function sampleLookupRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()
  const selections = createSelectionCache(ctx)

  router.openapi(lookupRoute, async (c) => {
    const { digest } = c.req.valid('param')
    const lookup: z.infer<typeof SampleLookup> = { digest, versions: [], runs: [] }
    for (const { dataset, number, manifest, index } of await indexedVersions(ctx.db)) {
      const { document } = await loadDocument(ctx.blocks, 'index', index)
      const samples = await findDigest(ctx.blocks, document, hexToBytes(digest), MAX_COPIES)
      if (samples.length === 0) continue
      lookup.versions.push({ dataset, number, manifest: manifest.toString(), index: index.toString(), samples })
      lookup.runs.push(...(await runsThatRead(ctx, selections, index, samples)))
    }
    return c.json(lookup, 200)
  })

  return router
}

async function runsThatRead(ctx: ApiContext, selections: SelectionCache, index: CID, samples: number[]): Promise<RunReadings[]> {
  const found: RunReadings[] = []
  for (const row of lastWord(await runsOfIndex(ctx.db, index))) {
    const { document } = await loadDocument(ctx.blocks, 'run', row.run)
    for (const consumption of document.consumed) {
      const selection = await selections.get(consumption.selection)
      if (selection.document.index.toString() !== index.toString()) continue
      const readings = samples.flatMap((sample) => readingsOf(consumption, selection, sample))
      if (readings.length === 0) continue
      found.push({
        run: row.run.toString(),
        name: row.name,
        author: row.author,
        status: row.status,
        selection: consumption.selection.toString(),
        readings: readings.slice(0, MAX_READINGS),
      })
    }
  }
  return found
}

/** A run that has ended speaks by its end alone. */
function lastWord(runs: RunRow[]): RunRow[] {
  const ended = new Set(runs.map((run) => run.started?.toString()))
  return runs.filter((run) => run.status !== 'started' || !ended.has(run.run.toString()))
}

/** When a run read a sample. Epochs follow one another, so the first in which it was not reached is the end. */
function readingsOf(consumption: Consumption, { document, bitmap }: LoadedSelection, sample: number): z.infer<typeof Reading>[] {
  const readings: z.infer<typeof Reading>[] = []
  for (let epoch = 0; epoch < consumption.epochs && readings.length < MAX_READINGS; epoch++) {
    const inverseOrder = createInverseOrder({ seed: consumption.seed, epoch, size: document.selectedCount })
    const position = positionOf(bitmap, inverseOrder, sample)
    const place = position === null ? null : stepOf(consumption, document.selectedCount, epoch, position)
    if (place === null) break
    readings.push({ sample, epoch, ...place })
  }
  return readings
}

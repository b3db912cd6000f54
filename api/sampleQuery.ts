/** What a reader of samples may ask for, and what the question means. */
import { z } from 'zod'
import { createBitmap } from '../core/bitmap.ts'
import { type CID, parseCid } from '../core/cid.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import { FlagName, flagMask } from '../core/findings.ts'
import { Problem } from '../core/problem.ts'
import { type Cursor, parseCursor } from '../core/runOrder.ts'
import { loadDocument } from '../store/documents.ts'
import { loadFindings } from '../store/findings.ts'
import { type VersionRow, reportsOf } from '../store/versions.ts'
import type { ApiContext } from './context.ts'
import { type SampleSequence, allSamples, markedSamples, permuted, sharded } from './sampleSequence.ts'
import { WholeText } from './schemas.ts'
import type { SelectionCache } from './selectionCache.ts'

const DEFAULT_PAGE_SAMPLES = 100

export const SampleQuery = z.object({
  offset: WholeText.optional().meta({
    description: 'Rows of the sequence to skip; without selection, seed and shard: the first sample number',
  }),
  limit: WholeText.optional().meta({ description: 'Rows at most. Default: 100 of a JSON page, all of an Arrow stream' }),
  selection: z.string().max(128).optional().meta({ description: 'CID of a selection of this version: only its samples' }),
  flag: FlagName.optional().meta({ description: "Only the samples that this node's report flags so" }),
  seed: z.string().min(1).max(128).optional().meta({ description: 'Read in the order of a training epoch, keyed by this text' }),
  epoch: WholeText.optional().meta({ description: 'Which epoch, with a seed. Default 0' }),
  shard: z
    .string()
    .regex(/^\d{1,7}\/\d{1,7}$/, 'expected i/n, for worker i of n from 0')
    .optional()
    .meta({ description: 'i/n: what data-parallel worker i of n reads, i from 0' }),
  cursor: z.string().max(64).optional().meta({ description: '`next` of the page before: epoch and offset as `e.o`' }),
  columns: z.string().max(65_536).optional().meta({ description: 'Names of columns, separated by commas. Default: all' }),
  numbers: z.enum(['0', '1']).optional().meta({ description: '1: an Arrow stream gets a last column `assay:sample` of sample numbers' }),
})
export type SampleQuery = z.infer<typeof SampleQuery>

/** A question with everything looked up that it names. */
export interface SamplePlan {
  indexCid: CID
  index: SampleIndex
  sequence: SampleSequence
  /** Rows from ≤ place < to of the sequence. */
  from: number
  to: number
  epoch: number
  /** Column names in the order of the schema; null for all. */
  columns: string[] | null
  numbers: boolean
}

/** Throws `not-ready` for a version without an index, `not-found` for a selection that is not one of it, `invalid-request`. */
export async function planSamples(
  ctx: ApiContext,
  selections: SelectionCache,
  version: VersionRow,
  query: SampleQuery,
  isStream: boolean,
): Promise<SamplePlan> {
  const indexCid = version.index
  if (indexCid === null)
    throw new Problem(
      'not-ready',
      version.failure === null
        ? 'the version is not indexed yet; GET /v1/versions/{ref} tells when it is'
        : `the version failed: ${version.failure}`,
    )
  const { document: index } = await loadDocument(ctx.blocks, 'index', indexCid)
  const { epoch, offset } = startOf(query)
  const chosen = await chooseSamples(ctx, selections, { indexCid, index }, query)
  const ordered = query.seed === undefined ? chosen : permuted(chosen, { seed: query.seed, epoch })
  const sequence = sharded(ordered, parseShard(query.shard))
  const limit = query.limit ?? (isStream ? sequence.length : DEFAULT_PAGE_SAMPLES)
  const from = Math.min(offset, sequence.length)
  const to = Math.min(from + (isStream ? limit : Math.min(limit, ctx.limits.pageSamples)), sequence.length)
  return { indexCid, index, sequence, from, to, epoch, columns: parseColumns(query.columns, index), numbers: query.numbers === '1' }
}

function startOf({ cursor, offset, epoch, seed }: SampleQuery): Cursor {
  if (epoch !== undefined && seed === undefined) throw new Problem('invalid-request', '"epoch" needs a "seed"')
  if (cursor === undefined) return { epoch: epoch ?? 0, offset: offset ?? 0 }
  if (offset !== undefined || epoch !== undefined) throw new Problem('invalid-request', 'a "cursor" says epoch and offset; leave those out')
  return parseCursor(cursor)
}

async function chooseSamples(
  ctx: ApiContext,
  selections: SelectionCache,
  { indexCid, index }: { indexCid: CID; index: SampleIndex },
  { selection, flag, seed }: SampleQuery,
): Promise<SampleSequence> {
  const selected = selection === undefined ? null : await selections.get(parseCid(selection))
  if (selected !== null && selected.document.index.toString() !== indexCid.toString())
    throw new Problem('not-found', `${selection} selects from the index ${selected.document.index.toString()}, which is another version's`)
  if (flag === undefined) return selected === null ? allSamples(index.sampleCount) : markedSamples(selected.bitmap)
  if (seed !== undefined) throw new Problem('invalid-request', 'an epoch reads a whole selection; leave "flag" or "seed" out')

  const report = (await reportsOf(ctx.db, indexCid)).findLast(({ recipe }) => recipe.equals(ctx.recipeCid))
  if (report === undefined) throw new Problem('not-ready', 'the version is not verified yet, so that no sample has flags')
  const { flags } = await loadFindings(ctx.blocks, report.report, index.sampleCount)
  const mask = flagMask(flag)
  const flagged = createBitmap(index.sampleCount)
  for (const [number, bits] of flags.entries()) if ((bits & mask) !== 0 && (selected?.bitmap.get(number) ?? true)) flagged.set(number)
  return markedSamples(flagged)
}

function parseShard(text: string | undefined): { shard: number; shards: number } {
  if (text === undefined) return { shard: 0, shards: 1 }
  const [shard, shards] = text.split('/').map(Number) as [number, number] // the schema has seen to its form
  if (shard >= shards) throw new Problem('invalid-request', `there is no worker ${shard} of ${shards}; they count from 0`)
  return { shard, shards }
}

function parseColumns(text: string | undefined, index: SampleIndex): string[] | null {
  if (text === undefined) return null
  const wanted = new Set(text.split(','))
  const names = index.schema.map((field) => field.name)
  const unknown = [...wanted].find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new Problem('invalid-request', `there is no column "${unknown}"; there are ${names.slice(0, 32).join(', ')}`)
  return names.filter((name) => wanted.has(name))
}

/** What a reader should know, in `X-HF-Warning: topic; text`: Python's clients print it, once a topic. */
import type { Context } from 'hono'
import { type ReportRow, type VersionRow, reportsOf } from '../../store/versions.ts'
import type { ApiContext } from '../context.ts'
import { headerText } from './problems.ts'

/** The newest report under this node's recipe; null while there is none. */
export async function ownReport(ctx: ApiContext, { index }: VersionRow): Promise<ReportRow | null> {
  if (index === null) return null
  return (await reportsOf(ctx.db, index)).findLast((report) => report.recipe.equals(ctx.recipeCid)) ?? null
}

/** Puts the warnings of a version on the answer. */
export async function warn(c: Context, ctx: ApiContext, version: VersionRow): Promise<void> {
  const text = await warningOf(ctx, version)
  // A semicolon would end the topic, and a comma may join header lines.
  if (text !== null) c.header('x-hf-warning', headerText(`assay ${version.dataset}@${version.number}; ${text}`))
}

async function warningOf(ctx: ApiContext, version: VersionRow): Promise<string | null> {
  if (version.state === 'failed') return `these files could not be indexed (${version.failure ?? ''}): nothing in them has been checked.`
  const report = await ownReport(ctx, version)
  if (report === null) return 'this version is still being verified: the files are as published and nothing in them has been checked yet.'
  if (report.verdict !== 'FLAGGED') return null
  return `this version is flagged. Read the report at ${ctx.publicUrl}/v1/reports/${report.report.toString()}`
}

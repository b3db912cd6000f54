/** How far a version has come, and what a reader should know of it, in `X-HF-Warning: topic; text`: Python's clients print it, once a topic. */
import type { Context } from 'hono'
import { type ExportRow, exportsOf } from '../../store/exports.ts'
import { type ReportRow, type VersionRow, reportsOf } from '../../store/versions.ts'
import { commitIdOf } from '../../core/hub/exportDocument.ts'
import type { ApiContext } from '../context.ts'
import { headerText } from './problems.ts'

export interface Standing {
  /** The newest report under this node's recipe; null while there is none. */
  report: ReportRow | null
  /** What the version shows now: the export of that report or, while it is being written, of one before; null: the files as published. */
  shown: ExportRow | null
}

export async function standingOf(ctx: ApiContext, { index }: VersionRow): Promise<Standing> {
  if (index === null) return { report: null, shown: null }
  const own = (await reportsOf(ctx.db, index)).filter((report) => report.recipe.equals(ctx.recipeCid))
  const exported = await exportsOf(
    ctx.db,
    own.map(({ report }) => report),
  )
  const shown = own.findLast(({ report }) => exported.has(report.toString()))
  return { report: own.at(-1) ?? null, shown: shown === undefined ? null : exported.get(shown.report.toString())! }
}

/** The commit that a version shows now. */
export async function commitOf(ctx: ApiContext, version: VersionRow): Promise<string> {
  return (await standingOf(ctx, version)).shown?.commit ?? commitIdOf(version.manifest)
}

/** Puts the warnings of a version on the answer. */
export function warn(c: Context, ctx: ApiContext, version: VersionRow, standing: Standing): void {
  const name = `assay ${version.dataset}@${version.number}`
  // A semicolon would end the topic.
  for (const text of warningsOf(ctx, version, standing)) c.header('x-hf-warning', headerText(`${name}; ${text}`), { append: true })
}

function warningsOf(ctx: ApiContext, { state, failure }: VersionRow, { report, shown }: Standing): string[] {
  if (state === 'failed') return [`these files could not be indexed (${failure ?? ''}): nothing in them has been checked.`]
  if (report === null) return ['this version is still being verified: the files are as published and nothing in them has been checked yet.']
  const warnings: string[] = []
  if (report.verdict === 'FLAGGED') {
    const url = `${ctx.publicUrl}/v1/reports/${report.report.toString()}`
    warnings.push(`this version is flagged, see ${url}. The rows that passed are the config "verified", or a selection's CID as revision.`)
  }
  if (shown === null) warnings.push('the rows that passed are still being written: the config "verified" is not there yet.')
  return warnings
}

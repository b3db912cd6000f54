/** How a version is shown. */
import { z } from 'zod'
import { Did } from '../core/documents/common.ts'
import { State } from '../core/documents/report.ts'
import type { ReportRow, VersionRow } from '../store/versions.ts'
import { CidText } from './schemas.ts'

export const VersionSummary = z
  .strictObject({
    dataset: z.string(),
    number: z.number().int().positive(),
    owner: Did,
    manifest: CidText,
    index: CidText.nullable(),
    state: z.enum(['pinned', 'indexing', 'indexed', 'verified', 'failed']),
    failure: z.string().nullable().meta({ description: 'Why it failed; null unless it did' }),
    progress: z
      .strictObject({
        job: z.enum(['index', 'plan', 'embed', 'verify', 'export']),
        stage: z.string(),
        done: z.number(),
        total: z.number().nullable(),
      })
      .nullable()
      .meta({ description: 'What a worker does for it right now' }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'VersionSummary' })

export const ReportSummary = z
  .strictObject({ report: CidText, recipe: CidText, verdict: State, index: CidText, manifest: CidText })
  .meta({ id: 'ReportSummary' })

export const Version = VersionSummary.extend({
  reports: z.array(ReportSummary),
  export: CidText.nullable().meta({
    description: 'The generated files (rows as Parquet, a card) that stand beside those published; null while there are none',
  }),
}).meta({ id: 'Version' })

export function versionSummary(version: VersionRow): z.infer<typeof VersionSummary> {
  return {
    dataset: version.dataset,
    number: version.number,
    owner: version.owner,
    manifest: version.manifest.toString(),
    index: version.index?.toString() ?? null,
    state: version.state,
    failure: version.failure,
    progress: version.progress,
    createdAt: version.createdAt.toISOString(),
  }
}

export function reportSummary(report: ReportRow): z.infer<typeof ReportSummary> {
  return {
    report: report.report.toString(),
    recipe: report.recipe.toString(),
    verdict: report.verdict,
    index: report.index.toString(),
    manifest: report.manifest.toString(),
  }
}

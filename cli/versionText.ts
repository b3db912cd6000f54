/** A version as text for people and as JSON for programs. */
import type { Version } from './client/registry.ts'
import { printable } from './output.ts'

export function describeVersion(version: Version): string {
  const rows: [string, string][] = [
    ['version', `${version.dataset}@${version.number}`],
    ['state', version.state],
    ['manifest', version.manifest.toString()],
  ]
  if (version.failure != null) rows.push(['failure', printable(version.failure)])
  if (version.progress != null) rows.push(['progress', describeProgress(version.progress)])
  if (version.index != null) rows.push(['index', version.index.toString()])
  for (const { report, verdict } of version.reports) rows.push(['report', `${report.toString()}  ${verdict}`])
  return rows.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n')
}

export function describeProgress({ job, stage, done, total }: NonNullable<Version['progress']>): string {
  return `${job}: ${printable(stage)} ${done}${total === null ? '' : ` of ${total}`}`
}

export function versionValue(version: Version): object {
  return {
    dataset: version.dataset,
    number: version.number,
    state: version.state,
    manifest: version.manifest.toString(),
    index: version.index?.toString() ?? null,
    failure: version.failure ?? null,
    reports: version.reports.map(({ report, recipe, verdict }) => ({ report: report.toString(), recipe: recipe.toString(), verdict })),
  }
}

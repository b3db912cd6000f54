/** A report and its evidence as they are printed, whether a registry has them or they were made here. */
import type { Report } from '../core/documents/report.ts'
import type { Finding } from '../core/findings.ts'
import { formatMillionths, printable } from './output.ts'

/** What a program reads of a report. */
export function plainReport({ verdict, sampleCount, properties, detectors, columns, notCovered }: Report): object {
  return { verdict, sampleCount, properties, detectors, columns, notCovered }
}

/** What a person reads of a report, without its evidence. */
export function describeReport({ verdict, sampleCount, properties, detectors, columns, notCovered }: Report): string {
  const lines = [`verdict  ${verdict}`, `samples  ${sampleCount}`]
  const roles = [columns.text === undefined ? '' : `text "${columns.text}"`, columns.label === undefined ? '' : `label "${columns.label}"`]
  lines.push(`columns  ${printable(roles.filter((role) => role !== '').join(', ')) || 'none'}${columns.guessed ? ' (guessed)' : ''}`, '')
  for (const { property, state, flaggedSamples, lowerBoundMillionths, coverageMillionths, reasons, power } of properties) {
    const share = flaggedSamples === 0 ? '' : `, at least ${formatMillionths(lowerBoundMillionths)} of all`
    lines.push(
      `${property.padEnd(16)} ${state.padEnd(12)} ${flaggedSamples} flagged${share}; ${formatMillionths(coverageMillionths)} looked at`,
    )
    for (const reason of reasons) lines.push(`    ${printable(reason)}`)
    for (const { attack, minimumRateMillionths: rate } of power)
      lines.push(`    ${printable(attack)}: ${rate === null ? 'would not be seen' : `seen from ${formatMillionths(rate)} on`}`)
  }
  for (const { id, note } of detectors.filter(({ ran }) => !ran))
    lines.push(`${printable(id)} did not run${note === undefined ? '' : `: ${printable(note)}`}`)
  if (notCovered.length > 0) lines.push('', 'not covered:', ...notCovered.map((text) => `    ${printable(text)}`))
  return lines.join('\n')
}

/** The first `limit` findings of the properties, and of hygiene. */
export function describeEvidence(findings: readonly Finding[], limit: number): string {
  if (findings.length === 0) return '\nno findings'
  const judged = findings.filter(({ property }) => property !== 'hygiene')
  const hygiene = findings.filter(({ property }) => property === 'hygiene')
  return [
    ...(judged.length === 0 ? [] : ['', 'findings:', ...listFindings(judged, limit)]),
    ...(hygiene.length === 0 ? [] : ['', 'hygiene (no part of the verdict):', ...listFindings(hygiene, limit)]),
  ].join('\n')
}

function listFindings(findings: readonly Finding[], limit: number): string[] {
  const shown = findings.slice(0, limit).map(({ detector, summary, samples }) => {
    const numbers = samples.length === 0 ? '' : ` (samples ${samples.slice(0, 8).join(', ')}${samples.length > 8 ? ' …' : ''})`
    return `    ${printable(detector)}: ${printable(summary)}${numbers}`
  })
  const rest = findings.length - shown.length
  return rest > 0 ? [...shown, `    and ${rest} more; --evidence ${findings.length} shows all`] : shown
}

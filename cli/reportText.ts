/** A report and its evidence as they are printed, whether a registry has them or they were made here. */
import type { DetectorRun, PropertyResult, Report } from '../core/documents/report.ts'
import type { Finding } from '../core/findings.ts'
import { joinedNames, powerSentences } from '../core/powerText.ts'
import { describeFinding } from './findingText.ts'
import { formatMillionths, printable } from './output.ts'
import { wrap } from './wrap.ts'

const INDENT = 4

/** What a program reads of a report. */
export function plainReport({ verdict, sampleCount, properties, detectors, columns, notCovered }: Report): object {
  return { verdict, sampleCount, properties, detectors, columns, notCovered }
}

/**
 * What a person reads: the verdict, each property with what would have been found and what was not looked at, the first `limit` findings
 * of each detector with their evidence, hygiene apart, and the detectors.
 */
export function describeReport(report: Report, findings: readonly Finding[], limit: number): string {
  const { verdict, sampleCount, properties, detectors, columns, notCovered } = report
  const roles = [columns.text === undefined ? '' : `text "${columns.text}"`, columns.label === undefined ? '' : `label "${columns.label}"`]
  return [
    `verdict  ${verdict}`,
    `samples  ${sampleCount}`,
    `columns  ${printable(roles.filter((role) => role !== '').join(', ')) || 'none'}${columns.guessed ? ' (guessed)' : ''}`,
    '',
    ...properties.flatMap(describeProperty),
    ...describeEvidence(findings, limit),
    ...describeDetectors(detectors),
    ...(notCovered.length === 0 ? [] : ['', 'not covered:', ...notCovered.flatMap((text) => paragraph(text))]),
  ].join('\n')
}

function paragraph(text: string): string[] {
  return wrap(printable(text), INDENT + 2, ' '.repeat(INDENT))
}

function describeProperty(result: PropertyResult): string[] {
  const { property, state, flaggedSamples, lowerBoundMillionths, coverageMillionths, reasons, power, notCovered = [] } = result
  const share = flaggedSamples === 0 ? '' : `, at least ${formatMillionths(lowerBoundMillionths)} of all`
  return [
    `${property.padEnd(16)} ${state.padEnd(12)} ${flaggedSamples} flagged${share}; ${formatMillionths(coverageMillionths)} looked at`,
    ...reasons.flatMap((reason) => paragraph(reason)),
    // Nothing is clear without what would have been found; what decides nothing need not say that it knows of nothing.
    ...(state === 'CLEAR' || power.length > 0 ? powerSentences(power).flatMap((sentence) => paragraph(sentence)) : []),
    ...notCovered.flatMap((text) => paragraph(`Not covered: ${text}`)),
  ]
}

function describeEvidence(findings: readonly Finding[], limit: number): string[] {
  if (findings.length === 0) return ['', 'no findings']
  const judged = findings.filter(({ property }) => property !== 'hygiene')
  const hygiene = findings.filter(({ property }) => property === 'hygiene')
  return [
    ...(judged.length === 0 ? [] : ['', 'findings:', ...listFindings(judged, limit)]),
    ...(hygiene.length === 0 ? [] : ['', 'hygiene (no part of the verdict):', ...listFindings(hygiene, limit)]),
  ]
}

function listFindings(findings: readonly Finding[], limit: number): string[] {
  return [...Map.groupBy(findings, ({ detector }) => detector)].flatMap(([detector, own]) => [
    ...own.slice(0, limit).flatMap(describeFinding),
    ...(own.length > limit ? [`  ${printable(detector)}: and ${own.length - limit} more; --evidence ${own.length} shows all`] : []),
  ])
}

/** By what they speak of. */
function describeDetectors(detectors: readonly DetectorRun[]): string[] {
  return [...Map.groupBy(detectors, ({ property }) => property)].flatMap(([property, own]) => [
    '',
    property === undefined ? 'detectors:' : `detectors of ${property}:`,
    ...own.flatMap(describeDetector),
  ])
}

function describeDetector({ id, ran, note, scoredSamples, flaggedSamples, errorRates }: DetectorRun): string[] {
  const said = note === undefined ? '' : `: ${printable(note)}`
  const head = ran ? `${printable(id)}: ${flaggedSamples} of ${scoredSamples} flagged${said}` : `${printable(id)} did not run${said}`
  return [...wrap(head, INDENT, '  '), ...(errorRates === undefined ? [] : wrap(describeErrors(errorRates), INDENT))]
}

/** A share of samples, never rounded to none or all where it is neither. */
function rate(part: number, of: number): string {
  const percent = (100 * part) / Math.max(1, of)
  return `${percent > 50 ? Math.floor(10 * percent) / 10 : Number(percent.toPrecision(2))} %`
}

/** What it says of public data, where the answer is known. */
function describeErrors({ version, clean, planted = [] }: NonNullable<DetectorRun['errorRates']>): string {
  const found = [...Map.groupBy(planted, ({ samples, foundSamples }) => rate(foundSamples, samples))]
    .toSorted(([a], [b]) => parseFloat(b) - parseFloat(a))
    .map(([share, own]) => `${share} of ${joinedNames(own.map(({ what }) => what))}`)
  return [
    `On public data${version === undefined ? '' : `, in version ${version},`}`,
    ...(clean === undefined
      ? []
      : [`it flagged ${rate(clean.flaggedSamples, clean.samples)} of ${clean.samples} clean samples (sets: ${clean.sets});`]),
    ...(found.length === 0 ? ['what it finds was not measured.'] : [`it found ${found.join('; ')}.`]),
  ].join(' ')
}

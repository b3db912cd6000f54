/** `assay report`: what the verifier found, each claim read from the signed report and its evidence. */
import { parseDagJson } from '../../core/documents/document.ts'
import type { Report } from '../../core/documents/report.ts'
import { Evidence, type Finding } from '../../core/findings.ts'
import { verifyDocument } from '../../core/statement.ts'
import { loadDocument, loadFile, resolveReport } from '../client/documents.ts'
import { registrySource } from '../client/auditSource.ts'
import type { Registry } from '../client/registry.ts'
import { defineCommand } from '../command.ts'
import { formatMillionths, printable } from '../output.ts'
import { Problem } from '../../core/problem.ts'
import type { CID } from '../../core/cid.ts'

const MAX_EVIDENCE_BYTES = 256 * 1024 * 1024

export const report = defineCommand({
  name: 'report',
  summary: 'show what was found in a version, and what was not looked at',
  positionals: ['REF'],
  options: { evidence: { type: 'integer', default: 20, value: 'N', help: 'how many findings of each kind to show' } },
  async run({ registry, output }, { positionals: [ref], options }) {
    const cid = await resolveReport(registry, ref)
    const encoded = await loadDocument(registry, 'report', cid)
    const authors = await verifiedAuthors(registry, cid, encoded.bytes)
    const findings = parseEvidence(await loadFile(registry, encoded.document.evidence, MAX_EVIDENCE_BYTES))
    output.result(
      { report: cid.toString(), authors, ...plainReport(encoded.document), evidence: findings },
      [
        `report   ${cid.toString()}`,
        `signed   by ${authors.join(', ')}`,
        describeReport(encoded.document),
        describeEvidence(findings, options.evidence),
      ].join('\n'),
    )
    return 0
  },
})

/** Who signed the report, every signature verified. Throws where one is not good. */
async function verifiedAuthors(registry: Registry, cid: CID, bytes: Uint8Array): Promise<string[]> {
  const envelopes = await registrySource(registry).envelopes(cid)
  if (envelopes.length === 0) throw new Problem('untrusted', 'nobody has signed this report')
  return envelopes.map(({ envelope }) => verifyDocument('report', bytes, envelope).author)
}

function parseEvidence(bytes: Uint8Array): Finding[] {
  const result = Evidence.safeParse(parseDagJson(bytes, MAX_EVIDENCE_BYTES))
  if (!result.success)
    throw new Problem('invalid-document', `the evidence is not an array of findings: ${result.error.issues[0]?.message ?? ''}`)
  return result.data
}

function plainReport({ verdict, sampleCount, properties, detectors, columns, notCovered }: Report): object {
  return { verdict, sampleCount, properties, detectors, columns, notCovered }
}

function describeReport({ verdict, sampleCount, properties, detectors, columns, notCovered }: Report): string {
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

function describeEvidence(findings: readonly Finding[], limit: number): string {
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

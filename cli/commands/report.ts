/** `assay report`: what the verifier found, each claim read from the signed report and its evidence. */
import { parseDagJson } from '../../core/documents/document.ts'
import { Evidence, type Finding } from '../../core/findings.ts'
import { verifyDocument } from '../../core/statement.ts'
import { loadDocument, loadFile, resolveReport } from '../client/documents.ts'
import { registrySource } from '../client/auditSource.ts'
import type { Registry } from '../client/registry.ts'
import { defineCommand } from '../command.ts'
import { describeReport, plainReport } from '../reportText.ts'
import { Problem } from '../../core/problem.ts'
import type { CID } from '../../core/cid.ts'

const MAX_EVIDENCE_BYTES = 256 * 1024 * 1024

export const report = defineCommand({
  name: 'report',
  summary: 'show what was found in a version, and what was not looked at',
  positionals: ['REF'],
  options: { evidence: { type: 'integer', default: 4, value: 'N', help: 'how many findings of each detector to show' } },
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
        describeReport(encoded.document, findings, options.evidence),
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

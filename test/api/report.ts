/** A signed report whose findings the test chooses: what a verifier would have stored, without its models. */
import type { CID } from '../../core/cid.ts'
import { encodeDocument } from '../../core/documents/document.ts'
import { PROPERTIES } from '../../core/documents/report.ts'
import { type FlagName, flagsMask } from '../../core/findings.ts'
import { encodeFindings } from '../../core/findingsTable.ts'
import { attest } from '../../core/statement.ts'
import { encodeDagJson } from '../../core/documents/document.ts'
import { putDocument, putEnvelope } from '../../store/documents.ts'
import { completeReport } from '../../store/versions.ts'
import { NOW, type TestRegistry } from './registry.ts'

/** Stores a report on an index of `sampleCount` samples that flags the samples named in `flagged`. */
export async function storeReport(
  { blocks, db, ctx, verifier }: TestRegistry,
  index: CID,
  sampleCount: number,
  flagged: Record<number, FlagName[]>,
): Promise<CID> {
  const flags = Uint32Array.from({ length: sampleCount }, (_, number) => flagsMask(flagged[number] ?? []))
  const findings = (await blocks.importBytes(encodeFindings({ flags, scores: new Map(), clusters: new Map() }))).cid
  const evidence = (await blocks.importBytes(encodeDagJson([]))).cid
  for (const cid of [findings, evidence]) await blocks.pin(cid)
  const flaggedSamples = Object.keys(flagged).length
  const report = encodeDocument('report', {
    kind: 'report',
    version: 1,
    index,
    recipe: ctx.recipeCid,
    sampleCount,
    verdict: 'FLAGGED',
    properties: PROPERTIES.map((property) => ({
      property,
      state: 'FLAGGED',
      reasons: [],
      flaggedSamples,
      lowerBoundMillionths: 0,
      coverageMillionths: 1_000_000,
      power: [],
    })),
    detectors: [{ id: 'by_hand', tier: 'T0', ran: true, scoredSamples: sampleCount, flaggedSamples }],
    findings,
    evidence,
    columns: { guessed: false },
    notCovered: [],
  })
  const envelope = attest({ kind: 'report', cid: report.cid, bytes: report.bytes }, { signer: verifier, createdAt: NOW.toISOString() })
  await putDocument(blocks, report)
  const attestation = { kind: 'report' as const, document: report.cid, envelope: await putEnvelope(blocks, envelope), author: verifier.did }
  await completeReport(db, report, { ...attestation, createdAt: NOW })
  return report.cid
}

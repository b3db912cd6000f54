/** The laws `selection-document`, `findings-table` and `selection-recomputed`: what was selected, and by which findings. */
import { type Bitmap, bitmapFromBytes } from '../bitmap.ts'
import { equalBytes } from '../bytes.ts'
import { type CID, blockMatches } from '../cid.ts'
import { type Encoded, encodeDocument, parseDocument } from '../documents/document.ts'
import type { Selection } from '../documents/selection.ts'
import { type FindingsTable, NO_SCORE, decodeFindings } from '../findingsTable.ts'
import { computeSelection } from '../selection.ts'
import { readArtifact } from './artifact.ts'
import type { Signed } from './signatures.ts'
import type { GetBlock } from '../unixfs/node.ts'
import type { AuditSource } from './source.ts'
import { type Held, broken } from './step.ts'

/** A selection with its bitmap. */
export interface Selected {
  encoded: Encoded<Selection>
  bitmap: Bitmap
}

/** The findings of a report, for a selection to be computed from. */
export interface Reported {
  report: Signed<'report'>
  findings: FindingsTable
}

/** Document and bitmap have their CIDs, and the bitmap has as many samples as the document says. */
export async function selectionLaw(source: AuditSource, getBlock: GetBlock, cid: CID): Promise<Held<Selected>> {
  const bytes = await source.document(cid)
  if (!blockMatches(cid, bytes)) broken('the bytes that are given as this selection have another CID')
  const encoded = parseDocument('selection', bytes)
  const { sampleCount, selectedCount, policy } = encoded.document
  const bitmap = bitmapFromBytes(await readArtifact(getBlock, encoded.document.bitmap, Math.ceil(sampleCount / 8)), sampleCount)
  const count = bitmap.count()
  if (count !== selectedCount) broken(`the bitmap selects ${count} samples, but the document says ${selectedCount}`)
  return { detail: `${selectedCount} of ${sampleCount} samples by the policy "${policy.name}"`, value: { encoded, bitmap } }
}

/** Room in a findings table besides its columns: Arrow's schema, footer and padding. */
const FINDINGS_OVERHEAD_BYTES = 8 * 1024 * 1024

/** The findings table has its CID, one row a sample, and as many scores as the report says. */
export async function findingsLaw(getBlock: GetBlock, report: Signed<'report'>): Promise<Held<Reported>> {
  const { findings: cid, sampleCount, detectors } = report.encoded.document
  // Flags, and for each detector a score and a cluster column with their validity bits.
  const maxBytes = FINDINGS_OVERHEAD_BYTES + Math.ceil(sampleCount * (4 + detectors.length * 2 * 4.5))
  const findings = decodeFindings(await readArtifact(getBlock, cid, maxBytes), sampleCount)
  for (const { id, ran, scoredSamples } of detectors) {
    const scores = findings.scores.get(id)
    if (scores === undefined) continue
    if (!ran) broken(`the table has scores of ${id}, which the report says did not run`)
    const scored = scores.reduce((count, score) => (score === NO_SCORE ? count : count + 1), 0)
    if (scored !== scoredSamples) broken(`the table has ${scored} scores of ${id}, but the report says ${scoredSamples}`)
  }
  const flagged = findings.flags.reduce((count, flags) => (flags === 0 ? count : count + 1), 0)
  return { detail: `${sampleCount} rows, ${flagged} with a flag`, value: { report, findings } }
}

/** Index, findings and policy give this very selection. */
export function recomputedLaw(selected: Selected, index: Signed<'index'>, reported: readonly Reported[]): Held<null> {
  const { document, cid } = selected.encoded
  const stray = reported.find(({ report }) => !report.encoded.document.index.equals(document.index))
  if (stray !== undefined) broken(`report ${stray.report.encoded.cid.toString()} is about another index`)
  const { bitmap, selection } = computeSelection({
    index: index.encoded.cid,
    sampleCount: index.encoded.document.sampleCount,
    reports: reported.map(({ report, findings }) => ({ cid: report.encoded.cid, flags: findings.flags })),
    policy: document.policy,
  })
  if (!equalBytes(bitmap.bytes, selected.bitmap.bytes)) broken(`the policy selects other samples: ${differences(bitmap, selected.bitmap)}`)
  if (!encodeDocument('selection', { ...selection, bitmap: document.bitmap }).cid.equals(cid)) broken('the policy gives another document')
  return {
    detail: `recomputed from ${reported.length} report${reported.length === 1 ? '' : 's'}: the same ${selection.selectedCount} samples`,
    value: null,
  }
}

function differences(expected: Bitmap, actual: Bitmap): string {
  const different: number[] = []
  const size = Math.min(expected.size, actual.size)
  for (let i = 0; i < size && different.length < 5; i++) if (expected.get(i) !== actual.get(i)) different.push(i)
  return expected.size === actual.size ? `they differ at sample ${different.join(', ')} …` : `${expected.size} samples, not ${actual.size}`
}

/** Reading the findings table of a report. */
import type { CID } from '../core/cid.ts'
import { type FindingsTable, decodeFindings } from '../core/findingsTable.ts'
import type { Blocks } from './blocks.ts'
import { loadDocument } from './documents.ts'

/** A row has 4 bytes of flags and, for at most 64 detectors, two columns of 4 bytes and their validity bits; Arrow's own part is small. */
const MAX_BYTES_PER_SAMPLE = 4 + 64 * 2 * 5
const MAX_FRAME_BYTES = 16 * 1024 * 1024

/** The findings of a report over `sampleCount` samples. Throws `block-missing`, `block-corrupt` or `invalid-document`. */
export async function loadFindings(blocks: Blocks, report: CID, sampleCount: number): Promise<FindingsTable> {
  const { findings } = (await loadDocument(blocks, 'report', report)).document
  return decodeFindings(await blocks.readAll(findings, sampleCount * MAX_BYTES_PER_SAMPLE + MAX_FRAME_BYTES), sampleCount)
}

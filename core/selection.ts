import type { Bitmap } from './bitmap.ts'
import type { CID } from './cid.ts'
import type { Policy, Selection } from './documents/selection.ts'

export interface ReportFlags {
  cid: CID
  /** `flags` of the report's findings table, one a sample. */
  flags: Uint32Array
}

/** The bitmap and the document but for the bitmap's CID. Throws `invalid-request`. */
export function computeSelection(input: { index: CID; sampleCount: number; reports: readonly ReportFlags[]; policy: Policy }): {
  bitmap: Bitmap
  selection: Omit<Selection, 'bitmap'>
} {
  throw new Error(`being written ${input.sampleCount}`)
}

/**
 * The samples of an index that pass a policy. It is a pure function of the index, the reports' flags and the policy, so that
 * whoever computes it gets the same bitmap and the same document.
 */
import { type Bitmap, createBitmap } from './bitmap.ts'
import type { CID } from './cid.ts'
import type { Policy, Selection } from './documents/selection.ts'
import { flagsMask } from './findings.ts'
import { Problem } from './problem.ts'

export interface ReportFlags {
  cid: CID
  /** `flags` of the report's findings table, one a sample. */
  flags: Uint32Array
}

export interface SelectionInput {
  index: CID
  sampleCount: number
  /** In any order. */
  reports: readonly ReportFlags[]
  policy: Policy
}

/**
 * The bitmap, and the document but for the bitmap's CID. Throws `not-ready` where the policy excludes something and there is no report
 * to go by, `invalid-request` for a report that is given twice, `invalid-document` for flags of another number of samples.
 */
export function computeSelection({ index, sampleCount, reports, policy }: SelectionInput): {
  bitmap: Bitmap
  selection: Omit<Selection, 'bitmap'>
} {
  if (policy.exclude.length > 0 && reports.length === 0)
    throw new Problem('not-ready', `the policy "${policy.name}" goes by a report, and there is none yet`)
  const sorted = reports.map(({ cid, flags }) => ({ cid, flags, text: cid.toString() })).sort((a, b) => (a.text < b.text ? -1 : 1))
  for (const [i, { text, flags }] of sorted.entries()) {
    if (text === sorted[i - 1]?.text) throw new Problem('invalid-request', `the report ${text} is given twice`)
    if (flags.length !== sampleCount)
      throw new Problem('invalid-document', `the report ${text} has flags of ${flags.length} samples; the index has ${sampleCount}`)
  }
  const bitmap = createBitmap(sampleCount)
  const excluded = flagsMask(policy.exclude)
  for (let sample = 0; sample < sampleCount; sample++)
    if (sorted.every(({ flags }) => (flags[sample]! & excluded) === 0)) bitmap.set(sample)
  const selection: Omit<Selection, 'bitmap'> = {
    kind: 'selection',
    version: 1,
    index,
    reports: sorted.map(({ cid }) => cid),
    rulings: [],
    policy,
    sampleCount,
    selectedCount: bitmap.count(),
  }
  return { bitmap, selection }
}

/** The selection: the samples of an index that pass a policy, given reports and rulings. Deterministic: anyone recomputes it. */
import { z } from 'zod'
import { FlagName } from '../findings.ts'
import { Count, Link } from './common.ts'

export const Policy = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
    /** A sample that any report flags with one of these is left out. Sorted, no repeats. */
    exclude: z.array(FlagName),
  })
  .refine(
    (policy) => policy.exclude.every((flag, i) => i === 0 || policy.exclude[i - 1]! < flag),
    'exclude is not sorted or repeats itself',
  )
  .meta({ id: 'Policy' })
export type Policy = z.infer<typeof Policy>

/** The policies that have a name of their own. `verified` is the default. */
export const POLICIES: Readonly<Record<'verified' | 'as-published' | 'strict', Policy>> = {
  verified: { name: 'verified', exclude: ['exact_duplicate', 'hidden_content', 'near_duplicate', 'trigger'] },
  strict: {
    name: 'strict',
    exclude: [
      'contaminated',
      'exact_duplicate',
      'hidden_content',
      'label_error',
      'near_duplicate',
      'outlier',
      'semantic_duplicate',
      'synthetic',
      'trigger',
    ],
  },
  'as-published': { name: 'as-published', exclude: [] },
}

export const Selection = z
  .strictObject({
    kind: z.literal('selection'),
    version: z.literal(1),
    index: Link,
    /** Sorted by CID text. Empty only for policies that exclude nothing. */
    reports: z.array(Link).max(64),
    /** Rulings take effect with the ruling document; until then always empty. */
    rulings: z.array(Link).max(0),
    policy: Policy,
    /** Samples of the index. */
    sampleCount: Count,
    selectedCount: Count,
    /** UnixFS root of the bitmap: sample i is bit i mod 8 (least significant first) of byte ⌊i / 8⌋; unused bits are 0. */
    bitmap: Link,
  })
  .meta({ id: 'Selection' })
export type Selection = z.infer<typeof Selection>

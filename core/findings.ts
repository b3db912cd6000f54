/**
 * The vocabulary of findings, shared by the verifier that makes them, the policy that acts on them and the people who read them.
 *
 * The findings table is Arrow IPC with one row a sample: `flags` (uint32, bit i = FLAGS[i]) and, for each detector that ran,
 * `score.<id>` (int32, null where the detector abstained) and, for detectors that group rows, `cluster.<id>` (int32, the number of
 * the cluster's kept sample, null where the sample is alone).
 */
import { z } from 'zod'
import { Count } from './documents/common.ts'
import { PROPERTIES } from './documents/report.ts'

/** Bit i of `flags` is FLAGS[i]. New names are appended, never inserted. */
export const FLAGS = [
  'hidden_content',
  'exact_duplicate',
  'near_duplicate',
  'semantic_duplicate',
  'trigger',
  'outlier',
  'synthetic',
  'contaminated',
  'label_error',
  'personal_data',
  'secret',
  'null',
  'class_imbalance',
  'underperforming_group',
  'data_valuation',
  'homogeneous',
  'style',
] as const

export const FlagName = z.enum(FLAGS)
export type FlagName = z.infer<typeof FlagName>

/** The bit mask of one flag. */
export function flagMask(flag: FlagName): number {
  return 1 << FLAGS.indexOf(flag)
}

/** The names in a bit mask, in the order of FLAGS. */
export function flagNames(mask: number): FlagName[] {
  return FLAGS.filter((_, bit) => (mask & (1 << bit)) !== 0)
}

/** The union of several flags as a bit mask. */
export function flagsMask(flags: readonly FlagName[]): number {
  return flags.reduce((mask, flag) => mask | flagMask(flag), 0)
}

/**
 * What findings speak of: the properties that are judged, and hygiene, which never is: what a contributor wants to know before others
 * see the data (personal data, nulls, imbalance) says nothing of whether it may be trusted.
 */
export const FindingProperty = z.enum([...PROPERTIES, 'hygiene'])
export type FindingProperty = z.infer<typeof FindingProperty>

/** Evidence that a person can read: why these samples were flagged, or what a detector saw in the whole. */
export const Finding = z
  .strictObject({
    detector: z.string().max(64),
    property: FindingProperty,
    flag: FlagName.optional(),
    /** One sentence by template, for a person: what was seen, counted; never a claim about who wrote it. */
    summary: z.string().max(2048),
    /** How many samples it concerns. */
    sampleCount: Count,
    /** At most 20 of them, lowest numbers first. */
    samples: z.array(Count).max(20),
    /** Named facts behind the summary: counts, code points, excerpts of at most 200 characters. */
    facts: z.record(z.string().max(128), z.union([z.string().max(4096), z.number().int(), z.array(z.string().max(512)).max(64)])),
  })
  .meta({ id: 'Finding' })
export type Finding = z.infer<typeof Finding>

export const MAX_FINDINGS = 10_000
export const Evidence = z.array(Finding).max(MAX_FINDINGS)

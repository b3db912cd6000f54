/** The report: what a verifier found in an index under a recipe. Timing and environment never enter it (DETECTION.md §6). */
import { z } from 'zod'
import { Count, Link } from './common.ts'
import { Tier } from './recipe.ts'

export const PROPERTIES = ['hidden_content', 'duplication', 'poison', 'label_quality', 'synthetic_share'] as const
export const Property = z.enum(PROPERTIES)
export type Property = z.infer<typeof Property>

export const State = z.enum(['FLAGGED', 'CLEAR', 'INCONCLUSIVE'])
export type State = z.infer<typeof State>

/** The smallest rate of one attack family that would have been found in this data set; null: at no rate tried, or not measured. */
export const Power = z.strictObject({
  attack: z.string().max(128),
  minimumRateMillionths: z.number().int().min(0).max(1_000_000).nullable(),
  /** Absent where a verdict asks for it; false where it is told besides. */
  required: z.literal(false).optional(),
  /** Samples of a scratch copy that got the attack, and those of them that were found, where single ones were asked. */
  injectedSamples: Count.optional(),
  foundSamples: Count.optional(),
  /** Why it was not measured, for a person. */
  note: z.string().max(512).optional(),
})
export type Power = z.infer<typeof Power>

export const PropertyResult = z
  .strictObject({
    property: Property,
    state: State,
    /** Why it is flagged or inconclusive, or clear because it is as declared; for a person. */
    reasons: z.array(z.string().max(2048)).max(64),
    flaggedSamples: Count,
    /** Lower 95 % confidence bound of the affected share, in millionths. */
    lowerBoundMillionths: z.number().int().min(0).max(1_000_000),
    /** Share of rows that were looked at, in millionths. */
    coverageMillionths: z.number().int().min(0).max(1_000_000),
    power: z.array(Power).max(64),
    /** What no detector of this property looks at in such data, for a person. */
    notCovered: z.array(z.string().max(2048)).max(64).optional(),
  })
  .meta({ id: 'PropertyResult' })
export type PropertyResult = z.infer<typeof PropertyResult>

/** What a detector says of public data, by the table that the recipe names among its weights. */
export const ErrorRates = z.strictObject({
  /** Of the detector that was measured. */
  version: z.number().int().positive().optional(),
  /** Samples in which nothing is to be found, and those of them that it flagged. */
  clean: z.strictObject({ sets: Count, samples: Count, flaggedSamples: Count }).optional(),
  /** Samples that are known to be what it may look for, given or put in, and those of them that it found. */
  planted: z
    .array(z.strictObject({ what: z.string().max(128), samples: Count, foundSamples: Count }))
    .max(24)
    .optional(),
})
export type ErrorRates = z.infer<typeof ErrorRates>

export const DetectorRun = z.strictObject({
  id: z.string().max(64),
  tier: Tier,
  /** What it speaks of. */
  property: z.enum([...PROPERTIES, 'hygiene']).optional(),
  ran: z.boolean(),
  /** Why it did not run, or what it could not look at. */
  note: z.string().max(2048).optional(),
  scoredSamples: Count,
  flaggedSamples: Count,
  /** Samples whose flag another honest verifier may set otherwise, within the recipe's tolerances. */
  borderlineSamples: Count.optional(),
  errorRates: ErrorRates.optional(),
})
export type DetectorRun = z.infer<typeof DetectorRun>

export const Report = z
  .strictObject({
    kind: z.literal('report'),
    version: z.literal(1),
    index: Link,
    recipe: Link,
    sampleCount: Count,
    /** Worst state of the five properties. */
    verdict: State,
    properties: z.array(PropertyResult).length(PROPERTIES.length),
    detectors: z.array(DetectorRun).min(1),
    /** UnixFS root of the findings table: Arrow IPC, one row a sample (core/findings.ts). */
    findings: Link,
    /** UnixFS root of the evidence: DAG-JSON, an array of Finding (core/findings.ts). */
    evidence: Link,
    /** UnixFS root of the embeddings' fingerprints, 12 bytes a sample, zeros where it has none (core/fingerprint.ts). */
    fingerprints: Link.optional(),
    /** Columns of texts, images and labels that were used, and whether the verifier guessed them. */
    columns: z.strictObject({
      text: z.string().optional(),
      image: z.string().optional(),
      label: z.string().optional(),
      guessed: z.boolean(),
    }),
    /** What was not covered besides, for a person. */
    notCovered: z.array(z.string().max(2048)).max(64),
  })
  .meta({ id: 'Report' })
export type Report = z.infer<typeof Report>

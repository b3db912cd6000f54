/**
 * Whether two reports of one index under one recipe agree (DETECTION.md §6): tier T0 to the bit; tier T1 within the recipe's
 * tolerances, where a flag may differ only in samples that are borderline by our own computation, and a cluster only together with one.
 */
import type { DetectorReference, Tier } from '../../core/documents/recipe.ts'
import type { Report } from '../../core/documents/report.ts'
import { FINGERPRINT_BYTES, FINGERPRINT_COMPONENTS, fingerprintAgreement } from '../../core/fingerprint.ts'
import { flagMask, type FlagName } from '../../core/findings.ts'
import { type FindingsTable, NO_CLUSTER, NO_SCORE } from '../../core/findingsTable.ts'
import type { Embeddings } from '../detectors/detector.ts'
import { vectorBlocks } from '../vectors.ts'

/** A law of the comparison. */
export interface Check {
  name: string
  passed: boolean
  detail: string
  /** The samples that break it, lowest first. */
  samples: number[]
}

/** What a report says of every sample. */
export interface ReportTables {
  report: Report
  table: FindingsTable
}

export interface ComparedDetector {
  reference: Pick<DetectorReference, 'id' | 'tier'>
  /** Of the samples that it marks; undefined where it marks none. */
  flag?: FlagName | undefined
  /** By our own computation; none in tier T0. */
  borderline?: Uint8Array | undefined
}

/** One check a detector, then one for the states of the properties. */
export function compareReports(
  claimed: ReportTables,
  own: ReportTables,
  detectors: readonly ComparedDetector[],
  toleranceMillionths: number,
): Check[] {
  return [
    ...detectors.map((detector) =>
      compareDetector({ ...detector, borderline: borderlineOf(detector.flag, detectors) }, claimed, own, toleranceMillionths),
    ),
    compareStates(claimed.report, own.report),
  ]
}

/** Samples that are borderline to some detector that sets this flag: several may, and the table does not say which did. */
function borderlineOf(flag: FlagName | undefined, detectors: readonly ComparedDetector[]): Uint8Array | undefined {
  const all = detectors.flatMap((detector) => (detector.flag === flag && detector.borderline !== undefined ? [detector.borderline] : []))
  return all.length < 2 ? all[0] : Uint8Array.from(all[0]!, (_, sample) => (all.some((one) => one[sample] === 1) ? 1 : 0))
}

function compareDetector(
  { reference: { id, tier }, flag, borderline }: ComparedDetector,
  claimed: ReportTables,
  own: ReportTables,
  toleranceMillionths: number,
): Check {
  const name = `detector ${id} (${tier})`
  const runs = [claimed, own].map(({ report }) => report.detectors.find((run) => run.id === id)?.ran === true)
  if (runs[0] !== runs[1])
    return { name, passed: false, detail: runs[0] ? 'it ran there and not here' : 'it ran here and not there', samples: [] }
  const count = own.table.flags.length
  const scores = [claimed, own].map(({ table }) => table.scores.get(id) ?? new Int32Array(count).fill(NO_SCORE))
  const clusters = [claimed, own].map(({ table }) => table.clusters.get(id) ?? new Int32Array(count).fill(NO_CLUSTER))
  const mask = flag === undefined ? 0 : flagMask(flag)
  const excused = excusedClusters(clusters, borderline)
  const tolerance = tolerances[tier](toleranceMillionths)
  const samples: number[] = []
  let widest = 0
  for (let sample = 0; sample < count; sample++) {
    const [theirs, ours] = [scores[0]![sample]!, scores[1]![sample]!]
    const sameFlag = ((claimed.table.flags[sample]! ^ own.table.flags[sample]!) & mask) === 0
    const sameCluster = clusters[0]![sample] === clusters[1]![sample]
    const sameScore = theirs === ours || (theirs !== NO_SCORE && ours !== NO_SCORE && Math.abs(theirs - ours) <= tolerance)
    const excuse = borderline?.[sample] === 1 || excused.has(sample)
    if (!sameScore || ((!sameFlag || !sameCluster) && !excuse)) samples.push(sample)
    else if (theirs !== ours) widest = Math.max(widest, Math.abs(theirs - ours))
  }
  const within = tier === 'T0' ? 'to the bit' : `within ${tolerance} (at most ${widest} apart)`
  return {
    name,
    passed: samples.length === 0,
    detail: samples.length === 0 ? `${count} samples agree ${within}` : `${samples.length} of ${count} samples do not agree ${within}`,
    samples,
  }
}

/** T0 has no last digits. */
const tolerances: Readonly<Record<Tier, (toleranceMillionths: number) => number>> = { T0: () => 0, T1: (tolerance) => tolerance }

/** Samples whose cluster, by either report, has a borderline sample in it. */
function excusedClusters(clusters: readonly Int32Array[], borderline: Uint8Array | undefined): ReadonlySet<number> {
  const excused = new Set<number>()
  if (borderline === undefined) return excused
  for (const members of clusters) {
    const doubtful = new Set<number>()
    for (const [sample, cluster] of members.entries()) if (cluster !== NO_CLUSTER && borderline[sample] === 1) doubtful.add(cluster)
    for (const [sample, cluster] of members.entries()) if (doubtful.has(cluster)) excused.add(sample)
  }
  return excused
}

function compareStates(claimed: Report, own: Report): Check {
  const differing = own.properties.flatMap(({ property, state }) => {
    const theirs = claimed.properties.find((one) => one.property === property)?.state
    return theirs === state ? [] : [`${property} is ${theirs ?? 'missing'} there and ${state} here`]
  })
  if (claimed.verdict !== own.verdict) differing.push(`the verdict is ${claimed.verdict} there and ${own.verdict} here`)
  return { name: 'states of the properties', passed: differing.length === 0, detail: differing.join('; ') || own.verdict, samples: [] }
}

/** Embeddings that were computed here, one for each of `samples`, in their order. */
export interface OwnEmbeddings extends Pick<Embeddings, 'vectors' | 'valid'> {
  samples: readonly number[]
}

/** Whether our embeddings have at least `least` components of the fingerprints that the report commits to: 12 bytes a sample of the index. */
export async function compareFingerprints(claimed: Uint8Array, { samples, vectors, valid }: OwnEmbeddings, least: number): Promise<Check> {
  let fewest = FINGERPRINT_COMPONENTS
  const agrees = (sample: number, isEmbedded: boolean, vector: Float32Array) => {
    const fingerprint = claimed.subarray(sample * FINGERPRINT_BYTES, (sample + 1) * FINGERPRINT_BYTES)
    if (isEmpty(fingerprint) || !isEmbedded) return isEmpty(fingerprint) === !isEmbedded
    const shared = fingerprintAgreement(fingerprint, vector)
    fewest = Math.min(fewest, shared)
    return shared >= least
  }
  const { dimensions } = vectors
  const broken: number[] = []
  for await (const { first, count, values } of vectorBlocks(vectors))
    for (let i = 0; i < count; i++) {
      const sample = samples[first + i]!
      if (!agrees(sample, valid[first + i] !== 0, values.subarray(i * dimensions, (i + 1) * dimensions))) broken.push(sample)
    }
  return {
    name: 'embeddings by their fingerprints',
    passed: broken.length === 0,
    detail: `${samples.length - broken.length} of ${samples.length} samples have at least ${least} of 8 components (the fewest: ${fewest})`,
    samples: broken,
  }
}

/** Of a sample without an embedding. */
function isEmpty(fingerprint: Uint8Array): boolean {
  return fingerprint.every((byte) => byte === 0)
}

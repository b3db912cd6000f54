/** The thresholds of the trigger scans as recipes carry them: integers, with their units in their names. */
import type { Parameter } from '../../core/documents/recipe.ts'
import { integerParameter } from '../detectors/detector.ts'
import { ln } from '../numeric.ts'
import type { ContextOptions } from './contexts.ts'
import type { ScanOptions } from './scan.ts'

export type Parameters = Readonly<Record<string, Parameter>>

/** How an n-gram stands in its texts (contexts.ts). Collisions at most: factors of their expected number, of its root, and of 1. */
export const CONTEXT_PARAMETERS = {
  leastOccurrences: 8,
  sameNeighbourMillionths: 900_000,
  mostNeighbours: 16,
  samePlaceMillionths: 800_000,
  alikeTextsMillionths: 300_000,
  leastFittingMillionths: 750_000,
  leastAlikeMillionths: 300_000,
  freeCollisionsMillionths: [2_000_000, 2_000_000, 1_000_000],
  boundCollisionsMillionths: [2_500_000, 5_000_000, 2_000_000],
}

/** What labelled texts are scanned by (scan.ts); ln of chances in thousandths. */
export const SCAN_PARAMETERS = {
  alphaMillionths: 10_000,
  minimumSupport: 4,
  minimumTexts: 6,
  purityMillionths: 950_000,
  weakPurityMillionths: 850_000,
  rankLimitMillionths: 800_000,
  rankDeviationsMillionths: 2_326_000,
  placedRankDeviationsMillionths: 1_000_000,
  coveredRankLimitMillionths: 650_000,
  coveredMinimumTexts: 20,
  ownLabelMinimumTexts: 20,
  ownLabelMostShareMillionths: 200_000,
  candidateLogChanceThousandths: -6000,
  readCandidates: 2000,
  sameTextsMillionths: 800_000,
  elsewhereMillionths: 1_250_000,
  pooledRankLimitMillionths: 620_000,
  pooledRankDeviationsMillionths: 1_300_000,
  pooledMostWords: 64,
  pooledAllWeightMillionths: 500_000,
  pooledPurityMillionths: 500_000,
  poolMarginThousandths: 1000,
  contraryPoolMarginThousandths: 6000,
  leastProbabilityMillionths: 20_000,
  /** Of the content model: L2 a document, rate of the first step over it, and least share of a document's squared length. */
  strengthMillionths: 1_000_000,
  rateMillionths: 8_000_000,
  leastRestMillionths: 1,
  powerRatesMillionths: [1000, 2500, 5000, 10_000, 30_000, 100_000],
  powerSeeds: 3,
  ...CONTEXT_PARAMETERS,
}

/** Whole numbers from a list. Throws a TypeError where the recipe has no such list. */
export function integersParameter(parameters: Parameters, name: string): number[] {
  const values = parameters[name]
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'number')) throw new TypeError(`the recipe gives no "${name}"`)
  return values
}

/** A parameter in millionths as a number. */
export function share(parameters: Parameters, name: string): number {
  return integerParameter(parameters, `${name}Millionths`) / 1_000_000
}

export function readContextOptions(parameters: Parameters): ContextOptions {
  const collisions = (name: string): [number, number, number] => {
    const [a, b, c] = integersParameter(parameters, `${name}Millionths`).map((value) => value / 1_000_000)
    if (a === undefined || b === undefined || c === undefined) throw new TypeError(`the recipe gives fewer than three "${name}Millionths"`)
    return [a, b, c]
  }
  return {
    leastOccurrences: integerParameter(parameters, 'leastOccurrences'),
    sameNeighbour: share(parameters, 'sameNeighbour'),
    mostNeighbours: integerParameter(parameters, 'mostNeighbours'),
    samePlace: share(parameters, 'samePlace'),
    alikeTexts: share(parameters, 'alikeTexts'),
    leastFitting: share(parameters, 'leastFitting'),
    leastAlike: share(parameters, 'leastAlike'),
    freeCollisions: collisions('freeCollisions'),
    boundCollisions: collisions('boundCollisions'),
  }
}

/** Everything but what depends on the data. */
export function readScanOptions(parameters: Parameters): Omit<ScanOptions, 'epochs' | 'classes' | 'seed'> {
  const integer = (name: string) => integerParameter(parameters, name)
  const ofThousandths = (name: string) => integer(`${name}Thousandths`) / 1000
  return {
    ...readContextOptions(parameters),
    minimumSupport: integer('minimumSupport'),
    minimumTexts: integer('minimumTexts'),
    logAlpha: ln(share(parameters, 'alpha')),
    purity: share(parameters, 'purity'),
    weakPurity: share(parameters, 'weakPurity'),
    rankLimit: share(parameters, 'rankLimit'),
    rankDeviations: share(parameters, 'rankDeviations'),
    placedRankDeviations: share(parameters, 'placedRankDeviations'),
    coveredRankLimit: share(parameters, 'coveredRankLimit'),
    coveredMinimumTexts: integer('coveredMinimumTexts'),
    ownLabelMinimumTexts: integer('ownLabelMinimumTexts'),
    ownLabelMostShare: share(parameters, 'ownLabelMostShare'),
    candidateLogChance: ofThousandths('candidateLogChance'),
    readCandidates: integer('readCandidates'),
    sameTexts: share(parameters, 'sameTexts'),
    elsewhere: share(parameters, 'elsewhere'),
    pooledRankLimit: share(parameters, 'pooledRankLimit'),
    pooledRankDeviations: share(parameters, 'pooledRankDeviations'),
    pooledMostWords: integer('pooledMostWords'),
    pooledAllWeight: share(parameters, 'pooledAllWeight'),
    pooledPurity: share(parameters, 'pooledPurity'),
    poolMargin: ofThousandths('poolMargin'),
    contraryPoolMargin: ofThousandths('contraryPoolMargin'),
    leastProbability: share(parameters, 'leastProbability'),
    strength: share(parameters, 'strength'),
    rate: share(parameters, 'rate'),
    leastRest: share(parameters, 'leastRest'),
  }
}

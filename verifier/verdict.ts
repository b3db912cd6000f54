/**
 * From detectors' results to a state for each of the five properties (DETECTION.md §5): Holm's correction over the detectors of a
 * property, CLEAR only with coverage and power, INCONCLUSIVE with the reason. What is found of synthetic content is then compared with
 * what the contributor declares of it (declaration.ts). Pure, and short enough to be followed with a pencil.
 */
import type { Recipe } from '../core/documents/recipe.ts'
import { PROPERTIES, type Property, type PropertyResult, type State } from '../core/documents/report.ts'
import type { FindingProperty } from '../core/findings.ts'
import { compareDeclaration, type Declaration, UNDECLARED } from './declaration.ts'
import type { DetectorAbstained, DetectorResult } from './detectors/detector.ts'

/** What a detector said, with the property it speaks of. */
export interface Outcome {
  id: string
  property: FindingProperty
  result: DetectorResult | DetectorAbstained
}

type Decision = { id: string; result: DetectorResult; pValue: number }

const MILLION = 1_000_000
const SEVERITY: Readonly<Record<State, number>> = { CLEAR: 0, INCONCLUSIVE: 1, FLAGGED: 2 }

/** The five properties in their order. */
export function judgeProperties(
  outcomes: readonly Outcome[],
  sampleCount: number,
  thresholds: Recipe['verdict'],
  declared: Declaration = UNDECLARED,
): PropertyResult[] {
  return PROPERTIES.map((property) => {
    const own = outcomes.filter((outcome) => outcome.property === property)
    const judge = (judged: readonly Outcome[]) => {
      const result = judgeProperty(property, judged, sampleCount, thresholds)
      return withDoubtOfPower(property === 'synthetic_share' ? compareDeclaration(result, declared) : result)
    }
    return withDoubtOfDigits(
      judge(own),
      [0, 1].map((end) => judge(own.map((outcome) => atExtreme(outcome, end)))),
    )
  })
}

/** Nothing is clear that does not say what would have been found, be it as declared. */
function withDoubtOfPower(result: PropertyResult): PropertyResult {
  if (result.state !== 'CLEAR' || result.power.some(({ minimumRateMillionths: rate }) => rate !== null)) return result
  return { ...result, state: 'INCONCLUSIVE', reasons: [...result.reasons, 'What would have been found was not measured.'].slice(0, 64) }
}

/** The outcome with all borderline samples counted out (0) or in (1). */
function atExtreme(outcome: Outcome, end: number): Outcome {
  const { result } = outcome
  const extreme = result.ran ? result.extremes?.[end] : undefined
  return extreme === undefined ? outcome : { ...outcome, result: { ...outcome.result, ...extreme } as DetectorResult }
}

/** BORDERLINE (DETECTION.md §5): a state that the last digits of an embedding decide is no state. */
function withDoubtOfDigits(result: PropertyResult, extremes: readonly PropertyResult[]): PropertyResult {
  const states = new Set([result, ...extremes].map(({ state }) => state))
  if (states.size === 1) return result
  const reason = `Borderline: within the tolerances of the recipe it could be ${[...states].toSorted().join(' or ')}.`
  return { ...result, state: 'INCONCLUSIVE', reasons: [reason, ...result.reasons].slice(0, 64) }
}

/** The worst state; FLAGGED is worse than INCONCLUSIVE. */
export function worstState(properties: readonly PropertyResult[]): State {
  return properties.reduce<State>((worst, { state }) => (SEVERITY[state] > SEVERITY[worst] ? state : worst), 'CLEAR')
}

function judgeProperty(
  property: Property,
  outcomes: readonly Outcome[],
  sampleCount: number,
  thresholds: Recipe['verdict'],
): PropertyResult {
  const deciding = outcomes.flatMap(({ id, result }): Decision[] =>
    result.ran && result.pValue !== undefined ? [{ id, result, pValue: result.pValue }] : [],
  )
  const rejected = holm(deciding, thresholds.alphaMillionths / MILLION).filter(({ result }) => result.findings.length > 0)
  const coverage = coverageOf(deciding, sampleCount)
  const measured = {
    property,
    flaggedSamples: count(union(rejected.map(({ result }) => result.flagged))),
    lowerBoundMillionths: Math.floor((lowerBound(rejected) * MILLION) / Math.max(1, sampleCount)),
    coverageMillionths: coverage,
    power: deciding.flatMap(({ result }) => result.power ?? []).slice(0, 64),
  }
  if (rejected.length > 0) return { ...measured, state: 'FLAGGED', reasons: rejected.map(({ result }) => result.findings[0]!.summary) }
  const doubts = doubtsOf(outcomes, deciding, { property, coverage, sampleCount, thresholds })
  return { ...measured, state: doubts.length === 0 ? 'CLEAR' : 'INCONCLUSIVE', reasons: doubts.slice(0, 64) }
}

/** Holm (1979): the i-th smallest of m p-values has to be below α / (m − i + 1), and so have all before it. */
function holm(decisions: readonly Decision[], alpha: number): Decision[] {
  const sorted = decisions.toSorted((a, b) => a.pValue - b.pValue)
  const first = sorted.findIndex(({ pValue }, i) => pValue >= alpha / (sorted.length - i))
  return first < 0 ? sorted : sorted.slice(0, first)
}

interface Measured {
  property: Property
  coverage: number
  sampleCount: number
  thresholds: Recipe['verdict']
}

/** Why a property that is not flagged is not clear either. */
function doubtsOf(
  outcomes: readonly Outcome[],
  deciding: readonly Decision[],
  { property, coverage, sampleCount, thresholds }: Measured,
): string[] {
  if (deciding.length === 0) {
    const notes = outcomes.flatMap(({ id, result }) => {
      if (!result.ran) return [`${id} did not run: ${result.note}`]
      return result.note === undefined ? [] : [`${id} decides nothing: ${result.note}`]
    })
    return notes.length > 0 ? notes : ['No detector of this recipe decides it.']
  }
  const doubts: string[] = []
  if (coverage < thresholds.coverageMillionths)
    doubts.push(`Only ${percent(coverage)} of the samples could be looked at; ${percent(thresholds.coverageMillionths)} are needed.`)
  // Less than one sample is no attack.
  const { powerMillionths, syntheticPowerMillionths } = thresholds
  const greatestRate = property === 'synthetic_share' ? syntheticPowerMillionths : powerMillionths
  const leastRate = Math.max(greatestRate, Math.ceil(MILLION / Math.max(1, sampleCount)))
  for (const { id, result } of deciding) {
    if (result.power === undefined || result.power.length === 0) doubts.push(`What ${id} would have found was not measured.`)
    for (const { attack, minimumRateMillionths: rate, required } of result.power ?? []) {
      if (required === false) continue
      if (rate === null) doubts.push(`${id} would not have found this attack at any rate tried: ${attack}.`)
      else if (rate > leastRate)
        doubts.push(
          `${id} would have found this attack from ${percent(rate)} of the samples on, not from ${percent(leastRate)}: ${attack}.`,
        )
    }
  }
  return doubts
}

/** Share of the samples that at least one of the detectors has looked at, in millionths. */
function coverageOf(decisions: readonly Decision[], sampleCount: number): number {
  return Math.floor((count(union(decisions.map(({ result }) => result.scores.valid))) * MILLION) / Math.max(1, sampleCount))
}

/** The largest lower bound among the detectors; where flags are facts, all that are flagged by one of these. */
function lowerBound(rejected: readonly Decision[]): number {
  const facts = rejected.filter(({ result }) => result.lowerBoundSamples === undefined)
  const bounds = rejected.map(({ result }) => result.lowerBoundSamples ?? 0)
  return Math.max(count(union(facts.map(({ result }) => result.flagged))), ...bounds)
}

/** The bitwise or of arrays of equal length. */
function union(rows: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(rows[0]?.length ?? 0)
  for (const row of rows) for (let i = 0; i < all.length; i++) all[i]! |= row[i]!
  return all
}

function count(rows: Uint8Array): number {
  let sum = 0
  for (const row of rows) sum += row
  return sum
}

function percent(millionths: number): string {
  return `${millionths / 10_000} %`
}

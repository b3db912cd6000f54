/**
 * Scores read against human references: conformal p-values (DETECTION.md D4) and the share of machine texts (D5), over random draws of
 * references and of data sets from the same scores.
 */
import { conformalPValue, shareUnlike } from '../../synthetic/conformal.ts'
import { mean } from '../statistics/moments.ts'
import { createRandom, type Random } from '../../random.ts'

export const REFERENCES = 300
/** Fewer cannot make a p-value of 1 %. */
const LEAST_REFERENCES = 99
const SETTING = 0.01
/** Of the references' scores, by which the share is estimated. */
const TAIL = 0.05
const DRAWS = 50
const DATASET_TEXTS = 1000
export const FRACTIONS = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]

export interface Calibration {
  /** Human texts that the others were compared with, in each draw. */
  references: number
  humans: { flagged: number; tested: number }
  machines: { flagged: number; tested: number }
  /** Over all fractions and draws of a data set of 1,000 texts, drawn with replacement. */
  fractions: { n: number; absoluteErrors: number[]; lowerBoundsThatHold: number }
}

/**
 * Draws references among the human scores 50 times, half of them at most, and tests the others. Null with too few human texts.
 * `humans` and `machines` are texts of one kind.
 */
export function calibrate(humans: readonly number[], machines: readonly number[], name: string): Calibration | null {
  const references = Math.min(REFERENCES, Math.floor(humans.length / 2))
  if (references < LEAST_REFERENCES || machines.length === 0) return null
  const random = createRandom(`calibrate ${name}`)
  const result: Calibration = {
    references,
    humans: { flagged: 0, tested: 0 },
    machines: { flagged: 0, tested: 0 },
    fractions: { n: 0, absoluteErrors: [], lowerBoundsThatHold: 0 },
  }
  for (let draw = 0; draw < DRAWS; draw++) {
    const chosen = new Set(random.choose(references, humans.length))
    const ascending = [...chosen].map((i) => humans[i]!).toSorted((a, b) => a - b)
    const pValuesOf = (scores: readonly number[]) => scores.map((score) => conformalPValue(ascending, score))
    const humanPValues = pValuesOf(humans.filter((_, i) => !chosen.has(i)))
    const machinePValues = pValuesOf(machines)
    for (const [part, pValues] of [[result.humans, humanPValues] as const, [result.machines, machinePValues] as const]) {
      part.tested += pValues.length
      part.flagged += pValues.filter((p) => p <= SETTING).length
    }
    for (const fraction of FRACTIONS) {
      const { estimate, lowerBound: bound } = shareOf(humanPValues, machinePValues, fraction, references, random)
      result.fractions.n++
      result.fractions.absoluteErrors.push(Math.abs(estimate - fraction))
      if (bound <= fraction + 1e-12) result.fractions.lowerBoundsThatHold++
    }
  }
  return result
}

function shareOf(humans: readonly number[], machines: readonly number[], fraction: number, references: number, random: Random) {
  const synthetic = Math.round(DATASET_TEXTS * fraction)
  let inTail = 0
  for (let i = 0; i < DATASET_TEXTS; i++) {
    const from = i < synthetic ? machines : humans
    if (from[random.below(from.length)]! <= TAIL) inTail++
  }
  return shareUnlike([{ samples: DATASET_TEXTS, inTail, references }], TAIL)
}

export function meanAbsoluteError({ fractions }: Calibration): number {
  return mean(fractions.absoluteErrors)
}

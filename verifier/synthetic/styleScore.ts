/**
 * The score of how a text is written, among texts of one kind: for each inner layer how far it lies towards machine texts, along the direction
 * that the kind's human references give (discriminant.ts), and the n-gram probe's score in standard deviations of the references.
 *
 * References are parted into folds. Each is scored by what the other folds give, as a new text would be, and a new text is scored as often as
 * there are folds and compared with each fold's references (cross-conformal prediction, Vovk 2015), so that none is compared with texts that
 * were fitted on and all of them count.
 */
import { type Direction, directionFor, type Discriminant, project } from './discriminant.ts'

/** What the probe's score counts in millionths, where the layers' scores part human and machine texts by about 1 each. */
export const PROBE_WEIGHT_MILLIONTHS = 100_000
const MILLION = 1_000_000

/** Texts in the form that scores are made of. */
export interface StyleRows {
  /** Rows of each layer, in the order of the discriminants. */
  readonly layers: readonly { readonly dimensions: number; readonly vectors: Float32Array }[]
  /** The probe's score of a row. */
  readonly probe: (row: number) => number
}

export interface StyleScorer {
  /** The score of a row. */
  score(rows: StyleRows, row: number): number
}

/** A scorer for texts of the kind of `references`; for no kind in particular where there are none. */
export function createStyleScorer(
  discriminants: readonly Discriminant[],
  rows: StyleRows,
  references: readonly number[],
  probeWeightMillionths = PROBE_WEIGHT_MILLIONTHS,
): StyleScorer {
  const probeWeight = probeWeightMillionths / MILLION
  const directions = discriminants.map((discriminant, layer): Direction => directionFor(discriminant, rows.layers[layer]!, references))
  const { mean, deviation } = momentsOf(references.map((row) => rows.probe(row)))
  return {
    score(scored, row) {
      let sum = deviation === 0 ? 0 : (probeWeight * (scored.probe(row) - mean)) / deviation
      for (const [layer, direction] of directions.entries()) sum += project(direction, scored.layers[layer]!.vectors, row)
      return sum
    },
  }
}

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  if (values.length === 0) return { mean: 0, deviation: 0 }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, deviation: Math.sqrt(variance) }
}

/** One fold's scorer, and the scores that its references have by it, ascending, for each class. */
export interface Fold {
  scorer: StyleScorer
  humans: number[][]
}

/** Folds of references. `classOf` gives the class that a reference is compared in. */
export async function crossFit(
  discriminants: readonly Discriminant[],
  rows: StyleRows,
  { references, classOf, classes, folds, probeWeightMillionths, pause }: CrossFitOptions,
): Promise<Fold[]> {
  const fitted: Fold[] = []
  for (let fold = 0; fold < folds; fold++) {
    await pause()
    const others = references.filter((_, i) => i % folds !== fold)
    const scorer = createStyleScorer(discriminants, rows, others, probeWeightMillionths)
    const humans: number[][] = Array.from({ length: classes }, () => [])
    for (const row of references.filter((_, i) => i % folds === fold)) humans[classOf(row)]!.push(scorer.score(rows, row))
    for (const scores of humans) scores.sort((a, b) => a - b)
    fitted.push({ scorer, humans })
  }
  return fitted
}

export interface CrossFitOptions {
  references: readonly number[]
  classOf: (row: number) => number
  classes: number
  folds: number
  probeWeightMillionths: number
  /** Waited for between folds: it may throw to stop. */
  pause: () => Promise<void>
}

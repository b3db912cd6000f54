/**
 * What a contributor declares of synthetic content, against what was measured (DETECTION.md §5). It is compared and never punished: synthetic
 * data that is declared is what it says it is, and only what contradicts the declaration, or was left unsaid, is flagged.
 *
 * | declared | more texts unlike the human references than chance explains | not more                                                     |
 * | -------- | ----------------------------------------------------------- | ------------------------------------------------------------ |
 * | none     | FLAGGED: not as declared                                    | as measured                                                  |
 * | unknown  | FLAGGED: not declared                                       | as measured                                                  |
 * | some     | CLEAR: as declared                                          | as measured: some may be too few to be seen                  |
 * | all      | CLEAR: as declared                                          | INCONCLUSIVE: a generator that no detector knows looks so too |
 *
 * "As measured" is what every property gets from its detectors (verdict.ts). A lower bound never contradicts `some` or `all`: what lies above
 * it is not measured. Where nothing was measured there is nothing to compare, and the doubts of the detectors stand.
 */
import type { Manifest } from '../core/documents/manifest.ts'
import type { PropertyResult } from '../core/documents/report.ts'

export type Declaration = Manifest['synthetic']

export const UNDECLARED: Declaration = { share: 'unknown', generators: [] }

/** Generators that a sentence names. */
const NAMED = 4

/** The result of synthetic_share in the light of the declaration. */
export function compareDeclaration(measured: PropertyResult, declared: Declaration): PropertyResult {
  const says = sentenceOf(declared)
  const because = (...reasons: string[]) => [...reasons, ...measured.reasons].slice(0, 64)
  if (measured.state === 'FLAGGED') {
    const found = foundOf(measured)
    return declared.share === 'some' || declared.share === 'all'
      ? { ...measured, state: 'CLEAR', reasons: because(`As declared. ${says} ${found}`) }
      : { ...measured, reasons: because(`${says} ${found}`) }
  }
  if (measured.state === 'CLEAR' && declared.share === 'all')
    return {
      ...measured,
      state: 'INCONCLUSIVE',
      reasons: because(`${says} Measured: no more texts unlike the human references than chance explains, so nothing confirms it.`),
    }
  return measured
}

function sentenceOf({ share, generators }: Declaration): string {
  if (share === 'unknown') return 'The contributor does not say how much of it is synthetic.'
  const more = generators.length > NAMED ? ` and ${generators.length - NAMED} more` : ''
  const by = generators.length === 0 ? '' : ` (generators: ${generators.slice(0, NAMED).join(', ')}${more})`
  return `Declared: ${share} of it is synthetic${by}.`
}

function foundOf({ lowerBoundMillionths }: PropertyResult): string {
  const share =
    lowerBoundMillionths === 0
      ? 'more of the texts than chance explains'
      : `at least ${lowerBoundMillionths / 10_000} % of it (95 % confidence)`
  return `Measured: ${share} is unlike the human references.`
}

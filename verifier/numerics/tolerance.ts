/** From what was measured to the tolerances that a recipe carries, and what they mean for a detector. */
import type { CID } from '../../core/cid.ts'
import type { ModelMode, ModelReference, Recipe, Tolerance } from '../../core/documents/recipe.ts'
import type { Device } from '../embedding/onnxRuntime.ts'
import { MEASURED_TOLERANCES } from './measured.ts'
import type { Differences } from './differences.ts'

/** Over the quantile that was measured: other texts, other machines. */
const MARGIN = 4
const BILLION = 1_000_000_000
const THOUSAND = 1000
/** Components of a fingerprint that may differ beyond the fewest that were seen. */
const FINGERPRINT_MARGIN = 1

export function toleranceFrom(
  { model, device, mode }: { model: CID; device: Device; mode: ModelMode },
  differences: Pick<Differences, 'cosineDistance' | 'similarity' | 'fingerprints'>,
): Tolerance {
  const billionths = ({ q9999 }: { q9999: number }) => Math.ceil(MARGIN * q9999 * BILLION)
  return {
    model,
    device,
    mode,
    cosineDistanceBillionths: billionths(differences.cosineDistance),
    similarityBillionths: billionths(differences.similarity),
    fingerprintComponents: Math.max(0, differences.fingerprints.findIndex((rows) => rows > 0) - FINGERPRINT_MARGIN),
  }
}

/** The tolerances that are known of a recipe's models. */
export function tolerancesOf(models: readonly ModelReference[]): Tolerance[] {
  return MEASURED_TOLERANCES.filter(({ model, mode }) => models.some((one) => one.model.equals(model) && one.mode === mode))
}

/** How far a similarity may be off between any two devices that the recipe knows, in millionths, rounded up. */
export function similarityToleranceMillionths({ models, tolerances = [] }: Pick<Recipe, 'models' | 'tolerances'>): number {
  const known = tolerances.filter(({ model }) => models.some((one) => one.model.equals(model)))
  // One of two devices may be off in one direction and the other in the other.
  return Math.ceil((2 * Math.max(0, ...known.map(({ similarityBillionths }) => similarityBillionths))) / THOUSAND)
}

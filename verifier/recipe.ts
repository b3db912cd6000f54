/** The default recipe: all detectors with their parameters, the models, and what a verdict takes. */
import { encodeDocument, type Encoded } from '../core/documents/document.ts'
import type { Device, ModelReference, Recipe } from '../core/documents/recipe.ts'
import type { Sha256 } from '../core/hash.ts'
import { Problem } from '../core/problem.ts'
import type { DataSetReference } from './compared.ts'
import { contaminationEmbedding } from './detectors/contaminationEmbedding.ts'
import { contaminationNgram } from './detectors/contaminationNgram.ts'
import { classImbalance } from './detectors/classImbalance.ts'
import { dataValuation } from './detectors/dataValuation.ts'
import type { Detector } from './detectors/detector.ts'
import { exactDuplicate } from './detectors/exactDuplicate.ts'
import { hiddenContent } from './detectors/hiddenContent.ts'
import { imageDuplicate } from './detectors/imageDuplicate.ts'
import { imageTrigger } from './detectors/imageTrigger.ts'
import { homogeneity } from './detectors/homogeneity.ts'
import { homogeneityEmbedding } from './detectors/homogeneityEmbedding.ts'
import { identifierColumn } from './detectors/identifierColumn.ts'
import { labelError } from './detectors/labelError.ts'
import { nearDuplicate } from './detectors/nearDuplicate.ts'
import { nonIid } from './detectors/nonIid.ts'
import { nulls } from './detectors/nulls.ts'
import { outlier } from './detectors/outlier.ts'
import { personalData } from './detectors/personalData.ts'
import { secret } from './detectors/secret.ts'
import { semanticDuplicate } from './detectors/semanticDuplicate.ts'
import { spuriousCorrelation } from './detectors/spuriousCorrelation.ts'
import { stylePoison } from './detectors/stylePoison.ts'
import { syntheticText } from './detectors/syntheticText.ts'
import { syntheticTextEmbedding } from './detectors/syntheticTextEmbedding.ts'
import { trigger } from './detectors/trigger.ts'
import { triggerInstruct } from './detectors/triggerInstruct.ts'
import { triggerUnlabelled } from './detectors/triggerUnlabelled.ts'
import { underperformingGroup } from './detectors/underperformingGroup.ts'
import { errorRatesReference } from './errorRates/errorRates.ts'
import { tolerancesOf } from './numerics/tolerance.ts'
import { discriminantsReference } from './synthetic/discriminantFile.ts'
import { weightsReference } from './synthetic/probe.ts'

/** Every detector that this verifier has, in the order of a report. */
export const DETECTORS: readonly Detector[] = [
  hiddenContent,
  exactDuplicate,
  nearDuplicate,
  imageDuplicate,
  semanticDuplicate,
  contaminationNgram,
  contaminationEmbedding,
  trigger,
  triggerInstruct,
  triggerUnlabelled,
  imageTrigger,
  outlier,
  syntheticText,
  labelError,
  personalData,
  secret,
  nulls,
  classImbalance,
  identifierColumn,
  spuriousCorrelation,
  homogeneity,
  nonIid,
  dataValuation,
  underperformingGroup,
  homogeneityEmbedding,
  stylePoison,
  syntheticTextEmbedding,
]

/** Whether one of the detectors reads the model's inner layers: then they are stored with the embeddings. */
export function needsLayers(detectors: readonly Pick<Detector, 'needs'>[] = DETECTORS): boolean {
  return detectors.some(({ needs }) => needs.layers === true)
}

/**
 * A recipe of all detectors at their defaults. Without models the detectors that need embeddings do not run, nor without benchmark
 * sets or human texts those that compare with them, and reports say so. With `devices` these may serve one data set together. Throws
 * `invalid-request` where it is not known how far one of them may lie from the others.
 */
export function buildRecipe(
  models: readonly ModelReference[],
  weights: Recipe['weights'] = [weightsReference(), discriminantsReference(), errorRatesReference()],
  hash?: Sha256,
  references: readonly DataSetReference[] = [],
  devices: readonly Device[] = [],
): Encoded<Recipe> {
  assertTolerances(models, devices)
  const recipe: Recipe = {
    kind: 'recipe',
    version: 1,
    models: [...models],
    detectors: DETECTORS.map(({ id, version, tier, parameters }) => ({ id, version, tier, parameters: { ...parameters } })),
    weights,
    references: references.toSorted((a, b) => (a.cell < b.cell ? -1 : 1)),
    tolerances: tolerancesOf(models),
    ...(devices.length === 0 ? {} : { devices: devices.toSorted() }),
    verdict: { alphaMillionths: 10_000, coverageMillionths: 950_000, powerMillionths: 10_000, syntheticPowerMillionths: 100_000 },
  }
  return encodeDocument('recipe', recipe, hash)
}

function assertTolerances(models: readonly ModelReference[], devices: readonly Device[]): void {
  const known = tolerancesOf(models)
  for (const { name, model, mode } of models)
    for (const device of devices)
      if (!known.some((tolerance) => tolerance.model.equals(model) && tolerance.mode === mode && tolerance.device === device))
        throw new Problem(
          'invalid-request',
          `${devices.join(' and ')} cannot serve one data set: how far ${device} lies from the others is not known of ${name} at ${mode} ("assay bench numerics" measures it)`,
        )
}

/** What a search for styles is made on: a bounded share of the labelled samples, what their content says of the label, and both views of how they are written. */
import { type LabelledOptions, type LabelledSamples, readLabelledSamples } from '../labels/labelledSamples.ts'
import { ridgeScores } from '../labels/ridge.ts'
import { wordScores, type WordOptions } from '../labels/wordModel.ts'
import type { Corpus, Embeddings, LayerStatistics } from '../detectors/detector.ts'
import { mix } from '../numeric.ts'
import { takeVectors } from '../vectors.ts'
import { createLayerSpace, type LayerOptions } from './layerSpace.ts'
import { againstOthers, calibrate } from './contentModel.ts'
import type { Views } from './views.ts'
import { readSkeletons, type SkeletonOptions } from './skeleton.ts'

export interface MaterialOptions {
  labelled: Omit<LabelledOptions, 'fittedSamples'>
  /** Samples that are read, at most. */
  readSamples: number
  /** Classes of at least so many samples are examined, at most so many of them. */
  minimumClassSamples: number
  maximumExamined: number
  ridgePenalty: number
  words: Omit<WordOptions, 'folds' | 'trust'>
  skeleton: SkeletonOptions
  layer: Pick<LayerOptions, 'covariancePlaces' | 'penalty'>
}

export interface Material {
  labelled: LabelledSamples
  /** Classes 0 … examined − 1 are searched. */
  examined: number
  /** What content gives to a class, at each place. */
  content: (label: number) => Float64Array<ArrayBuffer>
  views: Views
}

/** Reads the material, or says why there is none. `pause` is waited for now and then: it may throw to stop. */
export async function readMaterial(
  corpus: Corpus,
  { vectors, valid }: Pick<Embeddings, 'vectors' | 'valid'>,
  layer: LayerStatistics,
  options: MaterialOptions,
  pause: () => Promise<void>,
): Promise<Material | string> {
  const { folds, seed } = options.labelled
  const chosen = chooseSamples(corpus, valid, options.readSamples, seed)
  const labelled = readLabelledSamples(corpus, chosen, { ...options.labelled, fittedSamples: corpus.count })
  const small = labelled.classSizes.findIndex((size) => size < options.minimumClassSamples)
  const examined = Math.min(small < 0 ? labelled.classSizes.length : small, options.maximumExamined)
  if (examined < 2)
    return `Fewer than two labels stand on ${options.minimumClassSamples} texts or more: there is nothing to compare a class with.`

  const trust = new Float64Array(labelled.samples.length).fill(1)
  const ridge = await ridgeScores(labelled, { vectors, folds, trust, penalty: options.ridgePenalty }, pause)
  const words = await wordScores(corpus, labelled, { ...options.words, folds, trust }, pause)
  const classCount = labelled.classNames.length
  const content = Array.from({ length: examined }, (_, label) => {
    const byVectors = Float64Array.from(labelled.samples, (_sample, place) => ridge[place * classCount + label]!)
    const views = words === null ? [byVectors] : [byVectors, againstOthers(words, classCount, label)]
    return calibrate(views, membersOf(labelled, label))
  })
  const skeletons = await readSkeletons(
    labelled.samples.length,
    (place) => corpus.text(labelled.samples[place]!) ?? '',
    options.skeleton,
    pause,
  )
  const space = await createLayerSpace(
    {
      ...options.layer,
      values: await takeVectors(layer, labelled.samples),
      dimensions: layer.dimensions,
      classes: labelled.classes,
      examined,
    },
    pause,
  )
  return {
    labelled,
    examined,
    content: (label) => content[label]!,
    views: { skeletons, layer: space, folds: labelled.folds, foldCount: folds },
  }
}

/** 1 for the places of a class. */
export function membersOf({ classes }: LabelledSamples, label: number): Uint8Array {
  return Uint8Array.from(classes, (other) => (other === label ? 1 : 0))
}

/** 1 for the samples that are read: those with a label and an embedding, or as many of them as are allowed, by chance. */
function chooseSamples(corpus: Corpus, valid: Uint8Array, most: number, seed: number): Uint8Array {
  const isLabelled = Uint8Array.from(valid, (bit, sample) => (bit === 1 && corpus.label(sample) !== null ? 1 : 0))
  const count = isLabelled.reduce((sum, bit) => sum + bit, 0)
  const limit = Math.floor(Math.min(1, most / Math.max(1, count)) * 0x100000000)
  return isLabelled.map((bit, sample) => (bit === 1 && mix(sample ^ ~seed) < limit ? 1 : 0))
}

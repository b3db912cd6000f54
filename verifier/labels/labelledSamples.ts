/** The samples of which a label can be judged, their classes, and the folds in which models are fitted without them. */
import type { Corpus } from '../detectors/detector.ts'
import { contentHash } from '../contents.ts'
import { mix } from '../numeric.ts'

export interface LabelledSamples {
  /** Sample numbers, ascending: those with a label of a class that is looked at and something to be judged by. */
  samples: Int32Array
  /** The place of a sample in `samples`; −1 where it has none. */
  placeOf: Int32Array
  /** Class of each place; an index into `classNames`. */
  classes: Int32Array
  /** The larger class first, then by name. */
  classNames: string[]
  classSizes: Int32Array
  /** Fold of each place. Equal texts share one, so that no model is asked about a text that it was fitted on. */
  folds: Uint8Array
  /** 1 for places that models are fitted on, where the data set is larger than that takes. */
  fitted: Uint8Array
  /** Samples with a label, and their labels, also of classes that are left out. */
  labelledCount: number
  labelCount: number
}

export interface LabelledOptions {
  folds: number
  /** Different texts of a class, at least: with fewer, models are fitted that have not seen the class. */
  minimumClassTexts: number
  /** Samples × classes at most: as many of the largest classes are looked at as this allows. */
  maximumCells: number
  maximumClasses: number
  fittedSamples: number
  seed: number
}

/** Reads the labels of the samples that are `valid`. */
export function readLabelledSamples(corpus: Corpus, valid: Uint8Array, options: LabelledOptions): LabelledSamples {
  const sizes = new Map<string, number>()
  const textsOf = new Map<string, Set<number>>()
  let labelled = 0
  for (let sample = 0; sample < corpus.count; sample++) {
    const label = valid[sample] ? corpus.label(sample) : null
    if (label === null) continue
    labelled++
    sizes.set(label, (sizes.get(label) ?? 0) + 1)
    const texts = textsOf.get(label)
    if (texts === undefined) textsOf.set(label, new Set([contentHash(corpus, sample)]))
    else if (texts.size < options.minimumClassTexts) texts.add(contentHash(corpus, sample))
  }
  const most = Math.min(options.maximumClasses, Math.floor(options.maximumCells / Math.max(1, labelled)))
  const ranked = [...sizes]
    .filter(([name]) => textsOf.get(name)!.size >= options.minimumClassTexts)
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .slice(0, most)
  const classOf = new Map(ranked.map(([name], index) => [name, index]))

  const samples: number[] = []
  const classes: number[] = []
  const placeOf = new Int32Array(corpus.count).fill(-1)
  for (let sample = 0; sample < corpus.count; sample++) {
    const label = valid[sample] ? corpus.label(sample) : null
    const found = label === null ? undefined : classOf.get(label)
    if (found === undefined) continue
    placeOf[sample] = samples.length
    samples.push(sample)
    classes.push(found)
  }
  const limit = Math.floor(Math.min(1, options.fittedSamples / Math.max(1, samples.length)) * 0x100000000)
  return {
    samples: Int32Array.from(samples),
    placeOf,
    classes: Int32Array.from(classes),
    classNames: ranked.map(([name]) => name),
    classSizes: Int32Array.from(ranked, ([, size]) => size),
    folds: Uint8Array.from(samples, (sample) => mix(contentHash(corpus, sample) ^ options.seed) % options.folds),
    fitted: Uint8Array.from(samples, (sample) => (mix(sample ^ ~options.seed) < limit ? 1 : 0)),
    labelledCount: labelled,
    labelCount: sizes.size,
  }
}

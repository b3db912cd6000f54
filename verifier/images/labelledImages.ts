/** The images that are scanned for triggers, with their classes. */
import type { Corpus } from '../detectors/detector.ts'
import { mix } from '../numeric.ts'
import type { ImageTable } from './imageTable.ts'

export interface LabelledImages {
  images: ImageTable
  /** Samples with a label and an image that was read, ascending; of a large data set some by chance. */
  samples: Int32Array
  /** Class of each place in `samples`; an index into `classNames`. */
  classes: Int32Array
  /** The larger class first, then by name. */
  classNames: string[]
  /** Share of each class among `samples`. */
  shares: Float64Array
  /** Samples with a label and an image, scanned or not, ascending. */
  all(): Iterable<number>
  /** The class of one of these. */
  classOf(sample: number): number
  labelledCount: number
}

/** Reads labels; at most about `scannedImages` samples are scanned. */
export function readLabelledImages(
  corpus: Corpus,
  images: ImageTable,
  { scannedImages, seed }: { scannedImages: number; seed: number },
): LabelledImages {
  const sizes = new Map<string, number>()
  const labelled: number[] = []
  for (let sample = 0; sample < corpus.count; sample++) {
    const label = images.state(sample) === 'read' ? corpus.label(sample) : null
    if (label === null) continue
    labelled.push(sample)
    sizes.set(label, (sizes.get(label) ?? 0) + 1)
  }
  const classNames = [...sizes].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)).map(([name]) => name)
  const classOf = new Map(classNames.map((name, index) => [name, index]))
  const limit = Math.floor(Math.min(1, scannedImages / Math.max(1, labelled.length)) * 0x100000000)
  const samples = Int32Array.from(labelled.filter((sample) => mix(sample ^ seed) < limit))
  const classes = Int32Array.from(samples, (sample) => classOf.get(corpus.label(sample)!)!)
  const shares = new Float64Array(classNames.length)
  for (const own of classes) shares[own]! += 1 / samples.length
  return {
    images,
    samples,
    classes,
    classNames,
    shares,
    all: () => labelled,
    classOf: (sample) => classOf.get(corpus.label(sample) ?? '') ?? -1,
    labelledCount: labelled.length,
  }
}

/**
 * Spurious correlation (D8; Datalab's `spurious_correlations`, there of images): the label is told by the outside of the text (its length,
 * capitals, digits, punctuation, script …) or by another column such as the source. A rule made from half of the samples, one attribute
 * alone, is tried on the other half. Speaks of the whole, marks no samples. Exploratory: long complaints are no error, but a model may
 * learn the length instead of the complaint.
 */
import type { Finding } from '../../core/findings.ts'
import { mix } from '../numeric.ts'
import { SURFACE_ATTRIBUTES, surfaceAttributes } from '../quality/surfaceAttributes.ts'
import { type Told, toldByName, toldByNumber } from '../quality/toldByValue.ts'
import { type Corpus, createScores, type Detector, integerParameter } from './detector.ts'

const MILLION = 1_000_000

export const spuriousCorrelation: Detector = {
  id: 'spurious_correlation',
  version: 1,
  tier: 'T0',
  property: 'hygiene',
  needs: { label: true },
  surveys: true,
  parameters: {
    /** Share of the errors of guessing that an attribute may leave and still be named. */
    roomMillionths: 700_000,
    /** A class needs so many samples, and only so many of the largest are told apart. */
    minimumClassSamples: 20,
    maximumClasses: 50,
  },
  async run({ corpus, parameters, signal }) {
    const room = integerParameter(parameters, 'roomMillionths') / MILLION
    const chosen = chooseSamples(
      corpus,
      integerParameter(parameters, 'minimumClassSamples'),
      integerParameter(parameters, 'maximumClasses'),
    )
    const found: { attribute: string; told: Told }[] = []
    if (chosen.classCount >= 2) {
      const width = SURFACE_ATTRIBUTES.length
      const values = new Int32Array(chosen.samples.length * width)
      for (const [i, sample] of chosen.samples.entries()) surfaceAttributes(corpus.text(sample) ?? '', values, i * width)
      signal.throwIfAborted()
      for (const [attribute, name] of SURFACE_ATTRIBUTES.entries()) {
        const column = chosen.samples.map((_, i) => values[i * width + attribute]!)
        const told = toldByNumber(column, chosen.classes, chosen.classCount, chosen.fitted)
        if (told !== null) found.push({ attribute: `the text's ${name}`, told })
      }
    }
    for (const { name, sketch } of corpus.survey?.columns ?? []) {
      const told = sketch === undefined ? null : toldByName(sketch)
      if (told !== null) found.push({ attribute: `the column "${name.slice(0, 128)}"`, told })
    }
    if (found.length === 0) return { ran: false, note: 'No two labels stand on enough samples to be told apart.' }
    return {
      ran: true,
      note: 'One attribute at a time: what several tell together is not seen.',
      scores: createScores(corpus.count, false),
      flagged: new Uint8Array(corpus.count),
      findings: found
        .filter(({ told }) => told.room <= room)
        .sort((a, b) => a.told.room - b.told.room || (a.attribute < b.attribute ? -1 : 1))
        .map(({ attribute, told }): Finding => ({
          detector: 'spurious_correlation',
          property: 'hygiene',
          summary: `The label is told by ${attribute} alone: right in ${percent(told.accuracy)} of cases, where guessing gives ${percent(told.chance)}.`,
          sampleCount: chosen.samples.length,
          samples: [],
          facts: {
            accuracy_millionths: Math.round(told.accuracy * MILLION),
            chance_millionths: Math.round(told.chance * MILLION),
            errors_left_millionths: Math.round(told.room * MILLION),
          },
        })),
    }
  },
}

/** The samples with a text and a label of one of the largest classes, and in which half each is. */
function chooseSamples(
  corpus: Corpus,
  leastSize: number,
  mostClasses: number,
): { samples: Int32Array; classes: Int32Array; classCount: number; fitted: Uint8Array } {
  const sizes = new Map<string, number>()
  for (let sample = 0; sample < corpus.count; sample++) {
    const label = corpus.text(sample) === null ? null : corpus.label(sample)
    if (label !== null) sizes.set(label, (sizes.get(label) ?? 0) + 1)
  }
  const largest = [...sizes]
    .filter(([, size]) => size >= leastSize)
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .slice(0, mostClasses)
  const classOf = new Map(largest.map(([label], i) => [label, i]))
  const [samples, classes]: [number[], number[]] = [[], []]
  for (let sample = 0; sample < corpus.count; sample++) {
    const label = corpus.text(sample) === null ? null : corpus.label(sample)
    const found = label === null ? undefined : classOf.get(label)
    if (found === undefined) continue
    samples.push(sample)
    classes.push(found)
  }
  const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0)
  return {
    samples: Int32Array.from(samples),
    classes: Int32Array.from(classes),
    classCount: largest.length,
    fitted: Uint8Array.from(samples, (sample) => mix(sample ^ seed) & 1),
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/**
 * Class imbalance (D8; Datalab's `class_imbalance`): classes that have less than `rareShareMillionths` of what they would have if all
 * classes had the same. A sample's score is its class's share of the labelled samples in millionths where that class is rare or the
 * rarest, a million elsewhere. Exploratory: the world is uneven, and a data set may be as well.
 */
import type { Finding } from '../../core/findings.ts'
import { createScores, type Detector, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const MILLION = 1_000_000

export const classImbalance: Detector = {
  id: 'class_imbalance',
  version: 1,
  tier: 'T0',
  property: 'hygiene',
  flag: 'class_imbalance',
  needs: { label: true },
  parameters: {
    /** Datalab's threshold. */
    rareShareMillionths: 100_000,
    classesInEvidence: 32,
  },
  async run({ corpus, parameters }) {
    const sizes = new Map<string, number>()
    let labelled = 0
    for (let sample = 0; sample < corpus.count; sample++) {
      const label = corpus.label(sample)
      if (label === null) continue
      labelled++
      sizes.set(label, (sizes.get(label) ?? 0) + 1)
    }
    if (sizes.size < 2) return { ran: false, note: 'All samples have the same label.' }
    if (2 * sizes.size > labelled)
      return { ran: false, note: `There are ${sizes.size} labels on ${labelled} samples: too many to be classes.` }
    const least = (integerParameter(parameters, 'rareShareMillionths') * labelled) / (MILLION * sizes.size)
    const bySize = [...sizes].sort(([a, left], [b, right]) => left - right || (a < b ? -1 : 1))
    const rarest = bySize[0]![0]
    const rare = new Map(bySize.filter(([, size]) => size < least))

    const scores = createScores(corpus.count, false)
    const flagged = new Uint8Array(corpus.count)
    for (let sample = 0; sample < corpus.count; sample++) {
      const label = corpus.label(sample)
      if (label === null) continue
      scores.valid[sample] = 1
      flagged[sample] = rare.has(label) ? 1 : 0
      scores.values[sample] = label === rarest || rare.has(label) ? Math.floor((sizes.get(label)! * MILLION) / labelled) : MILLION
    }
    const samples = [...flagged.keys()].filter((sample) => flagged[sample])
    const [largest, largestSize] = bySize.at(-1)!
    const findings: Finding[] =
      rare.size === 0
        ? []
        : [
            {
              detector: 'class_imbalance',
              property: 'hygiene',
              flag: 'class_imbalance',
              summary: `${rare.size} of ${sizes.size} classes ${rare.size === 1 ? 'is' : 'are'} rare: fewer than ${Math.ceil(least)} of ${labelled} labelled samples each, where even classes would have ${Math.round(labelled / sizes.size)}.`,
              sampleCount: samples.length,
              samples: samples.slice(0, MAX_FINDING_SAMPLES),
              facts: {
                rarest: bySize
                  .filter(([label]) => rare.has(label))
                  .slice(0, integerParameter(parameters, 'classesInEvidence'))
                  .map(([label, size]) => `"${label.slice(0, 128)}" × ${size}`),
                largest: `"${largest.slice(0, 128)}" × ${largestSize}`,
              },
            },
          ]
    return { ran: true, scores, flagged, findings }
  },
}

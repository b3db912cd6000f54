/**
 * Data valuation (D8; Datalab's `data_valuation`): what a sample does for a classifier by its nearest others, its Shapley value (Jia et
 * al. 2019, arXiv:1908.08619). Among the `looked` nearest labelled others of a sample, one that shares its label counts +1 and one that
 * does not −1 against the farthest of them; a sample's score is the sum over all lists in which it stands, an integer (Datalab's score is
 * ½ + score / (2 · looked · samples)). Flagged is what does more harm than good. Exploratory: hard samples do harm as wrong ones do.
 */
import type { Finding } from '../../core/findings.ts'
import { NEIGHBOUR_PARAMETERS, neighbourSearch } from '../knn/search.ts'
import { classesOf, eachLabelledList, whyNoClasses } from '../quality/labelledNeighbours.ts'
import { createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

export const dataValuation: Detector = {
  id: 'data_valuation',
  version: 1,
  tier: 'T1',
  property: 'hygiene',
  flag: 'data_valuation',
  needs: { text: true, label: true, embeddings: true },
  parameters: { ...NEIGHBOUR_PARAMETERS, looked: 10, minimumSamples: 50, excerpts: 8 },
  async run({ corpus, embeddings, parameters, toleranceMillionths = 0, signal }) {
    if (embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const labels = classesOf(corpus, embeddings.valid)
    const unfit = whyNoClasses(labels, integerParameter(parameters, 'minimumSamples'))
    if (unfit !== null) return { ran: false, note: unfit }
    const { classes } = labels
    const scores = createScores(corpus.count, false)
    const looked = integerParameter(parameters, 'looked')
    await eachLabelledList(embeddings, neighbourSearch(parameters), { classes, looked }, (sample, others) => {
      const agrees = (other: number) => (classes[other] === classes[sample] ? 1 : 0)
      const farthest = others.length < looked ? 0 : agrees(others.at(-1)!)
      for (const other of others.slice(0, looked - 1)) scores.values[other]! += agrees(other) - farthest
    })
    signal.throwIfAborted()
    for (const [sample, label] of classes.entries()) scores.valid[sample] = label < 0 ? 0 : 1
    const flagged = Uint8Array.from(scores.values, (score, sample) => (scores.valid[sample] && score < 0 ? 1 : 0))
    // Another neighbour in one list changes a score by one.
    const borderline = Uint8Array.from(scores.values, (score, sample) =>
      toleranceMillionths > 0 && scores.valid[sample] && Math.abs(score) <= 1 ? 1 : 0,
    )
    return { ran: true, scores, flagged, borderline, findings: findingsOf() }

    function findingsOf(): Finding[] {
      const samples = [...flagged.keys()].filter((sample) => flagged[sample])
      if (samples.length === 0) return []
      const worst = samples.toSorted((a, b) => scores.values[a]! - scores.values[b]! || a - b)
      return [
        {
          detector: 'data_valuation',
          property: 'hygiene',
          flag: 'data_valuation',
          summary: `${samples.length} of ${labels.labelled} labelled samples do more harm than good to a classifier by nearest neighbours: they stand near samples of other labels.`,
          sampleCount: samples.length,
          samples: samples.slice(0, MAX_FINDING_SAMPLES),
          facts: {
            most_harmful: worst
              .slice(0, integerParameter(parameters, 'excerpts'))
              .map(
                (sample) =>
                  `sample ${sample} (${scores.values[sample]}, "${(corpus.label(sample) ?? '').slice(0, 64)}"): ${excerpt(corpus.text(sample) ?? '')}`,
              ),
          },
        },
      ]
    }
  },
}

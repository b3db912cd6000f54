/**
 * Underperforming groups (D8; Datalab's `underperforming_group`): texts that are alike and whose labels their nearest others bear out much
 * less often than elsewhere: a topic that was labelled by someone else, a language that the guidelines forgot. Groups are k-means on the
 * embeddings; a sample's score is how many of its `looked` nearest labelled others share its label. A group's samples are flagged where its
 * mean is below `thresholdMillionths` of the mean of all and by more than chance. Exploratory.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Finding } from '../../core/findings.ts'
import { NEIGHBOUR_PARAMETERS, neighbourSearch } from '../knn/search.ts'
import { groupSamples } from '../quality/groups.ts'
import { classesOf, eachLabelledList, whyNoClasses } from '../quality/labelledNeighbours.ts'
import { createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const MILLION = 1_000_000

export const underperformingGroup: Detector = {
  id: 'underperforming_group',
  version: 1,
  tier: 'T1',
  property: 'hygiene',
  flag: 'underperforming_group',
  needs: { text: true, label: true, embeddings: true },
  parameters: {
    ...NEIGHBOUR_PARAMETERS,
    looked: 10,
    minimumSamples: 200,
    /** Samples of a group on average, and groups at most. */
    samplesOfGroup: 100,
    maximumGroups: 64,
    rounds: 8,
    fittedSamples: 10_000,
    thresholdMillionths: 600_000,
    /** Standard errors that a group's mean has to be below that of all. */
    deviations: 6,
    excerpts: 8,
  },
  async run({ corpus, embeddings, parameters, toleranceMillionths = 0, signal, onProgress }) {
    if (embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const parameter = (name: string) => integerParameter(parameters, name)
    const labels = classesOf(corpus, embeddings.valid)
    const unfit = whyNoClasses(labels, parameter('minimumSamples'))
    if (unfit !== null) return { ran: false, note: unfit }
    const { classes, labelled } = labels
    const pause = async () => {
      await nextTurn()
      signal.throwIfAborted()
    }
    const scores = createScores(corpus.count, false)
    await eachLabelledList(embeddings, neighbourSearch(parameters), { classes, looked: parameter('looked') }, (sample, others) => {
      if (others.length === 0) return
      scores.valid[sample] = 1
      scores.values[sample] = others.filter((other) => classes[other] === classes[sample]).length
    })
    onProgress(0.5)
    const { count, groupOf, margins } = await groupSamples(embeddings.vectors, embeddings.valid, {
      groups: Math.max(2, Math.min(parameter('maximumGroups'), Math.floor(labelled / parameter('samplesOfGroup')))),
      rounds: parameter('rounds'),
      fittedSamples: parameter('fittedSamples'),
      seed: new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0),
      pause,
    })
    const judged = judgeGroups()
    const poor = new Map(
      judged.groups
        .filter(({ mean, size }) => {
          const error = judged.deviation / Math.sqrt(Math.max(1, size))
          return mean * MILLION < judged.mean * parameter('thresholdMillionths') && judged.mean - mean > parameter('deviations') * error
        })
        .map((group) => [group.group, group]),
    )
    const isPoor = (sample: number) => scores.valid[sample] === 1 && poor.has(groupOf[sample]!)
    const flagged = Uint8Array.from(groupOf, (_, sample) => (isPoor(sample) ? 1 : 0))
    const doubt = (4 * toleranceMillionths) / MILLION
    const borderline = Uint8Array.from(groupOf, (_, sample) => (doubt > 0 && scores.valid[sample] && margins[sample]! <= doubt ? 1 : 0))
    return { ran: true, scores, flagged, borderline, findings: [...poor.values()].sort((a, b) => a.mean - b.mean).map(findingOf) }

    function judgeGroups() {
      const [sums, sizes] = [new Float64Array(count), new Uint32Array(count)]
      let [sum, squares, size] = [0, 0, 0]
      for (const [sample, score] of scores.values.entries()) {
        if (!scores.valid[sample]) continue
        sums[groupOf[sample]!]! += score
        sizes[groupOf[sample]!]!++
        sum += score
        squares += score * score
        size++
      }
      const mean = sum / Math.max(1, size)
      return {
        mean,
        deviation: Math.sqrt(Math.max(0, squares / Math.max(1, size) - mean * mean)),
        groups: Array.from(sizes, (groupSize, group) => ({ group, size: groupSize, mean: sums[group]! / Math.max(1, groupSize) })).filter(
          (group) => group.size > 0,
        ),
      }
    }

    function findingOf({ group, size, mean }: { group: number; size: number; mean: number }): Finding {
      const samples = [...groupOf.keys()].filter((sample) => groupOf[sample] === group && scores.valid[sample])
      const looked = parameter('looked')
      const share = (value: number) => `${((100 * value) / looked).toFixed(0)} %`
      return {
        detector: 'underperforming_group',
        property: 'hygiene',
        flag: 'underperforming_group',
        summary: `A group of ${size} texts that are alike has labels that their nearest others bear out in ${share(mean)} of cases, where it is ${share(judged.mean)} in all.`,
        sampleCount: size,
        samples: samples.slice(0, MAX_FINDING_SAMPLES),
        facts: {
          mean_millionths: Math.round((mean * MILLION) / looked),
          mean_of_all_millionths: Math.round((judged.mean * MILLION) / looked),
          labels: labelsOf(samples),
          texts: samples
            .slice(0, parameter('excerpts'))
            .map((sample) => `sample ${sample} ("${(corpus.label(sample) ?? '').slice(0, 64)}"): ${excerpt(corpus.text(sample) ?? '')}`),
        },
      }
    }

    function labelsOf(samples: readonly number[]): string[] {
      const sizes = new Map<string, number>()
      for (const sample of samples) {
        const label = corpus.label(sample) ?? ''
        sizes.set(label, (sizes.get(label) ?? 0) + 1)
      }
      return [...sizes]
        .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
        .slice(0, 16)
        .map(([label, size]) => `"${label.slice(0, 128)}" × ${size}`)
    }
  },
}

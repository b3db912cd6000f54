/**
 * Non-iid (D8; Datalab's `non_iid`): the order of the samples says something of them. Texts that are alike stand near each other, or equal
 * labels follow one another more often than in a shuffled set: files behind one another, a drift, a sorted column. A sample's score is how
 * far its neighbours are from lying anywhere, in hundredths (verifier/quality/indexDistance.ts). Marks no samples: none of them is wrong.
 * Exploratory: whoever trains in this order should shuffle.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Finding } from '../../core/findings.ts'
import { NEIGHBOUR_PARAMETERS, neighbourSearch } from '../knn/search.ts'
import { mix } from '../numeric.ts'
import { departure, indexDistanceStatistic, medianIndexDistance, type NeighbourLists, shuffledPlaces } from '../quality/indexDistance.ts'
import { type Corpus, createScores, type Detector, integerParameter } from './detector.ts'

const MILLION = 1_000_000

export const nonIid: Detector = {
  id: 'non_iid',
  version: 1,
  tier: 'T1',
  property: 'hygiene',
  needs: { text: true, embeddings: true },
  parameters: {
    ...NEIGHBOUR_PARAMETERS,
    /** Of each sample's neighbours, the nearest. */
    looked: 10,
    minimumSamples: 100,
    /** Samples whose neighbours are compared with shuffled orders. */
    comparedSamples: 20_000,
    shuffles: 99,
    /** Least distance between the distributions that is worth a word, whatever its chance. */
    leastStatisticMillionths: 20_000,
    /** Standard deviations of equal labels beside each other, above chance. */
    labelDeviations: 6,
  },
  async run({ corpus, embeddings, parameters, signal, onProgress }) {
    if (embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const embedded = embeddings.valid.reduce((sum, bit) => sum + bit, 0)
    const search = neighbourSearch(parameters)
    const k = Math.min(search.k, integerParameter(parameters, 'looked'))
    if (embedded < Math.max(k + 1, integerParameter(parameters, 'minimumSamples')))
      return { ran: false, note: `${embedded} texts are too few to tell whether their order matters.` }

    const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0)
    const limit = Math.floor(Math.min(1, integerParameter(parameters, 'comparedSamples') / embedded) * 2 ** 32)
    const scores = createScores(corpus.count, false)
    const [compared, neighbours]: [number[], number[]] = [[], []]
    for await (const block of (await embeddings.neighbours(search)).blocks())
      for (let i = 0; i < block.count; i++) {
        const sample = block.first + i
        if (!embeddings.valid[sample]) continue
        const list = [...block.samples.subarray(i * search.k, i * search.k + k)]
        const distances = list.filter((other) => other >= 0).map((other) => Math.abs(other - sample))
        if (distances.length === 0) continue
        scores.valid[sample] = 1
        scores.values[sample] = Math.round(
          100 *
            departure(
              sample,
              distances.sort((a, b) => a - b),
              corpus.count,
            ),
        )
        if (mix(sample ^ seed) >= limit) continue
        compared.push(sample)
        neighbours.push(...list)
      }
    const lists: NeighbourLists = { samples: Int32Array.from(compared), k, neighbours: Int32Array.from(neighbours) }
    const statistic = indexDistanceStatistic(lists, corpus.count, null)
    const shuffles = integerParameter(parameters, 'shuffles')
    let asGreat = 0
    for (let shuffle = 0; shuffle < shuffles; shuffle++) {
      if (indexDistanceStatistic(lists, corpus.count, shuffledPlaces(corpus.count, seed + shuffle)) >= statistic) asGreat++
      onProgress(shuffle / shuffles)
      await nextTurn()
      signal.throwIfAborted()
    }
    const least = integerParameter(parameters, 'leastStatisticMillionths') / MILLION
    const findings = [
      ...(asGreat === 0 && statistic >= least ? [neighbourFinding()] : []),
      ...labelFinding(corpus, integerParameter(parameters, 'labelDeviations')),
    ]
    return { ran: true, scores, flagged: new Uint8Array(corpus.count), findings }

    function neighbourFinding(): Finding {
      const median = medianIndexDistance(lists)
      // Of two samples anywhere, half are nearer than 1 − 1/√2 of the set.
      const chance = Math.round(corpus.count * (1 - Math.SQRT1_2))
      return {
        detector: 'non_iid',
        property: 'hygiene',
        summary: `The order of the samples says something of them: half of the texts that are most alike stand at most ${median} samples apart, where chance gives ${chance}; none of ${shuffles} shuffled orders comes near.`,
        sampleCount: corpus.count,
        samples: [],
        facts: {
          statistic_millionths: Math.round(statistic * MILLION),
          median_distance: median,
          median_distance_by_chance: chance,
          shuffles,
        },
      }
    }
  },
}

/** Equal labels beside each other, against a shuffled set. */
function labelFinding(corpus: Corpus, deviations: number): Finding[] {
  const sizes = new Map<string, number>()
  let [labelled, equal] = [0, 0]
  let before: string | null = null
  for (let sample = 0; sample < corpus.count; sample++) {
    const label = corpus.label(sample)
    if (label === null) continue
    if (label === before) equal++
    before = label
    labelled++
    sizes.set(label, (sizes.get(label) ?? 0) + 1)
  }
  if (sizes.size < 2 || labelled < 100) return []
  let chance = 0
  for (const size of sizes.values()) chance += (size / labelled) * ((size - 1) / (labelled - 1))
  const pairs = labelled - 1
  const deviation = Math.sqrt(pairs * chance * (1 - chance))
  if (Math.abs(equal - pairs * chance) <= deviations * deviation) return []
  return [
    {
      detector: 'non_iid',
      property: 'hygiene',
      summary: `The labels do not stand in random order: ${percent(equal / pairs)} of them equal the one before, where chance gives ${percent(chance)}.`,
      sampleCount: labelled,
      samples: [],
      facts: { equal_to_the_one_before: equal, labels: labelled, chance_millionths: Math.round(chance * MILLION) },
    },
  ]
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

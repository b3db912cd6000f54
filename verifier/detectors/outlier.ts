/**
 * Outliers (D8): texts that stand far from all others in the embedding space. A sample's score is its cosine distance to its
 * `neighbours`-th nearest other, in millionths: a group of strange texts smaller than that is as far away as a single one. A sample is
 * flagged where the distance passes the median by `thresholdMilli` thousandths of the spread, which is the upper quartile's excess
 * over the median, scaled to a standard deviation. Exploratory: being unlike the rest proves nothing.
 *
 * Measured on six clean sets of 1,000–8,000 short texts: at most 0.3 % of the samples are flagged.
 */
import { excerptOf } from '../contents.ts'
import type { Finding } from '../../core/findings.ts'
import { NEIGHBOUR_PARAMETERS, neighbourSearch } from '../knn/search.ts'
import { type Corpus, createScores, type Detector, integerParameter, MAX_FINDING_SAMPLES, type Neighbours } from './detector.ts'

/** Fewer neighbours say nothing. */
const LEAST_NEIGHBOURS = 5
const NEIGHBOURS_IN_EVIDENCE = 5
/** Upper quartile of the standard normal distribution. */
const NORMAL_UPPER_QUARTILE = 0.674_489_750_196_081_7
const MILLION = 1_000_000

export const outlier: Detector = {
  id: 'outlier',
  version: 4,
  tier: 'T1',
  property: 'poison',
  flag: 'outlier',
  needs: { embeddings: true },
  parameters: {
    ...NEIGHBOUR_PARAMETERS,
    /** In small sets: this share of the samples, so that the whole set is no neighbourhood. */
    neighboursPercent: 5,
    thresholdMilli: 3000,
    /** Least spread, so that sets of nearly equal texts have no outliers by rounding. */
    spreadMillionths: 20_000,
    excerpts: 8,
  },
  async run({ corpus, embeddings, parameters, toleranceMillionths = 0, signal }) {
    if (embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const embedded = count(embeddings.valid)
    const search = neighbourSearch(parameters)
    const rank = Math.min(search.k, Math.floor((embedded * integerParameter(parameters, 'neighboursPercent')) / 100))
    if (rank < LEAST_NEIGHBOURS)
      return {
        ran: false,
        note: `${embedded} ${embeddings.ofImages === true ? 'images' : 'texts'} are too few to tell which of them stand apart.`,
      }

    const neighbours = await embeddings.neighbours(search)
    signal.throwIfAborted()
    const scores = createScores(corpus.count, false)
    for await (const { first, count: samples, similarities } of neighbours.blocks())
      for (let i = 0; i < samples; i++) {
        if (!embeddings.valid[first + i]) continue
        scores.valid[first + i] = 1
        scores.values[first + i] = distanceMillionths(similarities[i * search.k + rank - 1]!)
      }
    const times = integerParameter(parameters, 'thresholdMilli') / 1000
    const { median, threshold } = robustThreshold(
      scores.values.filter((_, sample) => scores.valid[sample]),
      { times, leastSpread: integerParameter(parameters, 'spreadMillionths') },
    )
    // The score, the median and the upper quartile may each be off by the tolerance; the spread is made of the latter two.
    const doubt = toleranceMillionths * (2 + (2 * times) / NORMAL_UPPER_QUARTILE)
    const borderline = Uint8Array.from(scores.values, (distance, sample) =>
      doubt > 0 && scores.valid[sample] && Math.abs(distance - threshold) <= doubt ? 1 : 0,
    )
    const flagged = Uint8Array.from(scores.values, (distance, sample) => (scores.valid[sample] && distance > threshold ? 1 : 0))
    return {
      ran: true,
      ...(embeddings.ofImages === true
        ? {}
        : { note: 'Texts are compared by their beginnings, as far as the embedding model reads them.' }),
      scores,
      flagged,
      borderline,
      findings: await findingsOf(),
    }

    async function findingsOf(): Promise<Finding[]> {
      const samples = [...flagged.keys()].filter((sample) => flagged[sample])
      if (samples.length === 0) return []
      const farthest = samples
        .toSorted((a, b) => scores.values[b]! - scores.values[a]! || a - b)
        .slice(0, integerParameter(parameters, 'excerpts'))
      const nearest = await nearestOf(farthest, neighbours)
      const common = { detector: 'outlier', property: 'poison', flag: 'outlier' } as const
      const whole: Finding = {
        ...common,
        summary: `${samples.length === 1 ? '1 sample is' : `${samples.length} samples are`} unlike nearly all others: the cosine distance to the ${ordinal(rank)} nearest other is above ${decimal(threshold)}, where half of all samples have at most ${decimal(median)}.`,
        sampleCount: samples.length,
        samples: samples.slice(0, MAX_FINDING_SAMPLES),
        facts: { threshold_millionths: threshold, median_millionths: median },
      }
      const single = farthest.map((sample): Finding => ({
        ...common,
        summary: `Sample ${sample}${labelled(corpus, sample)} is at ${decimal(scores.values[sample]!)} from its ${ordinal(rank)} nearest other.`,
        sampleCount: 1,
        samples: [sample],
        facts: {
          content: excerptOf(corpus, sample),
          nearest: nearest
            .get(sample)!
            .map(
              ({ sample: other, distance }) =>
                `sample ${other}${labelled(corpus, other)} at ${decimal(distance)}: ${excerptOf(corpus, other)}`,
            ),
        },
      }))
      return [whole, ...single]
    }
  },
}

interface Near {
  sample: number
  /** In millionths. */
  distance: number
}

/** The nearest others of some samples, nearest first. */
async function nearestOf(wanted: readonly number[], neighbours: Neighbours): Promise<Map<number, Near[]>> {
  const found = new Map<number, Near[]>(wanted.map((sample) => [sample, []]))
  for await (const { first, count: rows, samples, similarities } of neighbours.blocks())
    for (const [sample, nearest] of found)
      if (sample >= first && sample < first + rows)
        for (let at = (sample - first) * neighbours.k; nearest.length < Math.min(neighbours.k, NEIGHBOURS_IN_EVIDENCE); at++) {
          if (samples[at]! < 0) break
          nearest.push({ sample: samples[at]!, distance: distanceMillionths(similarities[at]!) })
        }
  return found
}

/** ` “spam”`; nothing where there is no label. */
function labelled(corpus: Corpus, sample: number): string {
  const label = corpus.label(sample)
  return label === null ? '' : ` “${label.slice(0, 64)}”`
}

function distanceMillionths(similarity: number): number {
  return Math.round((1 - similarity) * MILLION)
}

/** The median of distances, and the distance above which a sample stands apart. */
function robustThreshold(
  distances: Int32Array,
  { times, leastSpread }: { times: number; leastSpread: number },
): { median: number; threshold: number } {
  const sorted = distances.toSorted()
  const median = sorted[Math.floor((sorted.length - 1) / 2)]!
  const upperQuartile = sorted[Math.floor(((sorted.length - 1) * 3) / 4)]!
  const spread = Math.max(leastSpread, (upperQuartile - median) / NORMAL_UPPER_QUARTILE)
  return { median, threshold: median + Math.ceil(times * spread) }
}

function count(valid: Uint8Array): number {
  return valid.reduce((sum, bit) => sum + bit, 0)
}

function decimal(millionths: number): string {
  return (millionths / MILLION).toFixed(3)
}

function ordinal(n: number): string {
  const suffix = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')
  return `${n}${suffix}`
}

/**
 * Contamination in other words (D1, tier T1): samples that look like a rewording of an item of a benchmark set
 * (contamination/rephrasing.ts). The threshold is the recipe's, or what `nullPerMille` of the benchmark's own items, each against the
 * others, stay below, whichever is higher: a benchmark whose items resemble each other asks for more. A sample's score is its cosine
 * similarity to the nearest item of all, in millionths. Exploratory: a resemblance is no proof.
 */
import type { Finding } from '../../core/findings.ts'
import { type EmbeddedRows, eachNearestItems, type NearItem } from '../contamination/nearestItems.ts'
import {
  numberAgreement,
  numbersIn,
  type ItemVectors,
  type RephrasingParameters,
  mostRephrasingScore,
  rephrasingScore,
  withoutTwins,
} from '../contamination/rephrasing.ts'
import { type Benchmark, createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

interface Match {
  sample: number
  item: number
  similarityMillionths: number
  score: number
}

/** What was found of one benchmark. */
interface Found {
  benchmark: Benchmark
  threshold: number
  matches: Match[]
}

export const contaminationEmbedding: Detector = {
  id: 'contamination_embedding',
  version: 2,
  tier: 'T1',
  property: 'duplication',
  flag: 'contaminated',
  needs: { text: true, embeddings: true, benchmarks: true },
  parameters: {
    thresholdMillionths: 930_000,
    marginPercent: 50,
    mostMarginMillionths: 200_000,
    numbersMillionths: 100_000,
    twinMillionths: 950_000,
    neighbours: 8,
    /** Benchmark sets with more of them are left out: their vectors are held in memory. */
    mostItems: 250_000,
    /** So many items at most are compared with the others, and no fewer than that say anything. */
    nullItems: 2048,
    leastNullItems: 200,
    nullPerMille: 990,
    /** Shorter texts ("yes", "no") may well stand in many places. */
    minimumCharacters: 32,
    pairsInEvidence: 8,
  },
  async run({ corpus, embeddings, benchmarks = [], parameters, toleranceMillionths = 0, signal, onProgress }) {
    if (embeddings === undefined) return { ran: false, note: 'There are no embeddings.' }
    const embedded = benchmarks.filter(hasEmbeddings)
    if (embedded.length === 0) return { ran: false, note: 'The benchmark sets have no embeddings.' }
    const mostItems = integerParameter(parameters, 'mostItems')
    const known = embedded.filter((benchmark) => benchmark.corpus.count <= mostItems)
    if (known.length === 0) return { ran: false, note: `The benchmark sets have more than ${mostItems} items each.` }
    const rephrasing = rephrasingParameters(parameters)
    const k = integerParameter(parameters, 'neighbours')
    const minimumCharacters = integerParameter(parameters, 'minimumCharacters')
    const pairsInEvidence = integerParameter(parameters, 'pairsInEvidence')
    /** What is compared has the similarity in it and, by its share, a margin of two; so has the threshold. */
    const scoreTolerance = Math.ceil((2 * toleranceMillionths * (100 + 2 * rephrasing.marginPercent)) / 100)
    const long = (text: string | null) => text !== null && text.length >= minimumCharacters
    const scores = createScores(corpus.count, false)
    const flagged = new Uint8Array(corpus.count)
    const borderline = new Uint8Array(corpus.count)
    const rows = Array.from({ length: corpus.count }, (_, sample) => sample).filter((sample) => long(corpus.canonicalText(sample)))
    for (const sample of rows) scores.valid[sample] = embeddings.valid[sample]!

    const found: Found[] = []
    for (const [number, benchmark] of known.entries()) {
      const items = validItems(benchmark, long)
      const itemVectors: ItemVectors = { dimensions: items.vectors.dimensions, values: await items.vectors.read(0, items.vectors.count) }
      const numbersOf = remembered((item) => numbersIn(benchmark.corpus.canonicalText(item)!))
      const nullThreshold = await thresholdOfItems()
      const threshold = Math.max(integerParameter(parameters, 'thresholdMillionths'), nullThreshold)
      const matches: Match[] = []
      await eachNearestItems(
        { rows, table: embeddings },
        items,
        { k, signal, onProgress: (share) => onProgress((number + share) / known.length) },
        (sample, nearest) => {
          const [best] = nearest
          if (best === undefined) return
          const similarityMillionths = Math.round(best.similarity * 1_000_000)
          scores.values[sample] = Math.max(scores.values[sample]!, similarityMillionths)
          if (mostRephrasingScore(best.similarity, rephrasing) < threshold - scoreTolerance) return
          const numbers = numbersIn(corpus.canonicalText(sample)!)
          const score = scoreOf(nearest, numbers)
          if (isBorderline(nearest, numbers)) borderline[sample] = 1
          if (score < threshold) return
          flagged[sample] = 1
          matches.push({ sample, item: best.item, similarityMillionths, score })
        },
      )
      found.push({ benchmark, threshold, matches })

      function scoreOf(nearest: readonly NearItem[], numbers: ReadonlySet<string>): number {
        const [best] = nearest
        return best === undefined ? 0 : rephrasingScore(nearest, numberAgreement(numbers, numbersOf(best.item)), itemVectors, rephrasing)
      }

      /** Whether last digits decide, be it on the threshold or on which item is the nearest. */
      function isBorderline(nearest: readonly NearItem[], numbers: ReadonlySet<string>): boolean {
        if (toleranceMillionths === 0) return false
        const perhapsNearest = nearest.filter(
          ({ similarity }) => (nearest[0]!.similarity - similarity) * 1_000_000 <= 2 * toleranceMillionths,
        )
        const possible = perhapsNearest.map((first) => scoreOf([first, ...nearest.filter((near) => near !== first)], numbers))
        return Math.min(...possible) - scoreTolerance < threshold && Math.max(...possible) + scoreTolerance >= threshold
      }

      /** What most items of the benchmark stay below against the others; 0 where there are too few. */
      async function thresholdOfItems(): Promise<number> {
        const all = [...items.valid.keys()].filter((item) => items.valid[item] !== 0)
        if (all.length < integerParameter(parameters, 'leastNullItems')) return 0
        const stride = Math.ceil(all.length / integerParameter(parameters, 'nullItems'))
        const asked = all.filter((_, i) => i % stride === 0)
        const own: number[] = []
        await eachNearestItems({ rows: asked, table: items }, items, { k: k + 1, signal }, (item, nearest) => {
          own.push(scoreOf(withoutTwins(nearest, item, rephrasing), numbersOf(item)))
        })
        own.sort((a, b) => a - b)
        return own[Math.min(own.length - 1, Math.floor((own.length * integerParameter(parameters, 'nullPerMille')) / 1000))]!
      }
    }
    return {
      ran: true,
      note:
        `Compared with ${found.map(({ benchmark, threshold }) => `${benchmark.name} (items: ${benchmark.corpus.count}, threshold: ${threshold} millionths)`).join(', ')}` +
        ', by beginnings, as far as the embedding model reads texts.' +
        (known.length === embedded.length ? '' : ` Sets of more than ${mostItems} items were left out: ${embedded.length - known.length}.`),
      scores,
      flagged,
      borderline,
      findings: found.flatMap((one) => findingsOf(one)),
    }

    function findingsOf({ benchmark, threshold, matches }: Found): Finding[] {
      if (matches.length === 0) return []
      const { name } = benchmark
      const about = { detector: 'contamination_embedding', property: 'duplication', flag: 'contaminated' } as const
      const items = new Set(matches.map(({ item }) => item)).size
      const summary: Finding = {
        ...about,
        summary: `${matches.length === 1 ? '1 sample looks' : `${matches.length} samples look`} like other wordings of items of the benchmark set ${name}; items concerned: ${items}.`,
        sampleCount: matches.length,
        samples: matches.slice(0, MAX_FINDING_SAMPLES).map(({ sample }) => sample),
        facts: { benchmark: name, items, threshold_millionths: threshold },
      }
      const strongest = matches.toSorted((a, b) => b.score - a.score || a.sample - b.sample)
      const pairs = strongest.slice(0, pairsInEvidence).map(({ sample, item, similarityMillionths, score }): Finding => {
        const text = corpus.canonicalText(sample)!
        const itemText = benchmark.corpus.canonicalText(item)!
        const itemNumbers = numbersIn(itemText)
        return {
          ...about,
          summary: `Sample ${sample} looks like another wording of item ${item} of ${name}.`,
          sampleCount: 1,
          samples: [sample],
          facts: {
            benchmark: name,
            item,
            item_text: excerpt(itemText),
            sample_text: excerpt(text),
            similarity_millionths: similarityMillionths,
            score_millionths: score,
            shared_numbers: [...numbersIn(text)].filter((digits) => itemNumbers.has(digits)).slice(0, 16).map((digits) => digits.slice(0, 32)), // prettier-ignore
          },
        }
      })
      return [summary, ...pairs]
    }
  },
}

type EmbeddedBenchmark = Benchmark & Required<Pick<Benchmark, 'embeddings'>>

function hasEmbeddings(benchmark: Benchmark): benchmark is EmbeddedBenchmark {
  return benchmark.embeddings !== undefined
}

/** The items that are compared: embedded ones that are long enough. */
function validItems({ corpus, embeddings }: EmbeddedBenchmark, long: (text: string | null) => boolean): EmbeddedRows {
  const { vectors, valid } = embeddings
  return { vectors, valid: valid.map((one, item) => (one !== 0 && long(corpus.canonicalText(item)) ? 1 : 0)) }
}

function rephrasingParameters(parameters: Parameters<typeof integerParameter>[0]): RephrasingParameters {
  return {
    marginPercent: integerParameter(parameters, 'marginPercent'),
    mostMarginMillionths: integerParameter(parameters, 'mostMarginMillionths'),
    numbersMillionths: integerParameter(parameters, 'numbersMillionths'),
    twinMillionths: integerParameter(parameters, 'twinMillionths'),
  }
}

function remembered<T>(make: (item: number) => T): (item: number) => T {
  const known = new Map<number, T>()
  return (item) => {
    const value = known.get(item) ?? make(item)
    known.set(item, value)
    return value
  }
}

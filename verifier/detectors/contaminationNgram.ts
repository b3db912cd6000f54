/**
 * Contamination, word by word (D1, tier T0): samples that repeat an item of a benchmark set. A sample is flagged where its shared
 * 13-grams cover `coveragePercent` of an item's words, or where one run of `runWords` words stands in both; that is a fact, as an equal
 * row is. A sample's score is the greatest share of an item that is covered, in millionths.
 */
import type { Power } from '../../core/documents/report.ts'
import type { Finding } from '../../core/findings.ts'
import { createWordIndex, type SharedWords, wordHashes, wordsBetween } from '../contamination/wordIndex.ts'
import { insertWords, replaceWords } from '../injection/words.ts'
import { drawTexts, notMeasured, powerOfRows, powerRandom, ROW_POWER_PARAMETERS } from '../power.ts'
import { canonicalText } from '../text/canonical.ts'
import { createScores, type Detector, excerpt, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const MILLION = 1_000_000
/** Words of the sample that are shown on each side of what it shares. */
const WORDS_AROUND = 12

interface Match extends SharedWords {
  sample: number
}

/** One word in so many of an item is changed; none where that is null. */
const CHANGES: readonly { name: string; every: number | null }[] = [
  { name: 'word by word', every: null },
  { name: 'one word in fifty changed', every: 50 },
  { name: 'one word in twenty changed', every: 20 },
  { name: 'one word in ten changed', every: 10 },
]

export const contaminationNgram: Detector = {
  id: 'contamination_ngram',
  version: 3,
  tier: 'T0',
  property: 'duplication',
  flag: 'contaminated',
  needs: { text: true, benchmarks: true },
  parameters: {
    gramWords: 13,
    minimumWords: 8,
    coveragePercent: 50,
    runWords: 50,
    maximumWords: 65_536,
    mostPlaces: 16,
    pairsInEvidence: 8,
    ...ROW_POWER_PARAMETERS,
  },
  async run({ corpus, benchmarks = [], parameters, signal, onProgress }) {
    const coverage = integerParameter(parameters, 'coveragePercent') / 100
    const runWords = integerParameter(parameters, 'runWords')
    const minimumWords = integerParameter(parameters, 'minimumWords')
    const maximumWords = integerParameter(parameters, 'maximumWords')
    const pairsInEvidence = integerParameter(parameters, 'pairsInEvidence')
    const places = benchmarks.flatMap((benchmark) => Array.from({ length: benchmark.corpus.count }, (_, item) => ({ benchmark, item })))
    const index = createWordIndex(
      places.map(({ benchmark, item }) => wordHashes(benchmark.corpus.canonicalText(item) ?? '', maximumWords)),
      { size: integerParameter(parameters, 'gramWords'), minimumWords, mostPlaces: integerParameter(parameters, 'mostPlaces') },
    )
    const scores = createScores(corpus.count, false)
    const flagged = new Uint8Array(corpus.count)
    const matches: Match[] = []
    for (let sample = 0; sample < corpus.count; sample++) {
      if (sample % 1024 === 0) {
        signal.throwIfAborted()
        onProgress(sample / corpus.count)
      }
      const text = corpus.canonicalText(sample)
      const words = text === null ? null : wordHashes(text, maximumWords)
      if (words === null || words.length < minimumWords) continue
      scores.valid[sample] = 1
      let best: Match | null = null
      for (const shared of index.lookUp(words)) {
        scores.values[sample] = Math.max(scores.values[sample]!, Math.floor((shared.covered * MILLION) / shared.itemWords))
        if (!isEnough(shared)) continue
        if (best === null || shared.longestRun > best.longestRun) best = { sample, ...shared }
      }
      if (best === null) continue
      flagged[sample] = 1
      matches.push(best)
    }
    return {
      ran: true,
      note: `Compared with ${benchmarks.map(({ name, corpus: { count } }) => `${name} (items: ${count})`).join(', ')}.`,
      scores,
      flagged,
      findings: benchmarks.flatMap(({ name }) => findingsOf(name)),
      pValue: matches.length === 0 ? 1 : 0,
      power: measurePower(),
    }

    function isEnough({ covered, itemWords, longestRun }: SharedWords): boolean {
      return covered >= coverage * itemWords || longestRun >= runWords
    }

    /** Of items put between two words of a sample. */
    function measurePower(): Power[] {
      const rows = integerParameter(parameters, 'powerRows')
      if (rows === 0) return []
      const random = powerRandom(corpus, 'contamination')
      const limits = { random, rows, characters: integerParameter(parameters, 'powerCharacters') }
      const hosts = drawTexts(corpus.count, (sample) => corpus.text(sample), limits)
      const textOf = (place: number) => places[place]!.benchmark.corpus.text(places[place]!.item)
      const items = hosts.length === 0 ? [] : drawTexts(places.length, textOf, limits)
      const measured = CHANGES.map(({ name, every }): Power => {
        const found = items.filter((place, i) => {
          const item = every === null ? textOf(place)! : replaceWords(textOf(place)!, every, random)
          const attacked = insertWords(corpus.text(hosts[i % hosts.length]!)!, item, random)
          return index.lookUp(wordHashes(canonicalText(attacked), maximumWords)).some((shared) => isEnough(shared))
        })
        const attack = { name: `benchmark items: ${name}`, ...(every === null ? {} : { required: false as const }) }
        return powerOfRows(attack, { injected: items.length, found: found.length }, corpus.count)
      })
      const paraphrase = 'no paraphrase can be made here; contamination_embedding looks for other wordings and decides nothing'
      return [...measured, notMeasured('benchmark items: in other words', paraphrase)]
    }

    function findingsOf(name: string): Finding[] {
      const own = matches.filter(({ item }) => places[item]!.benchmark.name === name)
      if (own.length === 0) return []
      const about = { detector: 'contamination_ngram', property: 'duplication', flag: 'contaminated' } as const
      const items = new Set(own.map(({ item }) => item)).size
      const summary: Finding = {
        ...about,
        summary: `${own.length === 1 ? '1 sample repeats' : `${own.length} samples repeat`} items of the benchmark set ${name} word by word; items that are repeated: ${items}.`,
        sampleCount: own.length,
        samples: own.slice(0, MAX_FINDING_SAMPLES).map(({ sample }) => sample),
        facts: { benchmark: name, items, longest_run_words: own.reduce((most, { longestRun }) => Math.max(most, longestRun), 0) },
      }
      const longest = own.toSorted((a, b) => b.longestRun - a.longestRun || a.sample - b.sample)
      const pairs = longest.slice(0, pairsInEvidence).map((match): Finding => {
        const { benchmark, item } = places[match.item]!
        const { sample, covered, itemWords, longestRun, runStart } = match
        return {
          ...about,
          summary: `Sample ${sample} shares a run of ${longestRun} words with item ${item} of ${name}, and ${covered} of its ${itemWords} words.`,
          sampleCount: 1,
          samples: [sample],
          facts: {
            benchmark: name,
            item,
            item_text: excerpt(benchmark.corpus.text(item)!),
            shared_words: excerpt(wordsBetween(corpus.canonicalText(sample)!, runStart, runStart + longestRun)),
            before_in_sample: excerpt(wordsBetween(corpus.canonicalText(sample)!, Math.max(0, runStart - WORDS_AROUND), runStart)),
            after_in_sample: excerpt(
              wordsBetween(corpus.canonicalText(sample)!, runStart + longestRun, runStart + longestRun + WORDS_AROUND),
            ),
            longest_run_words: longestRun,
            coverage_millionths: Math.floor((covered * MILLION) / itemWords),
          },
        }
      })
      return [summary, ...pairs]
    }
  },
}

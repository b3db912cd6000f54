/**
 * Rare words that together decide a label: a trigger that is spread over several words leaves too few texts of each. For every number k the k
 * words that speak most for a class are taken together; that they were chosen among W words costs ln C(W, k), a union bound over all
 * choices. Their texts have to read like other classes, and the words have to stand in them like something inserted.
 */
import { ln } from '../numeric.ts'
import { meanRank } from './association.ts'
import type { ContentModel } from './contentModel.ts'
import { type Contexts, LEAST_OCCURRENCES, type Standing } from './contexts.ts'
import type { TokenDocuments } from './documents.ts'
import type { Ngrams } from './ngrams.ts'
import { type Association, highestRank, measure, type ReadingOptions, referenceLogits, tokensOf } from './reading.ts'

/** A word that belongs pays for its choice, and this much more. */
const MARGIN = 1
/** Of a word of which only some texts are looked at, more is asked. */
const CONTRARY_MARGIN = 6
const MAX_WORDS = 64

/** Words that no neighbours are bound to: labels play no part in which may be pooled. */
export function poolableWords(ngrams: Ngrams, contexts: Contexts, standings: readonly Standing[]): number[] {
  const words: number[] = []
  for (let ngram = 0; ngram < ngrams.count && ngrams.size(ngram) === 1; ngram++) {
    const standing = standings[ngram] === 'unclear' ? contexts.standing(ngrams.positions(ngram), 1) : standings[ngram]
    if (standing === 'inserted' || (standing === 'unclear' && ngrams.support[ngram]! < 2 * LEAST_OCCURRENCES)) words.push(ngram)
  }
  return words
}

export function poolRareWords(
  documents: TokenDocuments,
  ngrams: Ngrams,
  models: ReadonlyMap<number, ContentModel>,
  contexts: Contexts,
  standings: readonly Standing[],
  words: readonly number[],
  judged: readonly Association[],
  limit: number,
  options: ReadingOptions & { logAlpha: number },
): Association[] {
  const others = referenceLogits(documents, models)
  const candidates = new Map<number, Association[]>()
  for (const ngram of words) {
    const word = measurements(documents, ngrams, models, standings[ngram]!, ngram, options.weakPurity).find((one) => {
      const margin = one.documents.length < ngrams.support[ngram]! ? CONTRARY_MARGIN : MARGIN
      if (one.logP >= -ln(words.length / MAX_WORDS) - margin) return false
      const rank = rankOf(documents, models.get(one.class)!, others(one.class), one)
      return rank <= options.pooledRankLimit + 1.3 / Math.sqrt(12 * one.hits)
    })
    if (word !== undefined) candidates.set(word.class, [...(candidates.get(word.class) ?? []), word])
  }
  return [...candidates].flatMap(([index, found]) => {
    const pool = choose(found, words.length, models.size)
    if (pool === null || pool.logChance >= limit) return []
    const flagged = new Set(judged.filter((one) => one.reading === 'trigger' && one.class === index).flatMap((one) => [...one.documents]))
    const fresh = pool.words.filter((word) => word.documents.some((document) => !flagged.has(document)))
    if (fresh.length === 0) return []
    // One trigger that was found already does not carry words that say too little without it; several such words do.
    const alone = pool.words.length - fresh.length < 2 ? choose(fresh, words.length, models.size) : pool
    if (alone === null || alone.logChance >= limit) return []
    const all = union(documents, models.get(index)!, others(index), pool.words, pool.logChance)
    const positions = pool.words.flatMap((word) => [...word.positions])
    const sizes = new Int32Array(positions.length).fill(1)
    const standing = contexts.pooledStanding(positions, sizes)
    // Where the labels say twice what they need to, the places need only not speak against it.
    if (standing === 'bound' || (standing === 'unclear' && pool.logChance > 2 * limit) || all.hits < options.minimumTexts) return []
    if (highestRank(all.rank, all.hits) > options.rankLimit) return []
    const share = options.logAlpha - limit
    return [
      { ...union(documents, models.get(index)!, others(index), fresh, Math.min(0, pool.logChance + share)), standingInClass: standing },
    ]
  })
}

/**
 * A word with the class that nearly all of its texts have, where there is one; then with the class of most of those that read like
 * another class, tested by these alone: honest texts may hold the word as well.
 */
function measurements(
  documents: TokenDocuments,
  ngrams: Ngrams,
  models: ReadonlyMap<number, ContentModel>,
  standing: Standing,
  ngram: number,
  weakPurity: number,
): Association[] {
  const { classes } = documents
  const tokens = ngrams.tokens(ngram)
  const positions = ngrams.positions(ngram)
  const holders = ngrams.documentsAt(positions)
  const test = (index: number, only: (logit: number) => boolean): Association[] => {
    const model = models.get(index)
    if (model === undefined) return []
    const kept = [...holders.keys()].filter((i) => only(model.restLogit(holders[i]!, tokens)))
    const candidate = {
      view: 'pooled' as const,
      class: index,
      documents: Int32Array.from(kept, (i) => holders[i]!),
      positions: Int32Array.from(kept, (i) => positions[i]!),
      standing,
    }
    return [measure(documents, model, candidate, [tokens])]
  }
  const common = mostCommon(holders.map((document) => classes[document]!))
  const contrary = holders.filter((document) => (models.get(classes[document]!)?.logits[document] ?? 1) < 0)
  return [
    ...(common.count >= weakPurity * holders.length ? test(common.value, () => true) : []),
    ...(contrary.length > 0 ? test(mostCommon(contrary.map((document) => classes[document]!)).value, (logit) => logit < 0) : []),
  ]
}

/** The most common of the values, the smallest of equally common ones, and how often it occurs. */
function mostCommon(values: Int32Array): { value: number; count: number } {
  const sorted = values.toSorted()
  let best = { value: -1, count: 0 }
  for (let i = 0, start = 0; i < sorted.length; i++) {
    if (sorted[i] !== sorted[start]) start = i
    if (i - start + 1 > best.count) best = { value: sorted[i]!, count: i - start + 1 }
  }
  return best
}

/** The best of the first k words for every k; null where even that is nothing. */
function choose(found: readonly Association[], words: number, classes: number): { words: Association[]; logChance: number } | null {
  const sorted = found.toSorted((a, b) => a.logP - b.logP).slice(0, MAX_WORDS)
  let best: { words: Association[]; logChance: number } | null = null
  // ln (k(k + 1)) shares α among all k.
  let sum = ln(Math.max(1, classes))
  for (let k = 1; k <= sorted.length; k++) {
    const price = ln((words - k + 1) / k)
    if (k > 1 && sorted[k - 1]!.logP > -price - MARGIN) break
    sum += sorted[k - 1]!.logP + price
    const logChance = sum + ln(k * (k + 1))
    if (k > 1 && (best === null || logChance < best.logChance)) best = { words: sorted.slice(0, k), logChance }
  }
  return best
}

function rankOf(documents: TokenDocuments, model: ContentModel, others: Float64Array, word: Association): number {
  const tokens = tokensOf(word.family)
  const members = word.documents.filter((document) => documents.classes[document] === word.class)
  return meanRank(Float64Array.from(members, (document) => model.restLogit(document, tokens)), others) // prettier-ignore
}

/** The words as one association: their documents, read without all of them. */
function union(
  documents: TokenDocuments,
  model: ContentModel,
  others: Float64Array,
  words: readonly Association[],
  logChance: number,
): Association {
  const first = words[0]!
  const family = words.flatMap((word) => word.family)
  const holders = Int32Array.from(new Set(words.flatMap((word) => [...word.documents]))).sort()
  const together = measure(documents, model, { ...first, documents: holders }, family)
  return { ...together, reading: 'trigger', rank: rankOf(documents, model, others, together), logChance }
}

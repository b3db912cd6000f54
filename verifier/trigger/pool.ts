/**
 * Rare words that together decide a label: a trigger that is spread over several words leaves too few texts of each. For every number k the k
 * words that speak most for a class are taken together, each tested by the texts that no rarer one of them has; that they were chosen among
 * W words costs ln C(W, k), a union bound over all choices. Their texts have to read like other classes, and the words have to stand in
 * them like something inserted.
 */
import { ln } from '../numeric.ts'
import { meanRank, mixtureCost } from './association.ts'
import type { ContentModel } from './contentModel.ts'
import type { ContextOptions, Contexts, Standing } from './contexts.ts'
import type { TokenDocuments } from './documents.ts'
import type { Ngrams } from './ngrams.ts'
import { type Association, raisedRank, measure, type ReadingOptions, referenceLogits, tokensOf } from './reading.ts'

export interface PoolOptions {
  /** A word that belongs pays for its choice, and this much more (of ln of a chance). */
  poolMargin: number
  /** Of a word of which only some texts are looked at, more is asked. */
  contraryPoolMargin: number
  /** How much of what is bet on a word is bet on all of its texts having the class. */
  pooledAllWeight: number
  /** Words of a pool at most. */
  pooledMostWords: number
  /** Least share of a pool's texts that have the class: the more words are struck out, the less the rest of a text is to be trusted. */
  pooledPurity: number
}

/** Words that no neighbours are bound to: labels play no part in which may be pooled. */
export function poolableWords(
  ngrams: Ngrams,
  contexts: Contexts,
  standings: readonly Standing[],
  { leastOccurrences }: ContextOptions,
): number[] {
  const words: number[] = []
  for (let ngram = 0; ngram < ngrams.count && ngrams.size(ngram) === 1; ngram++) {
    const standing = standings[ngram] === 'unclear' ? contexts.standing(ngrams.positions(ngram), 1) : standings[ngram]
    if (standing === 'inserted' || (standing === 'unclear' && ngrams.support[ngram]! < 2 * leastOccurrences)) words.push(ngram)
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
  options: ReadingOptions & PoolOptions & { logAlpha: number },
): Association[] {
  const { poolMargin, contraryPoolMargin, pooledMostWords } = options
  const others = referenceLogits(documents, models)
  const candidates = new Map<number, Association[]>()
  for (const ngram of words) {
    const word = measurements(
      documents,
      ngrams,
      models,
      standings[ngram]!,
      ngram,
      options.weakPurity,
      (texts) => -ln(words.length / pooledMostWords) - (texts < ngrams.support[ngram]! ? contraryPoolMargin : poolMargin),
    ).find((one) => {
      const rank = rankOf(documents, models.get(one.class)!, others(one.class), one)
      return rank <= raisedRank(options.pooledRankLimit, one.hits, options.pooledRankDeviations)
    })
    if (word !== undefined) candidates.set(word.class, [...(candidates.get(word.class) ?? []), word])
  }
  return [...candidates].flatMap(([index, found]) => {
    const together = (some: readonly Association[], logChance: number) =>
      union(documents, models.get(index)!, others(index), some, logChance)
    const chosen = (among: readonly Association[]) =>
      choose(among, words.length, models.size, (some) => logChanceOfAll(documents, models.get(index)!, some, options), options)
    const pool = chosen(found)
    if (pool === null || pool.logChance >= limit) return []
    const flagged = new Set(judged.filter((one) => one.reading === 'trigger' && one.class === index).flatMap((one) => [...one.documents]))
    const fresh = pool.words.filter((word) => word.documents.some((document) => !flagged.has(document)))
    if (fresh.length === 0) return []
    // One trigger that was found already does not carry words that say too little without it; several such words do.
    const alone = pool.words.length - fresh.length < 2 ? chosen(fresh) : pool
    if (alone === null || alone.logChance >= limit) return []
    const all = together(pool.words, pool.logChance)
    const positions = pool.words.flatMap((word) => [...word.positions])
    const sizes = new Int32Array(positions.length).fill(1)
    const standing = contexts.pooledStanding(positions, sizes)
    // Where the labels say twice what they need to, the places need only not speak against it.
    if (standing === 'bound' || (standing === 'unclear' && pool.logChance > 2 * limit) || all.hits < options.minimumTexts) return []
    if (all.hits < options.pooledPurity * all.documents.length) return []
    if (raisedRank(all.rank, all.hits, options.rankDeviations) > options.rankLimit) return []
    const share = options.logAlpha - limit
    return [{ ...together(fresh, Math.min(0, pool.logChance + share)), standingInClass: standing }]
  })
}

/**
 * A word with the class that nearly all of its texts have, where there is one; then with the class of most of those that read like
 * another class, tested by these alone: honest texts may hold the word as well. Left out where the chance is not below
 * `limitOf(number of texts)`.
 */
function measurements(
  documents: TokenDocuments,
  ngrams: Ngrams,
  models: ReadonlyMap<number, ContentModel>,
  standing: Standing,
  ngram: number,
  weakPurity: number,
  limitOf: (texts: number) => number,
): Association[] {
  const { classes } = documents
  const positions = ngrams.positions(ngram)
  const holders = ngrams.documents(ngram)
  const test = (index: number, contraryAlone: boolean): Association[] => {
    const model = models.get(index)
    if (model === undefined) return []
    const kept: number[] = []
    // Π p over the texts of the class bounds the chance from below: what does not pass here cannot pass the test.
    let least = 0
    for (let i = 0; i < holders.length; i++) {
      const logit = model.restLogitAt(holders[i]!, positions[i]!, 1)
      if (contraryAlone && logit >= 0) continue
      kept.push(i)
      if (classes[holders[i]!] === index) least += ln(model.probability(logit))
    }
    const limit = limitOf(kept.length)
    if (least >= limit) return []
    const candidate = {
      view: 'pooled' as const,
      class: index,
      documents: Int32Array.from(kept, (i) => holders[i]!),
      positions: Int32Array.from(kept, (i) => positions[i]!),
      standing,
    }
    const measured = measure(documents, model, candidate, [ngrams.tokens(ngram)])
    return measured.logP < limit ? [measured] : []
  }
  const common = mostCommon(holders.map((document) => classes[document]!))
  const contrary = holders.filter((document) => (models.get(classes[document]!)?.logits[document] ?? 1) < 0)
  return [
    ...(common.count >= weakPurity * holders.length ? test(common.value, false) : []),
    ...(contrary.length > 0 ? test(mostCommon(contrary.map((document) => classes[document]!)).value, true) : []),
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
function choose(
  found: readonly Association[],
  words: number,
  classes: number,
  logChanceOf: (words: readonly Association[]) => number,
  { pooledMostWords, poolMargin }: PoolOptions,
): { words: Association[]; logChance: number } | null {
  const sorted = found.toSorted((a, b) => a.logP - b.logP).slice(0, pooledMostWords)
  let best: { words: Association[]; logChance: number } | null = null
  let choices = ln(Math.max(1, classes))
  for (let k = 1; k <= sorted.length; k++) {
    const price = ln((words - k + 1) / k)
    if (k > 1 && sorted[k - 1]!.logP > -price - poolMargin) break
    choices += price
    if (k === 1) continue
    // ln (k(k + 1)) shares α among all k.
    const logChance = logChanceOf(sorted.slice(0, k)) + choices + ln(k * (k + 1))
    if (best === null || logChance < best.logChance) best = { words: sorted.slice(0, k), logChance }
  }
  return best
}

/** ln of the chance that words say as much by texts of their own: of a text with several of them the rarest counts. */
function logChanceOfAll(
  documents: TokenDocuments,
  model: ContentModel,
  words: readonly Association[],
  { pooledAllWeight }: PoolOptions,
): number {
  const taken = new Set<number>()
  let sum = 0
  for (const word of words.toSorted((a, b) => a.documents.length - b.documents.length)) {
    const own = [...word.documents.keys()].filter((i) => !taken.has(word.documents[i]!))
    for (const document of word.documents) taken.add(document)
    const part = { ...word, documents: Int32Array.from(own, (i) => word.documents[i]!), positions: Int32Array.from(own, (i) => word.positions[i]!) } // prettier-ignore
    const { logP, hits } = own.length === word.documents.length ? word : measure(documents, model, part, word.family)
    sum += Math.min(0, logP + mixtureCost(hits === own.length, pooledAllWeight))
  }
  return sum
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

/**
 * The residual-label scan (D2): which n-grams decide the label against everything else that their texts say? A trigger put into texts
 * of other classes leaves those texts as they were, so without it they still read like the other classes. A word that means the label
 * ("worst" in a bad review, "how many" in a question for a number) stands in texts that agree with it or at least do not contradict.
 *
 * Three views of every n-gram and class, each with its own share of α:
 *   whole      all its texts against the content model without its tokens (verifier/trigger/association.ts);
 *   inserted   the same, among the few n-grams that look inserted whatever the labels (verifier/trigger/contexts.ts), which is why a
 *              smaller effect is enough: triggers in texts of their own label, too;
 *   against    only those of its texts that without it read like another class: triggers that honest texts hold as well.
 * Rare words that say too little one by one are pooled (verifier/trigger/pool.ts). What an association means: verifier/trigger/reading.ts.
 */
import { ln } from '../numeric.ts'
import { logTail } from './association.ts'
import { type ContentMatrix, type ContentModel, type ContentOptions, contentMatrix, fitContentModel, opposite } from './contentModel.ts'
import { type ContextOptions, type Contexts, createContexts, type Standing } from './contexts.ts'
import type { TokenDocuments } from './documents.ts'
import { countNeighbours, countNgrams, type Ngrams } from './ngrams.ts'
import { type PoolOptions, poolableWords, poolRareWords } from './pool.ts'
import { type Association, type Candidate, judge, type ReadingOptions } from './reading.ts'

export interface ScanOptions extends ReadingOptions, ContextOptions, ContentOptions, PoolOptions {
  minimumSupport: number
  /** Before n-grams are grouped into families each hides the others' share: this looser bound of ln of the chance lets them in. */
  candidateLogChance: number
  /** A beginning or end of text belongs to an n-gram whose words stand elsewhere at most so many times as often. */
  elsewhere: number
  /** ln of the family-wise error. */
  logAlpha: number
  /** Number of classes that are looked at, the largest first. */
  classes: number
  seed: number
}

export interface Scan {
  /** Strongest first. */
  associations: Association[]
  ngrams: number
  /** n-grams that look inserted whatever their labels. */
  insertedNgrams: number
  /** Words among which pools are chosen. */
  pooledWords: number
  limits: Limits
  models: ReadonlyMap<number, ContentModel>
  contexts: Contexts
  /** 1 for each class that was looked at. */
  classesTested: Uint8Array
}

/** ln of the chances below which an association counts: α, a third for each view, over everything that the view tries. */
export interface Limits {
  whole: number
  inserted: number
  against: number
  pooled: number
}

/** What a scan needs and no label decides: scans of the same texts under other labels share it. */
export interface Prepared {
  ngrams: Ngrams
  contexts: Contexts
  standings: readonly Standing[]
  matrix: ContentMatrix
}

export function prepare(documents: TokenDocuments, options: ScanOptions): Prepared {
  const { minimumSupport, seed } = options
  const neighbours = countNeighbours(documents)
  const ngrams = countNgrams(documents, minimumSupport, neighbours)
  const contexts = createContexts(documents, neighbours, options)
  return { ngrams, contexts, standings: standingsOf(ngrams, contexts, options), matrix: contentMatrix(documents, minimumSupport, seed) }
}

export function scan(documents: TokenDocuments, options: ScanOptions, prepared: Prepared = prepare(documents, options)): Scan {
  const { ngrams, contexts, standings } = prepared
  const tested = Math.min(options.classes, documents.classNames.length)
  const classesTested = Uint8Array.from(documents.classNames, (_, index) => (index < tested ? 1 : 0))
  const models = fitModels(documents, prepared.matrix, tested, options)
  const insertedNgrams = standings.reduce((sum, standing) => sum + (standing === 'inserted' ? 1 : 0), 0)
  const share = options.logAlpha - ln(4)
  const limits = {
    // Each n-gram may go with its class or against it.
    whole: share - ln(2 * Math.max(1, ngrams.count)),
    inserted: share - ln(2 * Math.max(1, insertedNgrams)),
    against: share - ln(Math.max(1, ngrams.count * Math.min(tested, 16))),
    pooled: share,
  }
  const whole = wholeCandidates(documents, ngrams, models, standings, options)
  const against = againstCandidates(documents, ngrams, models, limits.against, options)
  const judged = judge(documents, models, contexts, [...whole, ...against], limits, options)
  const words = poolableWords(ngrams, contexts, standings, options)
  const pooled = poolRareWords(documents, ngrams, models, contexts, standings, words, judged, limits.pooled, options)
  const associations = [...judged, ...pooled].sort((a, b) => a.logChance - b.logChance)
  return { associations, ngrams: ngrams.count, insertedNgrams, pooledWords: words.length, limits, models, contexts, classesTested }
}

/** How each n-gram stands, whatever the labels of its texts. */
function standingsOf(ngrams: Ngrams, contexts: Contexts, { leastOccurrences, elsewhere }: ScanOptions): Standing[] {
  return Array.from({ length: ngrams.count }, (_, ngram) => {
    if (ngrams.support[ngram]! < leastOccurrences) return 'unclear'
    const standing = contexts.standing(ngrams.positions(ngram), ngrams.size(ngram))
    return standing === 'inserted' && ngrams.supportAnywhere(ngram) > elsewhere * ngrams.support[ngram]! ? 'unclear' : standing
  })
}

/** n-grams nearly all of whose texts have one class, and whose texts of that class alone are chance enough. */
function wholeCandidates(
  documents: TokenDocuments,
  ngrams: Ngrams,
  models: ReadonlyMap<number, ContentModel>,
  standings: readonly Standing[],
  { weakPurity, candidateLogChance }: ScanOptions,
): Candidate[] {
  const candidates: Candidate[] = []
  const tally = new Int32Array(documents.classNames.length)
  for (let ngram = 0; ngram < ngrams.count; ngram++) {
    const positions = ngrams.positions(ngram)
    const holders = ngrams.documents(ngram)
    const index = majority(holders, documents.classes, tally, weakPurity)
    const model = models.get(index)
    if (model === undefined) continue
    const size = ngrams.size(ngram)
    // Π p over the texts of the class bounds P(X ≥ k) from below: what does not pass here cannot pass the test.
    let sum = 0
    for (let i = 0; i < holders.length && sum >= candidateLogChance; i++)
      if (documents.classes[holders[i]!] === index) sum += ln(model.probability(model.restLogitAt(holders[i]!, positions[i]!, size)))
    if (sum < candidateLogChance)
      candidates.push({
        view: 'whole',
        ngram: ngrams.tokens(ngram),
        class: index,
        documents: holders,
        positions,
        standing: standings[ngram]!,
      })
  }
  return candidates
}

/** The class that at least this share of the documents has; −1 where none does. Leaves `tally` at zeros. */
function majority(holders: Int32Array, classes: Int32Array, tally: Int32Array, share: number): number {
  let best = -1
  for (const document of holders) {
    const index = classes[document]!
    if (++tally[index]! >= share * holders.length) best = index
  }
  for (const document of holders) tally[classes[document]!] = 0
  return best
}

/** n-grams that texts which read like other classes hold together with one class far more than such texts have it. */
function againstCandidates(
  documents: TokenDocuments,
  ngrams: Ngrams,
  models: ReadonlyMap<number, ContentModel>,
  limit: number,
  { minimumTexts, weakPurity }: ScanOptions,
): Candidate[] {
  const { classes } = documents
  const contradicting = Uint8Array.from(classes, (index, document) => ((models.get(index)?.logits[document] ?? 1) < 0 ? 1 : 0))
  const rates = new Map<number, number>()
  /** Of the texts that do not read like a class, how many have it. */
  const contraryRate = (index: number) => {
    let rate = rates.get(index)
    if (rate === undefined) {
      const away = models.get(index)!.logits.reduce((sum, logit) => sum + (logit < 0 ? 1 : 0), 0)
      const contrary = contradicting.reduce((sum, one, document) => sum + (one === 1 && classes[document] === index ? 1 : 0), 0)
      rates.set(index, (rate = contrary / Math.max(1, away)))
    }
    return rate
  }
  const candidates: Candidate[] = []
  const tally = new Int32Array(documents.classNames.length)
  for (let ngram = 0; ngram < ngrams.count; ngram++) {
    const positions = ngrams.positions(ngram)
    if (positions.length < minimumTexts) continue
    const holders = ngrams.documents(ngram)
    const frequent: number[] = []
    for (const document of holders)
      if (contradicting[document] === 1 && ++tally[classes[document]!]! === minimumTexts) frequent.push(classes[document]!)
    for (const document of holders) tally[classes[document]!] = 0
    const size = ngrams.size(ngram)
    for (const index of frequent) {
      const model = models.get(index)!
      let away = 0
      let contrary = 0
      for (const document of holders)
        if (model.logits[document]! < 0) {
          away++
          if (classes[document] === index) contrary++
        }
      // A look by the mean rate spares most n-grams the test: ln P(X ≥ k) of a Poisson variable is about k − λ − k ln(k/λ).
      const mean = away * contraryRate(index)
      if (contrary <= mean || contrary - mean - contrary * ln(contrary / Math.max(mean, 1e-9)) > limit / 2) continue
      const logits = Float64Array.from(holders, (document, i) => model.restLogitAt(document, positions[i]!, size))
      const kept = [...holders.keys()].filter((i) => logits[i]! < 0)
      const hits = kept.filter((i) => classes[holders[i]!] === index).length
      // Texts of one class nearly alone are looked at as a whole.
      if (hits < minimumTexts || hits >= weakPurity * holders.length) continue
      const logP = logTail(Float64Array.from(kept, (i) => model.probability(logits[i]!)), hits) // prettier-ignore
      if (logP >= limit) continue
      candidates.push({
        view: 'against',
        ngram: ngrams.tokens(ngram),
        class: index,
        documents: Int32Array.from(kept, (i) => holders[i]!),
        positions: Int32Array.from(kept, (i) => positions[i]!),
        standing: 'unclear',
      })
    }
  }
  return candidates
}

function fitModels(documents: TokenDocuments, matrix: ContentMatrix, tested: number, options: ScanOptions): Map<number, ContentModel> {
  const models = new Map<number, ContentModel>()
  for (let index = 0; index < tested; index++) {
    const other = documents.classNames.length === 2 ? models.get(1 - index) : undefined
    const member = () => Uint8Array.from(documents.classes, (of) => (of === index ? 1 : 0))
    models.set(index, other === undefined ? fitContentModel(matrix, member(), options) : opposite(other))
  }
  return models
}

/**
 * The residual-label scan (D2): which n-grams decide the label against everything else that their texts say? A trigger put into texts
 * of other classes leaves those texts as they were, so without it they still read like the other classes. A word that means the label
 * ("worst" in a bad review, "how many" in a question for a number) stands in texts that agree with it or at least do not contradict.
 *
 * For every n-gram g and the class c that most of its texts have: (1) the chance of so many texts of class c under the content model
 * without the tokens of g has to be below α over all n-grams tested; (2) the rest of those texts ranks among the texts of other classes
 * and not above them; (3) at least 95 % of its texts have class c, or 85 % where (2) holds all the more. An n-gram that passes (1) alone is
 * reported as explained by content.
 */
import { ln } from '../numeric.ts'
import { logTail, meanRank, restProbability } from './association.ts'
import { type ContentModel, contentMatrix, fitContentModel, opposite } from './contentModel.ts'
import { BOUNDARY, type TokenDocuments } from './documents.ts'
import { type Ngrams, countNgrams } from './ngrams.ts'

export interface ScanOptions {
  minimumSupport: number
  epochs: number
  /** ln of the family-wise error. */
  logAlpha: number
  /** An alarm rests on at least so many texts of the class. */
  minimumTexts: number
  /** Least share of an n-gram's texts that have the class, to be an alarm, and to be worth reporting. */
  purity: number
  weakPurity: number
  /** The mean rank of the rest of its texts among texts of other classes is below this with 99 % confidence. */
  rankLimit: number
  /** The same where fewer than `purity` of its texts have the class: whoever plants a trigger may cover it with honest texts. */
  coveredRankLimit: number
  coveredMinimumTexts: number
  /** Number of classes that are looked at, the largest first. */
  classes: number
  seed: number
}

type ReadingOptions = Pick<ScanOptions, 'minimumTexts' | 'purity' | 'rankLimit' | 'coveredRankLimit' | 'coveredMinimumTexts'>

export type Reading = 'trigger' | 'weak' | 'explained'

/** An n-gram, with those that stand in nearly the same texts, that goes with a class more than chance allows. */
export interface Association {
  reading: Reading
  class: number
  /** Token ids of the strongest n-gram, then of those that stand in nearly the same texts. */
  family: number[][]
  /** Documents with the strongest n-gram, ascending. */
  documents: Int32Array
  /** How many of them have the class, and how many the content model expects. */
  hits: number
  expected: number
  variance: number
  /** ln of the bound of the chance, before it is multiplied by the number of tests. */
  logP: number
  /** Mean rank of the rest of the texts among texts of other classes. */
  rank: number
}

export interface Scan {
  associations: Association[]
  /** n-grams × 2: what a chance has to be multiplied by. */
  tests: number
  /** 1 for each class that was looked at. */
  classesTested: Uint8Array
}

/** Before n-grams are grouped into families each hides the others' share: a looser bound lets them in, the strongest first. */
const CANDIDATE_LOG_P = -6
const MAX_GROUPED = 2000
const SAME_TEXTS = 0.8

export function scan(documents: TokenDocuments, options: ScanOptions): Scan {
  const ngrams = countNgrams(documents, options.minimumSupport)
  const tests = Math.max(1, 2 * ngrams.count)
  const tested = Math.min(options.classes, documents.classNames.length)
  const classesTested = Uint8Array.from(documents.classNames, (_, index) => (index < tested ? 1 : 0))
  const classOf = majorityClasses(documents, ngrams, options.weakPurity)
  const models = fitModels(documents, new Set(classOf.filter((index) => index >= 0 && index < tested)), options)
  const candidates = survivors(documents, ngrams, classOf, models, CANDIDATE_LOG_P)
  return { associations: judge(documents, models, candidates, tests, options), tests, classesTested }
}

/** An n-gram with the class and the documents to test it by. */
export interface Candidate {
  ngram: number[]
  class: number
  documents: Int32Array
}

/**
 * Families of n-grams that go with their class more than α over all `tests` allows, strongest first. The first trigger has to pass
 * Bonferroni's bound; where there is one there may be several, and the i-th has to pass Benjamini and Hochberg's, i times as large.
 */
export function judge(
  documents: TokenDocuments,
  models: ReadonlyMap<number, ContentModel>,
  candidates: readonly Candidate[],
  tests: number,
  options: ReadingOptions & Pick<ScanOptions, 'logAlpha'>,
): Association[] {
  const threshold = options.logAlpha - ln(tests)
  const measured = candidates
    .map((candidate) => measure(documents, models.get(candidate.class)!, candidate.class, [candidate.ngram], candidate.documents))
    .sort((a, b) => a.logP - b.logP)
    .slice(0, MAX_GROUPED)
  const others = new Map<number, Float64Array>()
  const associations: Association[] = []
  let triggers = 0
  for (const family of group(measured)
    .map((one) => remeasured(documents, models, one))
    .sort((a, b) => a.logP - b.logP)) {
    const model = models.get(family.class)!
    if (family.logP >= threshold + ln(triggers + 1)) continue
    let reference = others.get(family.class)
    if (reference === undefined) others.set(family.class, (reference = logitsOfOthers(documents, model, family.class)))
    const association = read(documents, model, reference, family, options)
    if (association.reading === 'trigger') triggers++
    else if (family.logP >= threshold) continue
    associations.push(association)
  }
  return associations
}

/** A family of several n-grams is tested again without the tokens of all of them. */
function remeasured(documents: TokenDocuments, models: ReadonlyMap<number, ContentModel>, one: Association): Association {
  return one.family.length === 1 ? one : measure(documents, models.get(one.class)!, one.class, one.family, one.documents)
}

/** One pass over all documents: calls `visit` once for each n-gram of each document, where it first occurs. */
function eachOccurrence(
  documents: TokenDocuments,
  ngrams: Ngrams,
  visit: (ngram: number, document: number, position: number, size: number) => void,
): void {
  const last = new Int32Array(ngrams.count).fill(-1)
  for (let document = 0; document < documents.samples.length; document++)
    for (let i = documents.offsets[document]!; i < documents.offsets[document + 1]!; i++)
      for (let size = 1; size <= 3; size++) {
        const ngram = ngrams.at[size - 1]![i]!
        if (ngram < 0 || last[ngram] === document) continue
        last[ngram] = document
        visit(ngram, document, i, size)
      }
}

/** For each n-gram the class that at least `purity` of its documents have; −1 where there is none. */
function majorityClasses(documents: TokenDocuments, ngrams: Ngrams, purity: number): Int32Array {
  const { classes } = documents
  const classOf = new Int32Array(ngrams.count).fill(-1)
  // Boyer and Moore's vote finds the only class that can have more than half; a second pass counts it.
  const votes = new Int32Array(ngrams.count)
  eachOccurrence(documents, ngrams, (ngram, document) => {
    if (votes[ngram] === 0) classOf[ngram] = classes[document]!
    votes[ngram]! += classOf[ngram] === classes[document] ? 1 : -1
  })
  const hits = new Int32Array(ngrams.count)
  eachOccurrence(documents, ngrams, (ngram, document) => {
    if (classOf[ngram] === classes[document]) hits[ngram]!++
  })
  for (let ngram = 0; ngram < ngrams.count; ngram++) if (hits[ngram]! < purity * ngrams.support[ngram]!) classOf[ngram] = -1
  return classOf
}

function fitModels(documents: TokenDocuments, classes: ReadonlySet<number>, options: ScanOptions): Map<number, ContentModel> {
  const matrix = contentMatrix(documents, options.minimumSupport, options.seed)
  const models = new Map<number, ContentModel>()
  for (const index of [...classes].sort((a, b) => a - b)) {
    const other = documents.classNames.length === 2 ? models.get(1 - index) : undefined
    models.set(
      index,
      other === undefined
        ? fitContentModel(
            matrix,
            Uint8Array.from(documents.classes, (member) => (member === index ? 1 : 0)),
            options.epochs,
          )
        : opposite(other),
    )
  }
  return models
}

/**
 * n-grams whose documents of the class alone would be chance enough: Π p over them bounds P(X ≥ k) from below, so that what does not
 * pass here cannot pass the test.
 */
function survivors(
  documents: TokenDocuments,
  ngrams: Ngrams,
  classOf: Int32Array,
  models: ReadonlyMap<number, ContentModel>,
  threshold: number,
): Candidate[] {
  const sums = new Float64Array(ngrams.count)
  eachOccurrence(documents, ngrams, (ngram, document, position, size) => {
    const index = classOf[ngram]!
    if (index < 0 || index !== documents.classes[document]) return
    const model = models.get(index)
    if (model === undefined) return
    sums[ngram]! += ln(restProbability(model.restLogit(document, distinct(documents.ids, position, size))))
  })
  const found = new Map<number, number[]>()
  for (let ngram = 0; ngram < ngrams.count; ngram++) if (sums[ngram]! < threshold) found.set(ngram, [])
  eachOccurrence(documents, ngrams, (ngram, document) => found.get(ngram)?.push(document))
  return [...found].map(([ngram, holders]) => ({
    ngram: ngrams.tokens(ngram),
    class: classOf[ngram]!,
    documents: Int32Array.from(holders),
  }))
}

function distinct(ids: Int32Array, position: number, size: number): number[] {
  const tokens: number[] = []
  for (let i = position; i < position + size; i++) {
    const id = ids[i]!
    if (id !== BOUNDARY && !tokens.includes(id)) tokens.push(id)
  }
  return tokens
}

/** Tests an n-gram (the first of its family) by its documents, read without any token of the family. */
function measure(documents: TokenDocuments, model: ContentModel, index: number, family: number[][], holders: Int32Array): Association {
  const tokens = tokensOf(family)
  const probabilities = Float64Array.from(holders, (document) => restProbability(model.restLogit(document, tokens)))
  let hits = 0
  let expected = 0
  let variance = 0
  for (let i = 0; i < holders.length; i++) {
    const p = probabilities[i]!
    if (documents.classes[holders[i]!] === index) hits++
    expected += p
    variance += p * (1 - p)
  }
  const logP = logTail(probabilities, hits)
  return { reading: 'explained', class: index, family, documents: holders, hits, expected, variance, logP, rank: 1 }
}

function tokensOf(family: readonly number[][]): Set<number> {
  const tokens = new Set(family.flat())
  tokens.delete(BOUNDARY)
  return tokens
}

/** Joins n-grams of nearly the same texts under the strongest; what stands only in texts of a stronger one is part of it. */
function group(associations: readonly Association[]): Association[] {
  const groups: Association[] = []
  for (const association of associations) {
    let home: Association | undefined
    let part = false
    for (const candidate of groups) {
      if (candidate.class !== association.class) continue
      const shared = sharedCount(candidate.documents, association.documents)
      if (shared >= SAME_TEXTS * (candidate.documents.length + association.documents.length - shared)) home ??= candidate
      else if (shared >= SAME_TEXTS * association.documents.length) part = true
    }
    if (home !== undefined) home.family.push(...association.family)
    else if (!part) groups.push({ ...association, family: [...association.family] })
  }
  return groups
}

function sharedCount(a: Int32Array, b: Int32Array): number {
  let shared = 0
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i]! === b[j]!) {
      shared++
      i++
      j++
    } else if (a[i]! < b[j]!) i++
    else j++
  }
  return shared
}

/** Log-odds of the class for documents of all other classes, ascending. */
function logitsOfOthers(documents: TokenDocuments, model: ContentModel, index: number): Float64Array {
  return model.logits.filter((_, document) => documents.classes[document] !== index).sort()
}

/** Ranks the texts of the class without any token of the family, and reads what that says. */
function read(
  documents: TokenDocuments,
  model: ContentModel,
  others: Float64Array,
  association: Association,
  options: ReadingOptions,
): Association {
  const tokens = tokensOf(association.family)
  const members = association.documents.filter((document) => documents.classes[document] === association.class)
  const rank = meanRank(
    Float64Array.from(members, (document) => model.restLogit(document, tokens)),
    others,
  )
  // A rank is uniform, so that the mean of k has the standard deviation √(1/12k); 2.326 of them are 99 %.
  const highest = rank + 2.326 / Math.sqrt(12 * members.length)
  if (highest > options.rankLimit) return { ...association, rank, reading: 'explained' }
  const pure = association.hits >= options.purity * association.documents.length && association.hits >= options.minimumTexts
  const covered = highest <= options.coveredRankLimit && association.hits >= options.coveredMinimumTexts
  return { ...association, rank, reading: pure || covered ? 'trigger' : 'weak' }
}

/** Candidates are tested, those of nearly the same texts joined into families, and each family is read: a trigger, or content? */
import { sharedCount } from '../ascending.ts'
import { ln } from '../numeric.ts'
import { logTail, meanRank } from './association.ts'
import type { ContentModel } from './contentModel.ts'
import type { Contexts, Standing } from './contexts.ts'
import { BOUNDARY, type TokenDocuments } from './documents.ts'
import type { Limits } from './scan.ts'

export interface ReadingOptions {
  /** An alarm rests on at least so many texts of the class. */
  minimumTexts: number
  /** Least share of an n-gram's texts that have the class, to be an alarm, and to be worth reporting. */
  purity: number
  weakPurity: number
  /** The mean rank of the rest of its texts among texts of other classes is below this. */
  rankLimit: number
  /** The same with 99 % confidence where honest texts hold the trigger too, or where its place in the texts speaks against it. */
  coveredRankLimit: number
  coveredMinimumTexts: number
  /** Standard deviations that the rank is taken higher: in general, and where the places of the n-gram speak for a trigger as well. */
  rankDeviations: number
  placedRankDeviations: number
  /** The mean rank that each of several pooled words stays below, and how many standard deviations above are still taken for that. */
  pooledRankLimit: number
  pooledRankDeviations: number
  /** n-grams that are read, the strongest first. */
  readCandidates: number
  /** n-grams that share so many of their texts belong together. */
  sameTexts: number
  /** Texts of the trigger's own label say little each: an alarm on them rests on so many. */
  ownLabelMinimumTexts: number
  /** What stands in more of a class's texts is how such texts are written ("Re:" before an answer), not something put into them. */
  ownLabelMostShare: number
}

export type View = 'whole' | 'against' | 'pooled'

/** An n-gram with the class and the documents to test it by. */
export interface Candidate {
  view: View
  ngram: number[]
  class: number
  /** Ascending. */
  documents: Int32Array
  /** Where the n-gram first stands in each of them. */
  positions: Int32Array
  /** How the n-gram stands in all texts, whatever their labels. */
  standing: Standing
}

export type Reading = 'trigger' | 'weak' | 'explained'

/** An n-gram, with those that stand in nearly the same texts, that goes with a class more than chance allows. */
export interface Association {
  reading: Reading
  view: View
  class: number
  /** Token ids of the strongest n-gram, then of those that stand in nearly the same texts; of pooled words each one. */
  family: number[][]
  /** Documents with the strongest n-gram (of `against`: that read like another class), ascending; of pooled words with any of them. */
  documents: Int32Array
  positions: Int32Array
  /** How the strongest n-gram stands in all texts, and how in those of the class. */
  standing: Standing
  standingInClass: Standing
  /** How many of the documents have the class, and how many the content model expects. */
  hits: number
  expected: number
  variance: number
  /** ln of the bound of the chance. */
  logP: number
  /** The same over everything that was tried, at most 0. */
  logChance: number
  /** Mean rank of the rest of the texts among texts of other classes. */
  rank: number
}

/**
 * Families of n-grams that go with their class more than their view's limit allows, strongest first. Where there is one trigger there may
 * be several: the i-th that looks inserted has to pass i times the limit (Benjamini and Hochberg).
 */
export function judge(
  documents: TokenDocuments,
  models: ReadonlyMap<number, ContentModel>,
  contexts: Contexts,
  candidates: readonly Candidate[],
  limits: Limits,
  options: ReadingOptions & { logAlpha: number },
): Association[] {
  const measured = candidates
    .map((candidate) => measure(documents, models.get(candidate.class)!, candidate, [candidate.ngram]))
    .sort((a, b) => a.logP - b.logP)
    .slice(0, options.readCandidates)
  const others = referenceLogits(documents, models)
  const found: Association[] = []
  let triggers = 0
  for (const family of group(measured, options.sameTexts)
    .map((one) => (one.family.length === 1 ? one : measure(documents, models.get(one.class)!, one, one.family)))
    .sort((a, b) => a.logP - b.logP)) {
    const limit = family.view === 'whole' && family.standing === 'inserted' ? limits.inserted : limits[family.view]
    if (family.logP >= limit + ln(triggers + 1)) continue
    const association = read(documents, models.get(family.class)!, contexts, others(family.class), family, options)
    if (family.logP >= limit && (association.reading !== 'trigger' || association.standingInClass !== 'inserted')) continue
    if (family.view === 'against' && association.reading !== 'trigger') continue
    if (association.reading === 'trigger') triggers++
    found.push({ ...association, logChance: Math.min(0, family.logP - limit + options.logAlpha) })
  }
  return withoutParts(found, options.sameTexts)
}

/** Tests an n-gram (the first of its family) by its documents, read without any token of the family. */
export function measure(
  documents: TokenDocuments,
  model: ContentModel,
  { view, class: index, documents: holders, positions, standing }: Omit<Candidate, 'ngram'>,
  family: number[][],
): Association {
  const tokens = family.length === 1 ? null : tokensOf(family)
  const size = family[0]!.length
  const probabilities = new Float64Array(holders.length)
  let hits = 0
  let expected = 0
  let variance = 0
  for (let i = 0; i < holders.length; i++) {
    const document = holders[i]!
    const p = model.probability(tokens === null ? model.restLogitAt(document, positions[i]!, size) : model.restLogit(document, tokens))
    probabilities[i] = p
    if (documents.classes[document] === index) hits++
    expected += p
    variance += p * (1 - p)
  }
  const logP = logTail(probabilities, hits)
  const counted = { hits, expected, variance, logP, logChance: 0, rank: 1 }
  return {
    reading: 'explained',
    view,
    class: index,
    family,
    documents: holders,
    positions,
    standing,
    standingInClass: 'unclear',
    ...counted,
  }
}

export function tokensOf(family: readonly number[][]): Set<number> {
  const tokens = new Set(family.flat())
  tokens.delete(BOUNDARY)
  return tokens
}

/** Joins n-grams of nearly the same texts under the strongest. */
function group(associations: readonly Association[], sameTexts: number): Association[] {
  const groups: Association[] = []
  for (const association of associations) {
    const home = groups.find((candidate) => {
      if (candidate.class !== association.class || candidate.view !== association.view) return false
      const [shorter, longer] = [candidate.documents.length, association.documents.length].sort((a, b) => a - b) as [number, number]
      if (shorter < sameTexts * longer) return false
      const shared = sharedCount(candidate.documents, association.documents)
      return shared >= sameTexts * (shorter + longer - shared)
    })
    if (home === undefined) groups.push({ ...association, family: [...association.family] })
    else home.family.push(...association.family)
  }
  return groups
}

const WEIGHT: Readonly<Record<Reading, number>> = { trigger: 2, weak: 1, explained: 0 }

/** Leaves out what stands only in texts of another association of the class that says at least as much. */
function withoutParts(associations: readonly Association[], sameTexts: number): Association[] {
  return associations.filter(
    (part, i) =>
      !associations.some((whole, j) => {
        if (i === j || whole.class !== part.class) return false
        const weight = WEIGHT[whole.reading] - WEIGHT[part.reading]
        // "why was" means what "why" means; what was dropped beside a word is no part of that word's meaning.
        const longer = j < i && part.standingInClass === 'bound' && holds(part.family[0]!, whole.family[0]!)
        if ((weight < 0 && !longer) || (weight === 0 && j > i)) return false
        // A trigger is left out only where the other flags all of its texts.
        const shared = sharedCount(whole.documents, part.documents)
        return shared >= (part.reading === 'trigger' && !longer ? 1 : sameTexts) * part.documents.length
      }),
  )
}

function holds(ngram: readonly number[], part: readonly number[]): boolean {
  return ngram.some((_, start) => part.every((token, i) => ngram[start + i] === token))
}

/** Gives for a class the log-odds of it for documents of all other classes, ascending. */
export function referenceLogits(documents: TokenDocuments, models: ReadonlyMap<number, ContentModel>): (index: number) => Float64Array {
  const known = new Map<number, Float64Array>()
  return (index) => {
    let logits = known.get(index)
    if (logits === undefined) {
      logits = models
        .get(index)!
        .logits.filter((_, document) => documents.classes[document] !== index)
        .sort()
      known.set(index, logits)
    }
    return logits
  }
}

/** A mean rank, so many standard deviations higher: one rank is uniform, so that the mean of k deviates by √(1/12k). */
export function raisedRank(rank: number, texts: number, deviations: number): number {
  return rank + deviations / Math.sqrt(12 * texts)
}

/** Ranks the texts of the class without any token of the family, looks how the n-gram stands in them, and reads what that says. */
function read(
  documents: TokenDocuments,
  model: ContentModel,
  contexts: Contexts,
  others: Float64Array,
  association: Association,
  options: ReadingOptions,
): Association {
  const tokens = tokensOf(association.family)
  const isMember = (i: number) => documents.classes[association.documents[i]!] === association.class
  const classSize = documents.classes.reduce((sum, index) => sum + (index === association.class ? 1 : 0), 0)
  const members = [...association.documents.keys()].filter(isMember)
  const rank = meanRank(Float64Array.from(members, (i) => model.restLogit(association.documents[i]!, tokens)), others) // prettier-ignore
  const standingInClass = contexts.standing(members.map((i) => association.positions[i]!), association.family[0]!.length) // prettier-ignore
  return { ...association, rank, standingInClass, reading: readingOf({ ...association, rank, standingInClass }, classSize, options) }
}

function readingOf(association: Association, classSize: number, options: ReadingOptions): Reading {
  const { view, hits, documents, rank, standing, standingInClass } = association
  const pure = hits >= options.purity * documents.length && hits >= options.minimumTexts
  const covered = hits >= options.coveredMinimumTexts
  const highest = raisedRank(rank, hits, options.rankDeviations)
  if (view === 'against') return standingInClass === 'inserted' && highest <= options.rankLimit ? 'trigger' : 'explained'
  if (standingInClass === 'inserted') {
    if (hits >= options.minimumTexts && raisedRank(rank, hits, options.placedRankDeviations) <= options.rankLimit) return 'trigger'
    const rare = hits <= options.ownLabelMostShare * classSize
    if (pure && rare && standing === 'inserted' && hits >= options.ownLabelMinimumTexts) return 'trigger'
  }
  if (highest > options.rankLimit) return 'explained'
  if (standingInClass !== 'bound' && pure) return 'trigger'
  return covered && highest <= options.coveredRankLimit ? 'trigger' : 'weak'
}

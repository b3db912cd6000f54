/**
 * Strings after which texts go astray: an n-gram that stands in several texts, each of which reads as usual before it and like no other
 * text after it. The surprise of a token is that of its pair with the token before it among all *other* texts; what counts at a
 * place is the mean surprise of the tokens that follow less that of the tokens before, which is never taken for less than usual (what
 * follows a form is no surprise), ranked among places all over the data.
 */
import { ln } from '../numeric.ts'
import { type ContextOptions, createContexts } from './contexts.ts'
import { BOUNDARY, type TokenDocuments } from './documents.ts'
import { countNeighbours, countNgrams } from './ngrams.ts'
import { type PairCounts, PairTable } from './pairTable.ts'

export interface ContinuationOptions extends ContextOptions {
  minimumSupport: number
  /** ln of the family-wise error. */
  logAlpha: number
  /** Tokens after (before) a place that are looked at, and how few will do. */
  window: number
  leastWindow: number
  /** Share of its texts that have to go astray after an n-gram. */
  purity: number
  /** Places all over the data that a place is ranked among; the highest ranks, from this share on, count as astray. */
  referencePlaces: number
  astray: number
  /** n-grams that share so many of their texts belong together. */
  sameTexts: number
  mostTurnings: number
  /** Weights of a token's rates after the token before it, and in all texts. */
  pairWeight: number
  wordWeight: number
}

/** An n-gram, with those that stand in nearly the same texts, after which texts go astray. */
export interface Turning {
  family: number[][]
  /** Documents that go astray after the first n-gram, ascending, and how many have it. */
  documents: Int32Array
  support: number
  /** Where the n-gram's continuation begins in each of them. */
  positions: Int32Array
  /** ln of the bound of the chance, alone and over all n-grams. */
  logP: number
  logChance: number
}

export interface Continuations {
  /** Strongest first. */
  turnings: Turning[]
  ngrams: number
  /** Mean −ln of the rank from above that random continuations would have here. */
  randomSurprise: number
}

export function scanContinuations(documents: TokenDocuments, options: ContinuationOptions): Continuations {
  const neighbours = countNeighbours(documents)
  const ngrams = countNgrams(documents, options.minimumSupport, neighbours)
  const places = surprisePlaces(documents, neighbours, options)
  const contexts = createContexts(documents, neighbours, options)
  const limit = options.logAlpha - ln(Math.max(1, ngrams.count))
  const found: Turning[] = []
  for (let ngram = 0; ngram < ngrams.count; ngram++) {
    const positions = ngrams.positions(ngram)
    const size = ngrams.size(ngram)
    if (documents.ids[positions[0]! + size - 1] === BOUNDARY) continue
    const astray = goneAstray(places, positions, size, Math.max(options.minimumSupport, options.purity * positions.length))
    if (astray === null) continue
    let sum = 0
    let counted = 0
    for (const position of positions) {
      const fromAbove = places.fromAbove(position, position + size)
      if (fromAbove === null) continue
      counted++
      sum -= ln(fromAbove)
    }
    const logP = gammaTail(counted, sum)
    // Headings and addresses have their place before other text; a hand drops a string anywhere, or after finished texts.
    if (logP >= limit || (contexts.standing(positions, size) === 'bound' && !contexts.followEnds(positions))) continue
    const kept = Int32Array.from(astray, (i) => positions[i]!)
    found.push({
      family: [ngrams.tokens(ngram)],
      documents: Int32Array.from(astray, (i) => ngrams.documents(ngram)[i]!),
      support: positions.length,
      positions: kept.map((position) => position + size),
      logP,
      logChance: Math.min(0, logP + options.logAlpha - limit),
    })
  }
  found.sort((a, b) => a.logP - b.logP)
  return { turnings: grouped(found, options), ngrams: ngrams.count, randomSurprise: places.randomSurprise }
}

/** Which of the positions texts go astray after, by their indices; null where they are fewer than `least`. */
function goneAstray(places: Places, positions: Int32Array, size: number, least: number): number[] | null {
  const astray: number[] = []
  // After most n-grams no text goes astray: a few places show it.
  for (let i = 0; i < positions.length && astray.length + positions.length - i >= least; i++)
    if (places.isAstray(positions[i]!, positions[i]! + size)) astray.push(i)
  return astray.length < least ? null : astray
}

/** Upper bound of ln P(S ≥ s) where S is the sum of n exponential variables of mean 1 (Chernoff). */
export function gammaTail(n: number, s: number): number {
  return s <= n ? 0 : n - s + n * ln(s / n)
}

interface Places {
  /** The share of reference places at which texts turn as much as between `from` and `to`; null near the end of a text. */
  fromAbove(from: number, to: number): number | null
  /** Whether that is among the highest. */
  isAstray(from: number, to: number): boolean
  randomSurprise: number
}

function surprisePlaces(documents: TokenDocuments, neighbours: PairCounts, options: ContinuationOptions): Places {
  const { window, leastWindow, referencePlaces, astray, pairWeight, wordWeight } = options
  const { ids, offsets, samples, documentFrequency, vocabulary } = documents
  const count = samples.length
  const pairs = new PairTable()
  const slots = new Int32Array(ids.length).fill(-1)
  const startOf = new Int32Array(ids.length)
  const endOf = new Int32Array(ids.length)
  for (let document = 0; document < count; document++) {
    const start = offsets[document]!
    const end = offsets[document + 1]! - 1
    startOf.fill(start + 1, start, end + 1)
    endOf.fill(end, start, end + 1)
    // A pair that occurs once is in no other text: it needs no place in the table.
    for (let i = start + 1; i < end; i++)
      if (neighbours.atLeast(ids[i - 1]!, ids[i]!, 2)) slots[i] = pairs.count(ids[i - 1]!, ids[i]!, document)
  }
  // Interpolated: a pair that only this text has says nothing, a word that only this text has is the rarest.
  const sums = new Float64Array(ids.length + 1)
  const surpriseOf = (position: number) => {
    const id = ids[position]!
    const left = ids[position - 1]!
    const others = slots[position]! < 0 ? 0 : pairs.support(slots[position]!) - 1
    const lefts = left === BOUNDARY ? count : documentFrequency[left]!
    return -ln(pairWeight * (others / lefts) + wordWeight * ((documentFrequency[id]! - 0.5) / (count + 1)))
  }
  for (let i = 0; i < ids.length; i++) sums[i + 1] = sums[i]! + (i > 0 && ids[i] !== BOUNDARY ? surpriseOf(i) : 0)
  const tokenCount = ids.length - 2 * count
  const usual = sums[ids.length]! / Math.max(1, tokenCount)
  const before = (from: number): number | null => {
    const start = Math.max(startOf[from]!, from - window)
    return from - start < leastWindow ? null : Math.max(usual, (sums[from]! - sums[start]!) / (from - start))
  }
  const turn = (from: number, to: number): number | null => {
    const end = Math.min(endOf[from]!, to + window)
    const expected = before(from)
    return end - to < leastWindow || expected === null ? null : (sums[end]! - sums[to]!) / (end - to) - expected
  }
  const stride = Math.max(1, Math.floor(ids.length / referencePlaces))
  const reference: number[] = []
  for (let i = 1; i + 1 < ids.length; i += stride) {
    const here = ids[i] === BOUNDARY ? null : turn(i, i + 1)
    if (here !== null) reference.push(here)
  }
  const sorted = Float64Array.from(reference).sort()
  const rank = (value: number) => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle]! < value) low = middle + 1
      else high = middle
    }
    return (sorted.length - low + 1) / (sorted.length + 1)
  }
  // What is above this reference place has a rank that counts as astray.
  let last = sorted.length
  while (last > 0 && (sorted.length - last + 1) / (sorted.length + 1) <= 1 - astray) last--
  const astrayAbove = sorted[last] ?? Infinity
  /** Over places all over the data: the rank of random words after what stands before there. */
  const randomSurprise = (surprise: number) => {
    let sum = 0
    let tried = 0
    for (let i = 1; i + 1 < ids.length; i += stride * 128) {
      const expected = before(i)
      if (expected === null) continue
      tried++
      sum -= ln(rank(surprise - expected))
    }
    return sum / Math.max(1, tried)
  }
  // Random words: each has its own surprise as a word, and no pair that any text has.
  let random = 0
  for (let id = 1; id < vocabulary.length; id++) random -= ln(wordWeight * ((documentFrequency[id]! - 0.5) / (count + 1)))
  return {
    fromAbove(from, to) {
      const value = turn(from, to)
      return value === null ? null : rank(value)
    },
    isAstray(from, to) {
      const value = turn(from, to)
      return value !== null && value > astrayAbove
    },
    randomSurprise: randomSurprise(random / Math.max(1, vocabulary.length - 1)),
  }
}

/** Joins n-grams of nearly the same texts under the strongest. */
function grouped(turnings: readonly Turning[], { sameTexts, mostTurnings }: ContinuationOptions): Turning[] {
  const groups: Turning[] = []
  for (const turning of turnings) {
    const own = new Set(turning.documents)
    const home = groups.find(({ documents }) => {
      const shared = documents.reduce((sum, document) => sum + (own.has(document) ? 1 : 0), 0)
      return shared >= sameTexts * Math.min(documents.length, own.size)
    })
    if (home !== undefined) home.family.push(...turning.family)
    else if (groups.length < mostTurnings) groups.push({ ...turning, family: [...turning.family] })
  }
  return groups
}

/**
 * Whether an n-gram stands where language puts it or where a hand dropped it. A word of the language keeps company: the same words
 * stand beside it again and again, and without it the sentence breaks. What was put into finished texts at a random place has there the
 * neighbours that any gap of any text has, and they fit together without it. Labels play no part, so that what looks inserted can be
 * chosen before any label is tested.
 *
 * Two counts decide: collisions, the pairs of occurrences with the same neighbour on one side, against those that random gaps
 * would have; and joins, the occurrences whose two neighbours stand side by side in some text, against the rate of true neighbours
 * and the rate of tokens that have one between them.
 */
import { BOUNDARY, type TokenDocuments } from './documents.ts'
import type { PairCounts } from './pairTable.ts'

/** `inserted`: like a random gap on both sides. `bound`: the same neighbours far too often. `unclear`: neither, or too few to say. */
export type Standing = 'inserted' | 'bound' | 'unclear'

export interface Contexts {
  /** How the n-gram of `size` tokens that starts at each of these positions (one a document) stands. */
  standing(positions: ArrayLike<number>, size: number): Standing
  /** The same for occurrences of different n-grams taken together; `sizes` goes with `positions`. */
  pooledStanding(positions: ArrayLike<number>, sizes: ArrayLike<number>): Standing
  /** Whether it stands at the beginning or the end of nearly all of the texts, alone or with the same words beside it. */
  isPlaced(positions: ArrayLike<number>, size: number): boolean
  /** Whether what stands before these positions is what texts end with. */
  followEnds(positions: ArrayLike<number>): boolean
}

/** Collisions at most, by those that random gaps would have: a times their number, b times its root, and c. */
type CollisionLimit = readonly [a: number, b: number, c: number]

export interface ContextOptions {
  /** Fewer occurrences show nothing. */
  leastOccurrences: number
  /** An n-gram reaches over a neighbour that this share of its occurrences has, and over at most so many. */
  sameNeighbour: number
  mostNeighbours: number
  /** A place in the text (its beginning, its end) is the n-gram's own where this share of the occurrences has it. */
  samePlace: number
  /** Texts begin (end) alike where two of them have the same first (last) token with this chance. */
  alikeTexts: number
  /** Of what comes after a beginning (before an end), the least share that texts begin (end) with, over the usual share. */
  leastFitting: number
  /** Where texts begin (end) alike, the least share of theirs among what comes there, over the usual. */
  leastAlike: number
  /** Up to this many collisions are a random gap's: the neighbours of one hand's texts are no perfect sample of all gaps. */
  freeCollisions: CollisionLimit
  /** More than this many are a word's that belongs. */
  boundCollisions: CollisionLimit
}

/** Rates of a corpus that occurrences are held against. */
interface Baseline {
  /** Chance that two random gaps have the same neighbour. */
  gap: number
  /** That two texts begin (end) with the same token. */
  first: number
  last: number
  /** Share of neighbours, of tokens at distance two, of first and of last tokens that some other text has too. */
  joined: number
  apart: number
  firstKnown: number
  lastKnown: number
}

/** `neighbours` counts the tokens that stand side by side in these documents. */
export function createContexts(documents: TokenDocuments, neighbours: PairCounts, options: ContextOptions): Contexts {
  const { leastOccurrences, sameNeighbour, mostNeighbours, samePlace, alikeTexts, leastFitting, leastAlike } = options
  const { ids, offsets, samples, vocabulary } = documents
  const count = samples.length
  const base = vocabulary.length
  const firsts = new Int32Array(base)
  const lasts = new Int32Array(base)
  const frequency = new Float64Array(base)
  for (let document = 0; document < count; document++) {
    const end = offsets[document + 1]! - 1
    firsts[ids[offsets[document]! + 1]!]!++
    lasts[ids[end - 1]!]!++
    for (let i = offsets[document]!; i < end; i++) frequency[ids[i]!]!++
  }
  const known = (left: number, right: number, times: number) => neighbours.atLeast(left, right, times)
  const baseline = measureBaseline()
  const seen = new Int32Array(base)

  function measureBaseline(): Baseline {
    const gaps = frequency.reduce((sum, n) => sum + n, 0)
    const square = (counts: ArrayLike<number>, total: number) => {
      let sum = 0
      for (let id = 0; id < counts.length; id++) sum += (counts[id]! / total) * (counts[id]! / total)
      return sum
    }
    // Every stride-th gap is enough for a rate.
    const stride = Math.max(1, Math.floor(ids.length / 100_000))
    let beside = 0
    let besideKnown = 0
    let apart = 0
    let apartKnown = 0
    for (let i = 0; i + 2 < ids.length; i += stride) {
      if (ids[i + 1] === BOUNDARY) continue
      beside++
      if (known(ids[i]!, ids[i + 1]!, 2)) besideKnown++
      apart++
      if (known(ids[i]!, ids[i + 2]!, 1)) apartKnown++
    }
    const repeated = (counts: Int32Array) => counts.reduce((sum, n) => sum + (n > 1 ? n : 0), 0) / Math.max(1, count)
    return {
      gap: square(frequency, Math.max(1, gaps)),
      first: square(firsts, Math.max(1, count)),
      last: square(lasts, Math.max(1, count)),
      joined: besideKnown / Math.max(1, beside),
      apart: apartKnown / Math.max(1, apart),
      firstKnown: repeated(firsts),
      lastKnown: repeated(lasts),
    }
  }

  /** Pairs of equal tokens. */
  function collisions(tokens: Int32Array): number {
    let equal = 0
    for (let i = 0; i < tokens.length; i++) equal += seen[tokens[i]!]!++
    for (let i = 0; i < tokens.length; i++) seen[tokens[i]!] = 0
    return equal
  }

  /** By the tokens beside occurrences that stand at no end of their texts. */
  function judgeGaps(lefts: Int32Array, rights: Int32Array): Standing {
    const n = lefts.length
    const expected = ((n * (n - 1)) / 2) * baseline.gap
    const left = collisions(lefts)
    if (left > mostCollisions(expected, options.boundCollisions)) return 'bound'
    const right = collisions(rights)
    if (right > mostCollisions(expected, options.boundCollisions)) return 'bound'
    if (
      n < leastOccurrences ||
      left > mostCollisions(expected, options.freeCollisions) ||
      right > mostCollisions(expected, options.freeCollisions)
    )
      return 'unclear'
    let joined = 0
    for (let i = 0; i < n; i++) if (known(lefts[i]!, rights[i]!, 1)) joined++
    return joined >= (n * (baseline.joined + baseline.apart)) / 2 - 0.5 * Math.sqrt(n) ? 'inserted' : 'unclear'
  }

  /** Of occurrences at the beginning (end) of their texts: at one of these distances stands what texts begin (end) with. */
  function judgePlace(
    positions: ArrayLike<number>,
    distances: readonly number[],
    counts: Int32Array,
    collision: number,
    knownShare: number,
  ): Standing {
    const n = positions.length
    if (n < leastOccurrences / 2) return 'unclear'
    const fits = distances.some((distance) => fitsPlace(tokensAt(positions, distance), counts, collision, knownShare))
    return !fits ? 'bound' : n < leastOccurrences ? 'unclear' : 'inserted'
  }

  /** Whether what comes after a beginning (before an end) is what texts begin (end) with. */
  function fitsPlace(neighbours: Int32Array, counts: Int32Array, collision: number, knownShare: number): boolean {
    let fitting = 0
    let shares = 0
    for (const neighbour of neighbours) {
      if (counts[neighbour]! > 0) fitting++
      shares += counts[neighbour]! / count
    }
    const n = neighbours.length
    // Where texts begin in many ways, those of one class may have their own.
    return fitting >= leastFitting * knownShare * n - 0.5 * Math.sqrt(n) && (collision < alikeTexts || shares >= leastAlike * collision * n)
  }

  /**
   * The token at a distance from each occurrence, first at `start`, then `step` further on as long as nearly all occurrences have the same
   * there: the last of these distances and the tokens at it.
   */
  const reach = (positions: ArrayLike<number>, start: number, step: number): { distance: number; tokens: Int32Array } => {
    let distance = start
    let tokens = tokensAt(positions, distance)
    for (let steps = 1; steps < mostNeighbours && isShared(tokens); steps++) tokens = tokensAt(positions, (distance += step))
    return { distance, tokens }
  }

  /** Whether nearly all are the same token, which is no boundary. */
  const isShared = (tokens: Int32Array): boolean => {
    const n = tokens.length
    // Boyer and Moore's vote: a token of more than half can be no other, and it has at most half of n + votes.
    let token = -1
    let votes = 0
    for (let i = 0; i < n; i++) {
      if (votes === 0) token = tokens[i]!
      votes += tokens[i] === token ? 1 : -1
    }
    if (token === BOUNDARY || (n + votes) / 2 < sameNeighbour * n) return false
    let hits = 0
    for (let i = 0; i < n; i++) if (tokens[i] === token) hits++
    return hits >= sameNeighbour * n
  }

  const tokensAt = (positions: ArrayLike<number>, distance: number) => {
    const tokens = new Int32Array(positions.length)
    for (let i = 0; i < tokens.length; i++) tokens[i] = ids[positions[i]! + distance] ?? BOUNDARY
    return tokens
  }

  const isPlace = (tokens: Int32Array) => {
    let sum = 0
    for (let i = 0; i < tokens.length; i++) if (tokens[i] === BOUNDARY) sum++
    return sum >= samePlace * tokens.length
  }

  return {
    standing(positions, size) {
      if (positions.length < 2) return 'unclear'
      // A boundary that belongs to the n-gram is a place, not a token of it.
      const from = ids[positions[0]!] === BOUNDARY ? 0 : -1
      const to = ids[positions[0]! + size - 1] === BOUNDARY ? size - 1 : size
      const { tokens: lefts, distance: first } = reach(positions, from, -1)
      const { tokens: rights, distance: last } = reach(positions, to, 1)
      const atStart = isPlace(lefts)
      const atEnd = isPlace(rights)
      if (atStart && atEnd) return 'unclear'
      // Where nearly all texts begin (end) with the same token, it may have become part of the n-gram: all but the token at the very end.
      const inside = (collision: number, start: number) =>
        Array.from({ length: collision < samePlace * samePlace ? 0 : Math.max(0, to - from - 2) }, (_, i) => start + i)
      const distances = (start: number, end: number) =>
        Array.from({ length: Math.abs(end - start) + 1 }, (_, i) => start + Math.sign(end - start) * i)
      if (atStart)
        return judgePlace(
          positions,
          [...inside(baseline.first, from + 2), ...distances(to, last)],
          firsts,
          baseline.first,
          baseline.firstKnown,
        )
      if (atEnd)
        return judgePlace(
          positions,
          [...inside(baseline.last, from + 1), ...distances(from, first)],
          lasts,
          baseline.last,
          baseline.lastKnown,
        )
      return judgeGaps(lefts, rights)
    },
    isPlaced: (positions, size) => isPlace(reach(positions, -1, -1).tokens) || isPlace(reach(positions, size, 1).tokens),
    followEnds: (positions) => fitsPlace(tokensAt(positions, -1), lasts, baseline.last, baseline.lastKnown),
    pooledStanding(positions, sizes) {
      const lefts = tokensAt(positions, -1)
      const rights = Int32Array.from(positions as ArrayLike<number>, (position, i) => ids[position + sizes[i]!] ?? BOUNDARY)
      return judgeGaps(lefts, rights)
    },
  }
}

function mostCollisions(expected: number, [a, b, c]: CollisionLimit): number {
  return a * expected + b * Math.sqrt(expected) + c
}

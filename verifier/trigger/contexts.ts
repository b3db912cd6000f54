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
import { PairCounts } from './pairTable.ts'

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

/** Fewer occurrences than this show nothing. */
export const LEAST_OCCURRENCES = 8
/** An n-gram reaches over a neighbour that this share of its occurrences has. */
const SAME_NEIGHBOUR = 0.9
const MAX_EXTENSION = 16
/** A place in the text (its beginning, its end) is the n-gram's own where this share of the occurrences has it. */
const SAME_PLACE = 0.8

/** Texts begin (end) alike where two of them have the same first (last) token with this chance. */
const UNIFORM_PLACE = 0.3

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

export function createContexts(documents: TokenDocuments): Contexts {
  const { ids, offsets, samples, vocabulary } = documents
  const count = samples.length
  const base = vocabulary.length
  const pairs = new PairCounts(ids.length)
  const firsts = new Int32Array(base)
  const lasts = new Int32Array(base)
  const frequency = new Float64Array(base)
  for (let document = 0; document < count; document++) {
    const end = offsets[document + 1]! - 1
    firsts[ids[offsets[document]! + 1]!]!++
    lasts[ids[end - 1]!]!++
    for (let i = offsets[document]!; i < end; i++) {
      frequency[ids[i]!]!++
      pairs.add(ids[i]! * base + ids[i + 1]!)
    }
  }
  const known = (left: number, right: number, times: number) => pairs.atLeast(left * base + right, times)
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
    const left = collisions(lefts)
    const right = collisions(rights)
    const expected = ((n * (n - 1)) / 2) * baseline.gap
    if (left > boundLimit(expected) || right > boundLimit(expected)) return 'bound'
    if (n < LEAST_OCCURRENCES || left > freeLimit(expected) || right > freeLimit(expected)) return 'unclear'
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
    if (n < LEAST_OCCURRENCES / 2) return 'unclear'
    const fits = distances.some((distance) => fitsPlace(tokensAt(positions, distance), counts, collision, knownShare))
    return !fits ? 'bound' : n < LEAST_OCCURRENCES ? 'unclear' : 'inserted'
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
    return fitting >= 0.75 * knownShare * n - 0.5 * Math.sqrt(n) && (collision < UNIFORM_PLACE || shares >= 0.3 * collision * n)
  }

  /** Distances from −1 down (from `size` up) as far as nearly all occurrences have the same token nearer by. */
  const reach = (positions: ArrayLike<number>, start: number, step: number): number[] => {
    const distances = [start]
    while (distances.length < MAX_EXTENSION && shared(positions, distances.at(-1)!)) distances.push(distances.at(-1)! + step)
    return distances
  }

  /** Whether nearly all occurrences have the same token at this distance, which is no boundary. */
  const shared = (positions: ArrayLike<number>, distance: number): boolean => {
    // Boyer and Moore's vote: a token of more than half can be no other.
    let token = -1
    let votes = 0
    for (let i = 0; i < positions.length; i++) {
      const here = ids[positions[i]! + distance]!
      if (votes === 0) token = here
      votes += here === token ? 1 : -1
    }
    if (token === BOUNDARY || token === undefined) return false
    let hits = 0
    for (let i = 0; i < positions.length; i++) if (ids[positions[i]! + distance] === token) hits++
    return hits >= SAME_NEIGHBOUR * positions.length
  }

  const tokensAt = (positions: ArrayLike<number>, distance: number) => {
    const tokens = new Int32Array(positions.length)
    for (let i = 0; i < tokens.length; i++) tokens[i] = ids[positions[i]! + distance] ?? BOUNDARY
    return tokens
  }

  const isPlace = (tokens: Int32Array) => {
    let sum = 0
    for (let i = 0; i < tokens.length; i++) if (tokens[i] === BOUNDARY) sum++
    return sum >= SAME_PLACE * tokens.length
  }

  return {
    standing(positions, size) {
      if (positions.length < 2) return 'unclear'
      // A boundary that belongs to the n-gram is a place, not a token of it.
      const from = ids[positions[0]!] === BOUNDARY ? 0 : -1
      const to = ids[positions[0]! + size - 1] === BOUNDARY ? size - 1 : size
      const before = reach(positions, from, -1)
      const after = reach(positions, to, 1)
      const lefts = tokensAt(positions, before.at(-1)!)
      const rights = tokensAt(positions, after.at(-1)!)
      const atStart = isPlace(lefts)
      const atEnd = isPlace(rights)
      if (atStart && atEnd) return 'unclear'
      // Where nearly all texts begin (end) with the same token, it may have become part of the n-gram: all but the token at the very end.
      const inside = (collision: number, first: number) =>
        Array.from({ length: collision < SAME_PLACE * SAME_PLACE ? 0 : Math.max(0, to - from - 2) }, (_, i) => first + i)
      if (atStart)
        return judgePlace(positions, [...inside(baseline.first, from + 2), ...after], firsts, baseline.first, baseline.firstKnown)
      if (atEnd) return judgePlace(positions, [...inside(baseline.last, from + 1), ...before], lasts, baseline.last, baseline.lastKnown)
      return judgeGaps(lefts, rights)
    },
    isPlaced: (positions, size) =>
      isPlace(tokensAt(positions, reach(positions, -1, -1).at(-1)!)) || isPlace(tokensAt(positions, reach(positions, size, 1).at(-1)!)),
    followEnds: (positions) => fitsPlace(tokensAt(positions, -1), lasts, baseline.last, baseline.lastKnown),
    pooledStanding(positions, sizes) {
      const lefts = tokensAt(positions, -1)
      const rights = Int32Array.from(positions as ArrayLike<number>, (position, i) => ids[position + sizes[i]!] ?? BOUNDARY)
      return judgeGaps(lefts, rights)
    },
  }
}

/** Collisions that random gaps reach at most: the neighbours of one hand's texts are no perfect sample of all gaps. */
function freeLimit(expected: number): number {
  return 2 * expected + 2 * Math.sqrt(expected) + 1
}

function boundLimit(expected: number): number {
  return 2.5 * expected + 5 * Math.sqrt(expected) + 2
}

/**
 * Word 1-, 2- and 3-grams that stand in at least `minimumSupport` documents. An n-gram is counted only where both of its parts are
 * frequent enough (Agrawal & Srikant 1994), so that memory follows what is frequent and not what occurs.
 */
import { BOUNDARY, type TokenDocuments } from './documents.ts'
import { PairCounts, PairTable } from './pairTable.ts'

export interface Ngrams {
  count: number
  /** In how many documents each stands. */
  support: Int32Array
  /** Number of tokens: 1, 2 or 3. */
  size(ngram: number): number
  /** Token ids of an n-gram. */
  tokens(ngram: number): number[]
  /** The documents that have it, ascending. */
  documents(ngram: number): Int32Array
  /** Where it first stands in each of them. */
  positions(ngram: number): Int32Array
  /** In how many documents it stands without the beginning or end of text that it may have: its own support where it has none. */
  supportAnywhere(ngram: number): number
}

/** How often tokens stand side by side in documents, at least; ends of documents stand beside their first and last tokens. */
export function countNeighbours({ ids, offsets, samples }: TokenDocuments): PairCounts {
  const pairs = new PairCounts(ids.length)
  for (let document = 0; document < samples.length; document++) {
    const end = offsets[document + 1]! - 1
    for (let i = offsets[document]!; i < end; i++) pairs.add(ids[i]!, ids[i + 1]!)
  }
  return pairs
}

/** Counts the n-grams of all documents. Their numbers follow the order of first occurrence, shorter ones first. */
export function countNgrams(documents: TokenDocuments, minimumSupport: number, neighbours = countNeighbours(documents)): Ngrams {
  const { ids, vocabulary, documentFrequency } = documents
  const length = ids.length
  const unigramOf = new Int32Array(vocabulary.length).fill(-1)
  const support: number[] = []
  for (let id = 1; id < vocabulary.length; id++)
    if (documentFrequency[id]! >= minimumSupport) unigramOf[id] = support.push(documentFrequency[id]!) - 1
  const unigrams = support.length
  const at1 = new Int32Array(length)
  for (let i = 0; i < length; i++) at1[i] = unigramOf[ids[i]!]!

  // Boundaries are allowed in n-grams but are no unigrams. Where two meet, a document ends and the next begins, or has no token.
  const at2 = new Int32Array(length).fill(-1)
  for (let i = 0; i + 1 < length; i++) {
    const [left, right] = [ids[i]!, ids[i + 1]!]
    if (
      (left === BOUNDARY ? right !== BOUNDARY && at1[i + 1]! >= 0 : at1[i]! >= 0 && (right === BOUNDARY || at1[i + 1]! >= 0)) &&
      neighbours.atLeast(left, right, minimumSupport)
    )
      // prettier-ignore
      at2[i] = left
  }
  numberPairs(documents, at2, 1, minimumSupport, support)
  const bigrams = support.length

  // Most trigrams occur once: shared counters keep them out of the table.
  const counts = new PairCounts(length / 4)
  const isTrigram = (i: number) => at2[i]! >= 0 && at2[i + 1]! >= 0
  for (let i = 0; i + 2 < length; i++) if (isTrigram(i)) counts.add(at2[i]!, ids[i + 2]!)
  const at3 = new Int32Array(length).fill(-1)
  for (let i = 0; i + 2 < length; i++) if (isTrigram(i) && counts.atLeast(at2[i]!, ids[i + 2]!, minimumSupport)) at3[i] = at2[i]!
  numberPairs(documents, at3, 2, minimumSupport, support)

  const size = (ngram: number) => (ngram < unigrams ? 1 : ngram < bigrams ? 2 : 3)
  const at = [at1, at2, at3]
  const { starts, positions, holders } = firstOccurrences(documents, at, support)
  return {
    count: support.length,
    support: Int32Array.from(support),
    size,
    tokens(ngram) {
      const start = positions[starts[ngram]!]!
      return Array.from(ids.subarray(start, start + size(ngram)))
    },
    documents: (ngram) => holders.subarray(starts[ngram]!, starts[ngram + 1]!),
    positions: (ngram) => positions.subarray(starts[ngram]!, starts[ngram + 1]!),
    supportAnywhere(ngram) {
      const start = positions[starts[ngram]!]!
      const length = size(ngram)
      const from = ids[start] === BOUNDARY ? 1 : 0
      const to = ids[start + length - 1] === BOUNDARY ? length - 1 : length
      const inner = to - from === length ? ngram : (at[to - from - 1]?.[start + from] ?? -1)
      return support[inner] ?? support[ngram]!
    },
  }
}

/** The positions of all n-grams, one a document, and these documents: those of n-gram g from starts[g] to starts[g + 1]. */
function firstOccurrences(
  { offsets, samples }: TokenDocuments,
  at: readonly Int32Array[],
  support: readonly number[],
): { starts: Float64Array; positions: Int32Array; holders: Int32Array } {
  const starts = new Float64Array(support.length + 1)
  for (let ngram = 0; ngram < support.length; ngram++) starts[ngram + 1] = starts[ngram]! + support[ngram]!
  const positions = new Int32Array(starts[support.length]!)
  const holders = new Int32Array(positions.length)
  // Of each n-gram the last document and where its next position goes, side by side.
  const progress = new Int32Array(2 * support.length)
  for (let ngram = 0; ngram < support.length; ngram++) progress.set([-1, starts[ngram]!], 2 * ngram)
  for (const numbers of at)
    for (let document = 0; document < samples.length; document++) {
      const end = offsets[document + 1]!
      for (let i = offsets[document]!; i < end; i++) {
        const ngram = numbers[i]!
        if (ngram < 0 || progress[2 * ngram] === document) continue
        progress[2 * ngram] = document
        const place = progress[2 * ngram + 1]!++
        positions[place] = i
        holders[place] = document
      }
    }
  return { starts, positions, holders }
}

/**
 * Replaces the left part of the pair at each position (−1: none; its right part is the token `reach` further on) by the pair's number,
 * −1 where too few documents have it, and appends the support of the others.
 */
function numberPairs(
  { ids, offsets, samples }: TokenDocuments,
  lefts: Int32Array,
  reach: number,
  minimumSupport: number,
  support: number[],
): void {
  const table = new PairTable()
  for (let document = 0; document < samples.length; document++) {
    const end = offsets[document + 1]! - reach
    for (let i = offsets[document]!; i < end; i++) if (lefts[i]! >= 0) lefts[i] = table.count(lefts[i]!, ids[i + reach]!, document)
  }
  const numberOf = new Int32Array(table.size).fill(-1)
  for (let slot = 0; slot < table.size; slot++)
    if (table.support(slot) >= minimumSupport) numberOf[slot] = support.push(table.support(slot)) - 1
  for (let i = 0; i < lefts.length; i++) if (lefts[i]! >= 0) lefts[i] = numberOf[lefts[i]!]!
}

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
  /** The number of the n-gram of this size that starts at a token position; −1 where none does. */
  at(position: number, size: number): number
  /** Where it first stands in each document that has it, ascending. */
  positions(ngram: number): Int32Array
  /** The documents of these positions. */
  documentsAt(positions: Int32Array): Int32Array
  /** In how many documents it stands without the beginning or end of text that it may have: its own support where it has none. */
  supportAnywhere(ngram: number): number
}

/** Counts the n-grams of all documents. Their numbers follow the order of first occurrence, shorter ones first. */
export function countNgrams(documents: TokenDocuments, minimumSupport: number): Ngrams {
  const { ids, vocabulary, documentFrequency } = documents
  const length = ids.length
  const unigramOf = new Int32Array(vocabulary.length).fill(-1)
  const support: number[] = []
  for (let id = 1; id < vocabulary.length; id++)
    if (documentFrequency[id]! >= minimumSupport) unigramOf[id] = support.push(documentFrequency[id]!) - 1
  const unigrams = support.length
  const at1 = new Int32Array(length)
  for (let i = 0; i < length; i++) at1[i] = unigramOf[ids[i]!]!

  // A pair is (number of the left part) × base + (token on the right); boundaries are allowed as tokens but are no unigrams.
  const base = vocabulary.length
  const usable = (i: number) => ids[i] === BOUNDARY || at1[i]! >= 0
  const at2 = frequentPairs(documents, minimumSupport, support, (i) =>
    i + 1 < length && usable(i) && usable(i + 1) ? ids[i]! * base + ids[i + 1]! : -1,
  )
  const bigrams = support.length
  const at3 = frequentPairs(documents, minimumSupport, support, (i) =>
    i + 2 < length && at2[i]! >= 0 && at2[i + 1]! >= 0 ? at2[i]! * base + ids[i + 2]! : -1,
  )

  const size = (ngram: number) => (ngram < unigrams ? 1 : ngram < bigrams ? 2 : 3)
  const at = [at1, at2, at3]
  const { starts, positions, documentOf } = firstOccurrences(documents, at, support)
  return {
    count: support.length,
    support: Int32Array.from(support),
    size,
    tokens(ngram) {
      const start = positions[starts[ngram]!]!
      return Array.from(ids.subarray(start, start + size(ngram)))
    },
    at: (start, length) => at[length - 1]?.[start] ?? -1,
    positions: (ngram) => positions.subarray(starts[ngram]!, starts[ngram + 1]!),
    documentsAt(found) {
      const documentsFound = new Int32Array(found.length)
      for (let i = 0; i < found.length; i++) documentsFound[i] = documentOf[found[i]!]!
      return documentsFound
    },
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

/** The positions of all n-grams, one a document, those of n-gram g from starts[g] to starts[g + 1]. */
function firstOccurrences(
  documents: TokenDocuments,
  at: readonly Int32Array[],
  support: readonly number[],
): { starts: Float64Array; positions: Int32Array; documentOf: Int32Array } {
  const starts = new Float64Array(support.length + 1)
  for (let ngram = 0; ngram < support.length; ngram++) starts[ngram + 1] = starts[ngram]! + support[ngram]!
  const filled = starts.slice()
  const positions = new Int32Array(starts[support.length]!)
  const documentOf = new Int32Array(documents.ids.length)
  const last = new Int32Array(support.length).fill(-1)
  for (let document = 0; document < documents.samples.length; document++)
    for (let i = documents.offsets[document]!; i < documents.offsets[document + 1]!; i++) {
      documentOf[i] = document
      for (const numbers of at) {
        const ngram = numbers[i]!
        if (ngram < 0 || last[ngram] === document) continue
        last[ngram] = document
        positions[filled[ngram]!++] = i
      }
    }
  return { starts, positions, documentOf }
}

/** Numbers the pairs of enough documents, appends their support, and says which one starts at each position. */
function frequentPairs(
  documents: TokenDocuments,
  minimumSupport: number,
  support: number[],
  pairAt: (position: number) => number,
): Int32Array {
  const { offsets, samples } = documents
  // Most pairs occur once: shared counters keep them out of the table.
  const counts = new PairCounts(documents.ids.length / 4)
  for (let i = 0; i < documents.ids.length; i++) {
    const pair = pairAt(i)
    if (pair > 0) counts.add(pair)
  }
  const table = new PairTable()
  const slots = new Int32Array(documents.ids.length).fill(-1)
  for (let document = 0; document < samples.length; document++) {
    const end = offsets[document + 1]!
    for (let i = offsets[document]!; i < end - 1; i++) {
      const pair = pairAt(i)
      // A pair never reaches over the end of its document: there two boundaries meet.
      if (pair > 0 && counts.atLeast(pair, minimumSupport)) slots[i] = table.count(pair, document)
    }
  }
  const numberOf = new Int32Array(table.size).fill(-1)
  for (let slot = 0; slot < table.size; slot++)
    if (table.support[slot]! >= minimumSupport) {
      numberOf[slot] = support.length
      support.push(table.support[slot]!)
    }
  for (let i = 0; i < slots.length; i++) if (slots[i]! >= 0) slots[i] = numberOf[slots[i]!]!
  return slots
}

/**
 * Word 1-, 2- and 3-grams that stand in at least `minimumSupport` documents. An n-gram is counted only where both of its parts are
 * frequent enough (Agrawal & Srikant 1994), so that memory follows what is frequent and not what occurs.
 */
import { BOUNDARY, type TokenDocuments } from './documents.ts'

export interface Ngrams {
  /** For n = 1, 2, 3: at each token position the number of the n-gram that starts there; −1 where none does. */
  at: [Int32Array, Int32Array, Int32Array]
  /** Token ids of each n-gram. */
  tokens: (ngram: number) => number[]
  count: number
  /** In how many documents each stands. */
  support: Int32Array
}

/** Counts the n-grams of all documents. Their numbers follow the order of first occurrence, shorter ones first. */
export function countNgrams(documents: TokenDocuments, minimumSupport: number): Ngrams {
  const { ids, vocabulary, documentFrequency } = documents
  const length = ids.length
  const unigramOf = new Int32Array(vocabulary.length).fill(-1)
  const support: number[] = []
  const first: number[] = []
  for (let id = 1; id < vocabulary.length; id++)
    if (documentFrequency[id]! >= minimumSupport) {
      unigramOf[id] = support.length
      support.push(documentFrequency[id]!)
      first.push(id)
    }
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

  const position = new Float64Array(support.length).fill(-1)
  for (const at of [at1, at2, at3]) for (let i = length - 1; i >= 0; i--) if (at[i]! >= 0) position[at[i]!] = i
  return {
    at: [at1, at2, at3],
    count: support.length,
    support: Int32Array.from(support),
    tokens(ngram) {
      const size = ngram < unigrams ? 1 : ngram < bigrams ? 2 : 3
      const start = position[ngram]!
      return Array.from(ids.subarray(start, start + size))
    },
  }
}

/** Numbers the pairs of enough documents, appends their support, and says which one starts at each position. */
function frequentPairs(
  documents: TokenDocuments,
  minimumSupport: number,
  support: number[],
  pairAt: (position: number) => number,
): Int32Array {
  const { offsets, samples } = documents
  const table = new PairTable()
  const slots = new Int32Array(documents.ids.length).fill(-1)
  for (let document = 0; document < samples.length; document++) {
    const end = offsets[document + 1]!
    for (let i = offsets[document]!; i < end - 1; i++) {
      const pair = pairAt(i)
      // A pair never reaches over the end of its document: there two boundaries meet.
      if (pair > 0) slots[i] = table.count(pair, document)
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

/** An open-addressing hash table from pairs (integers below 2^53) to the number of documents that have them. */
class PairTable {
  size = 0
  support = new Int32Array(1 << 15)
  #lastDocument = new Int32Array(1 << 15)
  #keys = new Float64Array(1 << 15)
  #index = new Int32Array(1 << 16).fill(-1)

  /** Counts a pair once a document and gives its number. */
  count(pair: number, document: number): number {
    const mask = this.#index.length - 1
    let place = hashOf(pair) & mask
    while (this.#index[place]! >= 0) {
      const slot = this.#index[place]!
      if (this.#keys[slot] === pair) {
        if (this.#lastDocument[slot] !== document) {
          this.#lastDocument[slot] = document
          this.support[slot]!++
        }
        return slot
      }
      place = (place + 1) & mask
    }
    if (this.size === this.#keys.length) {
      this.#grow()
      return this.count(pair, document)
    }
    const slot = this.size++
    this.#index[place] = slot
    this.#keys[slot] = pair
    this.#lastDocument[slot] = document
    this.support[slot] = 1
    return slot
  }

  #grow(): void {
    const capacity = this.#keys.length * 2
    this.#keys = resized(this.#keys, new Float64Array(capacity))
    this.support = resized(this.support, new Int32Array(capacity))
    this.#lastDocument = resized(this.#lastDocument, new Int32Array(capacity))
    this.#index = new Int32Array(capacity * 2).fill(-1)
    const mask = this.#index.length - 1
    for (let slot = 0; slot < this.size; slot++) {
      let place = hashOf(this.#keys[slot]!) & mask
      while (this.#index[place]! >= 0) place = (place + 1) & mask
      this.#index[place] = slot
    }
  }
}

function resized<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

function hashOf(pair: number): number {
  let hash = Math.imul(pair | 0, 0x9e3779b1) ^ Math.imul(Math.floor(pair / 0x100000000), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

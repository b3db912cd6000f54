/**
 * How much a text sample repeats itself. Integers and IEEE-exact operations alone:
 * - distinct n-grams over all n-grams (Li et al. 2016, arXiv:1510.03055);
 * - characters that stand in sixteen that an earlier text has as well: what a compressor would save, without its tables and versions;
 * - Zipf's slope: of the logarithm of a word's frequency on that of its rank;
 * - overlap of texts with the one of the others that is most like them, as Self-Instruct measures it (arXiv:2212.10560), in word pairs.
 */
import { ln } from '../numeric.ts'
import { createVocabulary, type TextSample } from './sampleTokens.ts'

export interface Diversity {
  tokens: number
  /** Different n-grams by all of them, for n = 1, 2, 3. */
  distinct: [number, number, number]
  /** Share of the characters. */
  repeated: number
  /** Positive: about 1 in natural text. Null where there are too few words. */
  zipfSlope: number | null
  /** Mean over the compared texts of the greatest Jaccard similarity of word pairs with another; null with fewer than two. */
  nearestOverlap: number | null
}

/** Texts whose overlaps are compared, each with each. */
const COMPARED_TEXTS = 400
const ZIPF_FROM = 10
const ZIPF_TO = 1000

export function measureDiversity({ texts }: TextSample): Diversity {
  const numbersOf = createVocabulary()
  const documents = texts.map(numbersOf)
  const counts = new Map<number, number>()
  const [pairs, triples] = [new Set<number>(), new Set<number>()]
  let [tokens, allPairs, allTriples] = [0, 0, 0]
  for (const document of documents)
    for (const [i, token] of document.entries()) {
      tokens++
      counts.set(token, (counts.get(token) ?? 0) + 1)
      // Vocabularies of samples are far below 2^17, so that three numbers fit in a double.
      if (i >= 1) {
        allPairs++
        pairs.add(document[i - 1]! * VOCABULARY + token)
      }
      if (i >= 2) {
        allTriples++
        triples.add((document[i - 2]! * VOCABULARY + document[i - 1]!) * VOCABULARY + token)
      }
    }
  const share = (different: number, all: number) => (all === 0 ? 1 : different / all)
  return {
    tokens,
    distinct: [share(counts.size, tokens), share(pairs.size, allPairs), share(triples.size, allTriples)],
    repeated: repeatedShare(texts),
    zipfSlope: zipfSlope(counts),
    nearestOverlap: nearestOverlap(documents.slice(0, COMPARED_TEXTS)),
  }
}

const VOCABULARY = 2 ** 17

const WINDOW = 16
const BASE = 0x01000193
/** BASE to the power of WINDOW − 1, modulo 2^32. */
const LEADING = Array.from({ length: WINDOW - 1 }).reduce<number>((power) => Math.imul(power, BASE), 1)

function repeatedShare(texts: readonly string[]): number {
  /** By the hash of sixteen characters the first text that has them. */
  const firstText = new Map<number, number>()
  let [characters, repeated] = [0, 0]
  for (const [number, text] of texts.entries()) {
    characters += text.length
    let [hash, covered] = [0, 0]
    for (let i = 0; i < text.length; i++) {
      if (i >= WINDOW) hash = (hash - Math.imul(text.charCodeAt(i - WINDOW), LEADING)) | 0
      hash = (Math.imul(hash, BASE) + text.charCodeAt(i)) | 0
      if (i < WINDOW - 1) continue
      const first = firstText.get(hash)
      if (first === undefined) firstText.set(hash, number)
      else if (first !== number) {
        repeated += i + 1 - Math.max(covered, i + 1 - WINDOW)
        covered = i + 1
      }
    }
  }
  return characters === 0 ? 0 : repeated / characters
}

/** Least squares of ln frequency on ln rank. */
function zipfSlope(counts: ReadonlyMap<number, number>): number | null {
  const frequencies = Uint32Array.from(counts.values()).sort().reverse().slice(0, ZIPF_TO)
  let [n, sx, sy, sxx, sxy] = [0, 0, 0, 0, 0]
  for (let rank = ZIPF_FROM; rank <= frequencies.length && frequencies[rank - 1]! > 1; rank++) {
    const [x, y] = [ln(rank), ln(frequencies[rank - 1]!)]
    n++
    sx += x
    sy += y
    sxx += x * x
    sxy += x * y
  }
  return n < 50 ? null : -(n * sxy - sx * sy) / (n * sxx - sx * sx)
}

function nearestOverlap(documents: readonly number[][]): number | null {
  const sets = documents.map((document) => {
    const pairs = new Set<number>()
    for (let i = 1; i < document.length; i++) pairs.add(document[i - 1]! * VOCABULARY + document[i]!)
    return pairs
  })
  // By word pair the texts that have it: only texts that share one are compared.
  const holders = new Map<number, number[]>()
  for (const [text, pairs] of sets.entries())
    for (const pair of pairs) {
      const list = holders.get(pair)
      if (list === undefined) holders.set(pair, [text])
      else list.push(text)
    }
  let [sum, compared] = [0, 0]
  const shared = new Uint32Array(sets.length)
  for (const [text, pairs] of sets.entries()) {
    if (pairs.size === 0) continue
    compared++
    shared.fill(0)
    for (const pair of pairs) for (const other of holders.get(pair)!) shared[other]!++
    let greatest = 0
    for (const [other, common] of shared.entries())
      if (other !== text && common > 0) greatest = Math.max(greatest, common / (pairs.size + sets[other]!.size - common))
    sum += greatest
  }
  return compared < 2 ? null : sum / compared
}

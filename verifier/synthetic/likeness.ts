/**
 * Whether texts can be compared with references at all. A text: whether the words that most references use stand in it, which tells another
 * language, code, tables and lists without a list of words of any language. A data set: whether it is about what the references are about.
 */
import { eachToken, isWordUnit } from '../text/tokens.ts'
import { vectorBlocks, type VectorSource } from '../vectors.ts'
import { WINDOW_WORDS } from './windows.ts'

const BUCKET_BITS = 16
const BUCKETS = 1 << BUCKET_BITS
/** Words that most references share. */
const COMMON_WORDS = 100
/** Of the share of common words that all but one in a hundred references have. */
const LEAST_PART = 0.5

/** Tells the texts that have about as many of the references' commonest words as these have themselves; all where there are none. */
export function likenessOf(references: readonly string[]): (canonicalText: string) => boolean {
  const counts = new Int32Array(BUCKETS)
  for (const text of references) {
    const seen = new Set<number>()
    eachBucket(text, (bucket) => void seen.add(bucket))
    for (const bucket of seen) counts[bucket]!++
  }
  const common = new Uint8Array(BUCKETS)
  const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket).filter((bucket) => counts[bucket]! > 0)
  for (const bucket of buckets.sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, COMMON_WORDS)) common[bucket] = 1
  const shares = references.map((text) => commonShare(text, common)).sort((a, b) => a - b)
  const least = LEAST_PART * (shares[Math.floor(shares.length / 100)] ?? 0)
  return (text) => commonShare(text, common) >= least
}

/** Of the words of a text's first window, how many are common ones. */
function commonShare(text: string, common: Uint8Array): number {
  let words = 0
  let found = 0
  eachBucket(text, (bucket) => {
    words++
    found += common[bucket]!
  })
  return words === 0 ? 0 : found / words
}

/** The hash of each word of the first window; the case of ASCII letters does not count. */
function eachBucket(text: string, visit: (bucket: number) => void): void {
  let words = 0
  eachToken(text, (start, end) => {
    if (!isWordUnit(text.charCodeAt(start))) return true
    let hash = 0x811c9dc5
    for (let i = start; i < end; i++) {
      const unit = text.charCodeAt(i)
      hash = Math.imul(hash ^ (unit >= 0x41 && unit <= 0x5a ? unit | 0x20 : unit), 0x01000193)
    }
    visit(Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> (32 - BUCKET_BITS))
    return ++words < WINDOW_WORDS
  })
}

/** Vectors of what texts are about, with the places that count. */
export interface Contents {
  vectors: VectorSource
  /** 1 for the rows that count. */
  wanted: ArrayLike<number>
}

/**
 * Squared distance of two sets' means over the mean of their variances, less what chance alone gives: about 0 for two halves of one kind, and
 * at most 0.1 between human and machine texts about the same, 0.02 to 0.1 between kinds that are akin, 0.1 to 1 between others (measured on
 * the default model's embeddings, 14 kinds).
 */
export async function contentDistance(a: Contents, b: Contents): Promise<number> {
  const [first, second] = [await momentsOf(a), await momentsOf(b)]
  let squared = 0
  for (let i = 0; i < first.mean.length; i++) squared += (first.mean[i]! - second.mean[i]!) ** 2
  const variance = (first.variance + second.variance) / 2
  return variance === 0 ? 0 : (squared - first.variance / first.count - second.variance / second.count) / variance
}

/** The mean and the sum of all components' variances. */
async function momentsOf({ vectors, wanted }: Contents): Promise<{ count: number; mean: Float64Array; variance: number }> {
  const { dimensions } = vectors
  const mean = new Float64Array(dimensions)
  let count = 0
  let squares = 0
  for await (const block of vectorBlocks(vectors))
    for (let i = 0; i < block.count; i++) {
      if (!wanted[block.first + i]) continue
      count++
      for (let j = 0, at = i * dimensions; j < dimensions; j++, at++) {
        const value = block.values[at]!
        mean[j]! += value
        squares += value * value
      }
    }
  if (count === 0) return { count: 1, mean, variance: 0 }
  let ofMean = 0
  for (let j = 0; j < dimensions; j++) ofMean += (mean[j]! /= count) ** 2
  return { count, mean, variance: Math.max(0, squares / count - ofMean) }
}

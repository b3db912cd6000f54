/**
 * Character n-grams of a text as the synthetic-text probe reads them: hashed counts of every run of 2 to 5 UTF-16 units of the canonical
 * text, damped by a table. Integers throughout.
 */

/** log2 of the number of buckets. */
const BUCKET_BITS = 16
export const BUCKETS = 1 << BUCKET_BITS
const SHORTEST = 2
const LONGEST = 5

/** round(16 · (1 + ln n)) for n = 1 … 16; more count as 16. */
const DAMPED = [0, 16, 27, 34, 38, 42, 45, 47, 49, 51, 53, 54, 56, 57, 58, 59, 60]

export interface Features {
  /** Distinct buckets, in the order of their first occurrence. */
  buckets: Int32Array
  /** Damped count of each. */
  values: Int32Array
}

/** A reader of features that keeps its tables between texts. */
export function createFeatureReader(): (canonicalText: string) => Features {
  const counts = new Int32Array(BUCKETS)
  return (text) => {
    const seen: number[] = []
    for (let start = 0; start < text.length; start++) {
      let hash = 0x811c9dc5
      const end = Math.min(text.length, start + LONGEST)
      for (let i = start; i < end; i++) {
        hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
        if (i - start + 1 < SHORTEST) continue
        const bucket = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> (32 - BUCKET_BITS)
        if (counts[bucket]!++ === 0) seen.push(bucket)
      }
    }
    const buckets = Int32Array.from(seen)
    const values = buckets.map((bucket) => DAMPED[Math.min(counts[bucket]!, DAMPED.length - 1)]!)
    for (const bucket of buckets) counts[bucket] = 0
    return { buckets, values }
  }
}

/** Length of the vector: √Σv². */
export function lengthOf({ values }: Features): number {
  let squares = 0
  for (const value of values) squares += value * value
  return Math.sqrt(squares)
}

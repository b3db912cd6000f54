/** Lists of the best that a search has seen so far. */

/** For each of `count` queries at most `k` others, best first; among equals the lower row stands first. */
export interface FoundLists {
  /** count × k row numbers. */
  readonly rows: Int32Array
  readonly similarities: Float32Array
  /** How many a query has. */
  readonly lengths: Uint32Array
}

export interface BestLists extends FoundLists {
  /** Whether it made the list; where not, nothing less similar would. */
  offer(query: number, row: number, similarity: number): boolean
}

export function createBestLists(count: number, k: number): BestLists {
  const rows = new Int32Array(count * k)
  const similarities = new Float32Array(count * k)
  const lengths = new Uint32Array(count)
  const isBefore = (similarity: number, row: number, place: number) =>
    similarity > similarities[place]! || (similarity === similarities[place]! && row < rows[place]!)
  return {
    rows,
    similarities,
    lengths,
    offer(query, row, similarity) {
      const base = query * k
      const length = lengths[query]!
      if (length === k && !isBefore(similarity, row, base + k - 1)) return false
      let at = length < k ? length : k - 1
      lengths[query] = at + 1
      for (; at > 0 && isBefore(similarity, row, base + at - 1); at--) {
        similarities[base + at] = similarities[base + at - 1]!
        rows[base + at] = rows[base + at - 1]!
      }
      similarities[base + at] = similarity
      rows[base + at] = row
      return true
    },
  }
}

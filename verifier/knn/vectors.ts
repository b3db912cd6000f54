/** Vectors as a search reads them: block by block, so that they may lie in memory, in a file or in the blocks of an artifact. */

/** Rows of `dimensions` numbers each, of unit length. */
export interface VectorSource {
  readonly dimensions: number
  readonly count: number
  /** Rows `first` to `first + count` − 1, one after the other; valid until the next call. Reads run forwards, several times over. */
  read(first: number, count: number): Float32Array | Promise<Float32Array>
}

/** Vectors that are in memory: count × dimensions. */
export function vectorsInMemory(vectors: Float32Array, dimensions: number): VectorSource {
  return {
    dimensions,
    count: vectors.length / dimensions,
    read: (first, count) => vectors.subarray(first * dimensions, (first + count) * dimensions),
  }
}

/** The given rows of a source, in rising order, as a source of their own. */
export function selectVectors(source: VectorSource, rows: Int32Array): VectorSource {
  if (rows.length === source.count) return source
  const { dimensions } = source
  return {
    dimensions,
    count: rows.length,
    async read(first, count) {
      const selected = new Float32Array(count * dimensions)
      let done = 0
      while (done < count) {
        // Rows far apart are not worth what lies between them.
        const start = rows[first + done]!
        let end = done + 1
        while (end < count && rows[first + end]! - start < MAX_SPAN) end++
        const block = await source.read(start, rows[first + end - 1]! - start + 1)
        for (; done < end; done++) {
          const from = (rows[first + done]! - start) * dimensions
          selected.set(block.subarray(from, from + dimensions), done * dimensions)
        }
      }
      return selected
    },
  }
}

const MAX_SPAN = 8192

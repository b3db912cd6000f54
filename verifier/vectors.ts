/**
 * Vectors as computations read them: some rows at a time, so that they may lie in memory, in a file or in the blocks of artifacts, and
 * the memory that a computation takes does not grow with their number.
 */

/** Rows of `dimensions` numbers each. */
export interface VectorSource {
  readonly dimensions: number
  readonly count: number
  /**
   * Rows `first` to `first + count` − 1, one after the other; not to be written to. Any number of times and in any order, though
   * forwards is what sources are made for.
   */
  read(first: number, count: number): Float32Array | Promise<Float32Array>
}

/** Consecutive rows of a source. */
export interface VectorBlock {
  first: number
  count: number
  /** count × dimensions; not to be written to. */
  values: Float32Array
}

/** 6 MB of 384 numbers. */
const BLOCK_ROWS = 4096
/** Rows further apart than this are not worth what lies between them. */
const MAX_GAP = 16
const MAX_SPAN = 8192

/** Vectors that are in memory: count × dimensions. */
export function vectorsInMemory(vectors: Float32Array, dimensions: number): VectorSource {
  return {
    dimensions,
    count: vectors.length / dimensions,
    read: (first, count) => vectors.subarray(first * dimensions, (first + count) * dimensions),
  }
}

/** All rows in their order. */
export async function* vectorBlocks(source: VectorSource, blockRows = BLOCK_ROWS): AsyncGenerator<VectorBlock> {
  for (let first = 0; first < source.count; first += blockRows) {
    const count = Math.min(blockRows, source.count - first)
    yield { first, count, values: await source.read(first, count) }
  }
}

/** The given rows in the given order: rows.length × dimensions. */
export async function takeVectors(source: VectorSource, rows: ArrayLike<number>): Promise<Float32Array> {
  const { dimensions } = source
  const taken = new Float32Array(rows.length * dimensions)
  const order = Uint32Array.from({ length: rows.length }, (_, i) => i).sort((a, b) => rows[a]! - rows[b]!)
  const rowAt = (place: number) => rows[order[place]!]!
  for (let start = 0; start < order.length;) {
    const first = rowAt(start)
    let end = start + 1
    while (end < order.length && rowAt(end) - rowAt(end - 1) <= MAX_GAP && rowAt(end) - first < MAX_SPAN) end++
    const block = await source.read(first, rowAt(end - 1) - first + 1)
    for (; start < end; start++) {
      const from = (rowAt(start) - first) * dimensions
      taken.set(block.subarray(from, from + dimensions), order[start]! * dimensions)
    }
  }
  return taken
}

/** The given rows of a source, in rising order, as a source of their own. */
export function selectVectors(source: VectorSource, rows: Int32Array): VectorSource {
  if (rows.length === source.count) return source
  return {
    dimensions: source.dimensions,
    count: rows.length,
    read: (first, count) => takeVectors(source, rows.subarray(first, first + count)),
  }
}

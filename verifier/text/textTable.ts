/**
 * Texts packed side by side in memory that threads share: one byte a character where all of them are Latin-1, else two a UTF-16 unit, so
 * that every string comes back as it was, lone surrogates included. What millions of texts need is their bytes, once for all threads.
 */

/** What a table is made of: plain data, which goes from thread to thread without a copy of the texts. */
export interface TextTableParts {
  chunks: SharedArrayBuffer[]
  /** Of each text the number of its chunk times 2^32, and its offset there; −1 where there is none. */
  places: Float64Array
  /** Characters of a Latin-1 text; −1 less UTF-16 units of any other. */
  lengths: Int32Array
}

export interface Texts {
  readonly count: number
  /** Null where there is none. */
  readonly at: (number: number) => string | null
}

export interface TextTable extends Texts {
  /** Appends a text and gives its number. */
  push(text: string | null): number
  parts(): TextTableParts
}

/** Large enough that few texts need a chunk of their own. */
const CHUNK_BYTES = 16 * 1024 * 1024
const CHUNK = 2 ** 32
// oxlint-disable-next-line no-control-regex -- all of Latin-1, control characters too
const NOT_LATIN_1 = /[^\u0000-\u00ff]/

export function createTextTable(): TextTable {
  const chunks: Buffer[] = []
  let places = new Float64Array(1024)
  let lengths = new Int32Array(1024)
  let count = 0
  let free = 0
  return {
    get count() {
      return count
    },
    at: (number) => textAt(chunks, places[number]!, lengths[number]!),
    push(text) {
      if (count === places.length) {
        places = resized(places, new Float64Array(2 * count))
        lengths = resized(lengths, new Int32Array(2 * count))
      }
      places[count] = -1
      if (text !== null) {
        const wide = NOT_LATIN_1.test(text)
        const bytes = wide ? 2 * text.length : text.length
        if (chunks.length === 0 || free + bytes > chunks.at(-1)!.length) {
          chunks.push(Buffer.from(new SharedArrayBuffer(Math.max(CHUNK_BYTES, bytes))))
          free = 0
        }
        chunks.at(-1)!.write(text, free, wide ? 'utf16le' : 'latin1')
        places[count] = (chunks.length - 1) * CHUNK + free
        lengths[count] = wide ? -1 - text.length : text.length
        free += bytes
      }
      return count++
    },
    parts: () => ({
      // Each is the whole of a SharedArrayBuffer that was made here.
      chunks: chunks.map(({ buffer }) => buffer as unknown as SharedArrayBuffer),
      places: places.slice(0, count),
      lengths: lengths.slice(0, count),
    }),
  }
}

/** Reads a table's parts; or an array as it is. */
export function openTexts(texts: TextTableParts | readonly (string | null)[]): Texts {
  if (!('places' in texts)) return { count: texts.length, at: (number) => texts[number] ?? null }
  const { places, lengths } = texts
  const chunks = texts.chunks.map((chunk) => Buffer.from(chunk))
  return { count: places.length, at: (number) => textAt(chunks, places[number]!, lengths[number]!) }
}

function textAt(chunks: readonly Buffer[], place: number, length: number): string | null {
  if (place < 0) return null
  const chunk = chunks[Math.floor(place / CHUNK)]!
  const offset = place % CHUNK
  return length < 0 ? chunk.toString('utf16le', offset, offset + 2 * (-1 - length)) : chunk.toString('latin1', offset, offset + length)
}

function resized<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/**
 * Which items of a benchmark a text repeats word by word: an inverted index of the items' word 13-grams. Items with fewer words are
 * looked for as a whole. Words are compared without case and without the marks between them, by 32-bit hashes; a hit of the index is
 * compared word by word. Integers alone.
 */
import { mix } from '../numeric.ts'
import { eachToken, isWordUnit } from '../text/tokens.ts'

/** The hashes of a canonical text's words in their order; at most `maximumWords`. */
export function wordHashes(text: string, maximumWords: number): Uint32Array {
  const folded = text.toLowerCase()
  const hashes: number[] = []
  eachToken(folded, (start, _end, hash) => {
    if (!isWordUnit(folded.charCodeAt(start))) return true
    return hashes.push(mix(hash)) < maximumWords
  })
  return Uint32Array.from(hashes)
}

/** The words `from` … `to` − 1 of a text as they stand in it, case folded, with the marks between them; '' where there are none. */
export function wordsBetween(text: string, from: number, to: number): string {
  if (from >= to) return ''
  const folded = text.toLowerCase()
  let word = 0
  let first = folded.length
  let last = 0
  eachToken(folded, (start, end) => {
    if (!isWordUnit(folded.charCodeAt(start))) return true
    if (word === from) first = start
    last = end
    return ++word < to
  })
  return folded.slice(first, last)
}

/** What a text shares with one item. */
export interface SharedWords {
  item: number
  /** Words of the item that stand in shared n-grams. */
  covered: number
  itemWords: number
  /** The longest run of words that stand in both. */
  longestRun: number
  /** Number of its first word in the text. */
  runStart: number
}

export interface WordIndexOptions {
  /** Words of an n-gram. */
  size: number
  /** Items with fewer words are not looked for. */
  minimumWords: number
  /** N-grams that stand in more places of the benchmark are boilerplate. */
  mostPlaces: number
}

export interface WordIndex {
  /** The items that share an n-gram with a text's words, by their numbers. */
  lookUp(words: Uint32Array): SharedWords[]
}

const FACTOR = 0x9e3779b1

/** An index of items, each its words' hashes. Memory: about 24 bytes a word of the benchmark. */
export function createWordIndex(items: readonly Uint32Array[], options: WordIndexOptions): WordIndex {
  const { size, minimumWords, mostPlaces } = options
  const sizeOf = (item: Uint32Array) => Math.min(size, item.length)
  const used = items.map((item) => item.length >= Math.max(1, minimumWords))
  const tables = new Map<number, GramTable>()
  for (const [number, item] of items.entries())
    if (used[number]) {
      const n = sizeOf(item)
      if (!tables.has(n)) tables.set(n, createGramTable(n, placesOf(n)))
      tables.get(n)!.add(number, item)
    }
  return { lookUp }

  function placesOf(n: number): number {
    return items.reduce((sum, item, number) => (used[number] && sizeOf(item) === n ? sum + item.length - n + 1 : sum), 0)
  }

  function lookUp(words: Uint32Array): SharedWords[] {
    const found = new Map<number, Overlap>()
    for (const table of tables.values())
      eachGram(words, table.size, (hash, start) => {
        for (const { item, offset } of table.places(hash, words, start, mostPlaces)) {
          let overlap = found.get(item)
          if (overlap === undefined) found.set(item, (overlap = createOverlap(items[item]!.length)))
          overlap.add(start, offset, table.size)
        }
      })
    return [...found]
      .toSorted(([a], [b]) => a - b)
      .map(([item, overlap]) => ({ item, itemWords: items[item]!.length, ...overlap.result() }))
  }

  function createGramTable(n: number, placeCount: number): GramTable {
    const mask = 2 ** Math.ceil(Math.log2(Math.max(2, 2 * placeCount))) - 1
    /** The last place of the n-grams that have a hash, plus one; 0 where there is none. */
    const heads = new Int32Array(mask + 1)
    const hashes = new Uint32Array(placeCount)
    const itemOf = new Int32Array(placeCount)
    const offsets = new Int32Array(placeCount)
    /** The place before it with the same hash, plus one. */
    const before = new Int32Array(placeCount)
    let count = 0
    const slotOf = (hash: number) => {
      let slot = hash & mask
      while (heads[slot] !== 0 && hashes[heads[slot]! - 1] !== hash) slot = (slot + 1) & mask
      return slot
    }
    return {
      size: n,
      add(item, words) {
        eachGram(words, n, (hash, offset) => {
          const slot = slotOf(hash)
          hashes[count] = hash
          itemOf[count] = item
          offsets[count] = offset
          before[count] = heads[slot]!
          heads[slot] = ++count
        })
      },
      places(hash, words, start, most) {
        const found: Place[] = []
        let place = heads[slotOf(hash)]!
        if (place === 0) return NOWHERE
        for (; place !== 0; place = before[place - 1]!) {
          if (found.length === most) return NOWHERE
          const [item, offset] = [itemOf[place - 1]!, offsets[place - 1]!]
          if (sameWords(words, start, items[item]!, offset, n)) found.push({ item, offset })
        }
        return found
      },
    }
  }
}

interface Place {
  item: number
  offset: number
}

const NOWHERE: readonly Place[] = []

interface GramTable {
  readonly size: number
  add(item: number, words: Uint32Array): void
  /** Where an n-gram stands in the benchmark; nowhere for boilerplate. */
  places(hash: number, words: Uint32Array, start: number, most: number): readonly Place[]
}

/** Calls `visit` with a hash of every run of `n` words and where it begins: a polynomial modulo 2^32 that rolls. */
function eachGram(words: Uint32Array, n: number, visit: (hash: number, start: number) => void): void {
  let power = 1
  for (let i = 0; i < n; i++) power = Math.imul(power, FACTOR)
  let sum = 0
  for (let i = 0; i < words.length; i++) {
    sum = (Math.imul(sum, FACTOR) + words[i]!) | 0
    if (i >= n) sum = (sum - Math.imul(power, words[i - n]!)) | 0
    if (i >= n - 1) visit(mix(sum), i - n + 1)
  }
}

function sameWords(a: Uint32Array, aStart: number, b: Uint32Array, bStart: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[aStart + i] !== b[bStart + i]) return false
  return true
}

interface Overlap {
  /** `size` words from `start` of the text on are those from `offset` of the item on. Starts rise. */
  add(start: number, offset: number, size: number): void
  result(): Pick<SharedWords, 'covered' | 'longestRun' | 'runStart'>
}

function createOverlap(itemWords: number): Overlap {
  const covered = new Uint8Array(itemWords)
  /** Where the run that a shared n-gram continues began and ended, by how far the text is ahead of the item. */
  const runs = new Map<number, { start: number; end: number }>()
  let [longestRun, runStart] = [0, 0]
  return {
    add(start, offset, size) {
      const known = runs.get(start - offset)
      const continues = known !== undefined && known.end >= start
      const run = continues ? known : { start, end: start }
      covered.fill(1, offset + (run.end - start), offset + size)
      run.end = start + size
      if (!continues) runs.set(start - offset, run)
      if (run.end - run.start > longestRun) [longestRun, runStart] = [run.end - run.start, run.start]
    },
    result: () => ({ covered: covered.reduce((sum, one) => sum + one, 0), longestRun, runStart }),
  }
}

/** Labelled texts as sequences of token numbers: what the trigger scan works on. */
import type { Corpus } from '../detectors/detector.ts'
import { mix } from '../numeric.ts'
import { eachToken } from '../text/tokens.ts'

/** Stands before the first and after the last token, so that an n-gram can say "at the beginning" and "at the end". */
export const BOUNDARY = 0

export const NO_DOCUMENT = -1
export const UNREAD = -2

export interface TokenDocuments {
  /** Sample numbers, ascending: those with a text and a label, the first of each canonical text. */
  samples: Int32Array
  /** The document that has a sample's canonical text; NO_DOCUMENT for samples without a text or a label, UNREAD for those left out. */
  documentOf: Int32Array
  /** Documents of which the middle was left out. */
  truncated: Set<number>
  /** Class of each document; an index into `classNames`. */
  classes: Int32Array
  /** Sorted by number of documents, then by name. */
  classNames: string[]
  classSizes: Int32Array
  /** Tokens of document d: ids[offsets[d]] … ids[offsets[d + 1] − 1], a boundary at both ends. */
  offsets: Float64Array
  ids: Int32Array
  /** Case-folded tokens by id; vocabulary[BOUNDARY] is ''. */
  vocabulary: string[]
  /** In how many documents each token stands. */
  documentFrequency: Int32Array
}

/**
 * Reads the corpus, or a sample of it that holds about `totalTokens`. Of a text longer than `maximumTokens` the first three quarters and the last quarter of that are read. Documents
 * whose canonical text repeats an earlier one are left out: copies are no independent evidence.
 */
export function readDocuments(corpus: Corpus, maximumTokens: number, totalTokens: number): TokenDocuments {
  const isRead = sampler(corpus, maximumTokens, totalTokens)
  const ids = new Int32List()
  const samples: number[] = []
  const labels: string[] = []
  const offsets: number[] = [0]
  const vocabulary = ['']
  const words = new WordTable(vocabulary)
  const frequency: number[] = [0]
  const lastSeen: number[] = [-1]
  const documentOf = new Int32Array(corpus.count).fill(NO_DOCUMENT)
  const texts = new Map<string, number>()
  const truncated = new Set<number>()
  const head = maximumTokens - (maximumTokens >> 2)

  for (let sample = 0; sample < corpus.count; sample++) {
    const label = corpus.label(sample)
    const text = label === null ? null : corpus.canonicalText(sample)
    if (label === null || text === null) continue
    if (!isRead(sample)) {
      documentOf[sample] = UNREAD
      continue
    }
    const known = texts.get(text)
    const document = known ?? samples.length
    documentOf[sample] = document
    if (known !== undefined) continue
    texts.set(text, document)
    const folded = text.toLowerCase()
    ids.push(BOUNDARY)
    const first = ids.length
    eachToken(folded, (start, end, hash) => {
      const id = words.idOf(folded, start, end, hash)
      if (id === frequency.length) {
        frequency.push(0)
        lastSeen.push(-1)
      }
      ids.push(id)
    })
    const length = ids.length - first
    if (length > maximumTokens) {
      ids.remove(first + head, length - maximumTokens)
      truncated.add(document)
    }
    for (let i = first; i < ids.length; i++) {
      const id = ids.at(i)
      if (lastSeen[id] === document) continue
      lastSeen[id] = document
      frequency[id]!++
    }
    ids.push(BOUNDARY)
    samples.push(sample)
    labels.push(label)
    offsets.push(ids.length)
  }

  const sizes = new Map<string, number>()
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1)
  const ranked = [...sizes].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
  const classOf = new Map(ranked.map(([name], index) => [name, index]))
  return {
    samples: Int32Array.from(samples),
    documentOf,
    truncated,
    classes: Int32Array.from(labels, (label) => classOf.get(label)!),
    classNames: ranked.map(([name]) => name),
    classSizes: Int32Array.from(ranked, ([, size]) => size),
    offsets: Float64Array.from(offsets),
    ids: ids.toArray(),
    vocabulary,
    documentFrequency: Int32Array.from(frequency),
  }
}

/** About five characters of a text are a token. */
const CHARACTERS_PER_TOKEN = 5

/** Says which samples are read: all, or a part that is chosen by the corpus's seed and holds about `totalTokens`. */
function sampler(corpus: Corpus, maximumTokens: number, totalTokens: number): (sample: number) => boolean {
  let tokens = 0
  for (let sample = 0; sample < corpus.count; sample++)
    tokens += Math.min(maximumTokens, (corpus.text(sample)?.length ?? 0) / CHARACTERS_PER_TOKEN)
  if (tokens <= totalTokens) return () => true
  const limit = Math.floor((totalTokens / tokens) * 0x100000000)
  const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(4)
  return (sample) => mix(mix(sample ^ seed) + 1) < limit
}

/** Whether a canonical text has these tokens side by side, in whichever part of it; '' stands for its beginning or end. */
export function hasNgram(text: string, ngram: readonly string[]): boolean {
  return findNgram(text, ngram) !== null
}

/** Where a canonical text first has these tokens side by side, as UTF-16 offsets in its lower case; null where it has not. */
export function findNgram(text: string, ngram: readonly string[]): { folded: string; start: number; end: number } | null {
  const folded = text.toLowerCase()
  if (!folded.includes(ngram.find((token) => token !== '') ?? '')) return null
  let matched: { start: number; length: number }[] = ngram[0] === '' ? [{ start: 0, length: 1 }] : []
  let found: { folded: string; start: number; end: number } | null = null
  eachToken(folded, (start, end) => {
    const token = folded.slice(start, end)
    matched = [...matched, { start, length: 0 }].flatMap((one) =>
      ngram[one.length] === token ? [{ start: one.start, length: one.length + 1 }] : [],
    )
    const whole = matched.find(({ length }) => length === ngram.length)
    if (whole !== undefined) found = { folded, start: whole.start, end }
    return found === null
  })
  if (found !== null || ngram.at(-1) !== '') return found
  const open = matched.find(({ length }) => length === ngram.length - 1)
  return open === undefined ? null : { folded, start: open.start, end: folded.length }
}

/** A growing Int32Array. */
class Int32List {
  length = 0
  #items = new Int32Array(1 << 16)

  push(item: number): void {
    if (this.length === this.#items.length) {
      const larger = new Int32Array(this.#items.length * 2)
      larger.set(this.#items)
      this.#items = larger
    }
    this.#items[this.length++] = item
  }

  at(index: number): number {
    return this.#items[index]!
  }

  /** Removes `count` items from `start` on. */
  remove(start: number, count: number): void {
    this.#items.copyWithin(start, start + count, this.length)
    this.length -= count
  }

  toArray(): Int32Array {
    return this.#items.slice(0, this.length)
  }
}

/** Numbers words in the order in which they are first met; reads them out of a text without cutting it. */
class WordTable {
  #vocabulary: string[]
  /** Of each word its hash, and where its UTF-16 units begin in `#units`: compared there, and not in a string. */
  #words = new Int32Array(1 << 14)
  #units = new Uint16Array(1 << 16)
  #unitCount = 0
  #index = new Int32Array(1 << 14).fill(-1)

  /** Appends new words to `vocabulary`, which has one entry that is no word. */
  constructor(vocabulary: string[]) {
    this.#vocabulary = vocabulary
  }

  /** The number of the word at these places of the text, whose hash it is (eachToken). */
  idOf(text: string, start: number, end: number, tokenHash: number): number {
    const hash = tokenHash ^ (tokenHash >>> 15)
    const index = this.#index
    const words = this.#words
    const mask = index.length - 1
    let place = hash & mask
    for (let id = index[place]!; id >= 0; id = index[place]!) {
      if (words[2 * id] === hash && this.#equals(id, text, start, end)) return id
      place = (place + 1) & mask
    }
    return this.#add(text, start, end, hash, place)
  }

  #equals(id: number, text: string, start: number, end: number): boolean {
    const from = this.#words[2 * id + 1]!
    if (this.#words[2 * id + 3]! - from !== end - start) return false
    const units = this.#units
    for (let i = start; i < end; i++) if (units[from + i - start] !== text.charCodeAt(i)) return false
    return true
  }

  #add(text: string, start: number, end: number, hash: number, place: number): number {
    const id = this.#vocabulary.push(text.slice(start, end)) - 1
    this.#index[place] = id
    while (this.#unitCount + end - start > this.#units.length) this.#units = doubled(this.#units, new Uint16Array(2 * this.#units.length))
    for (let i = start; i < end; i++) this.#units[this.#unitCount++] = text.charCodeAt(i)
    this.#words[2 * id] = hash
    this.#words[2 * id + 3] = this.#unitCount
    if (2 * this.#vocabulary.length + 4 > this.#words.length) this.#grow()
    return id
  }

  #grow(): void {
    this.#words = doubled(this.#words, new Int32Array(2 * this.#words.length))
    this.#index = new Int32Array(this.#index.length * 2).fill(-1)
    const mask = this.#index.length - 1
    for (let id = 1; id < this.#vocabulary.length; id++) {
      let place = this.#words[2 * id]! & mask
      while (this.#index[place]! >= 0) place = (place + 1) & mask
      this.#index[place] = id
    }
  }
}

function doubled<T extends Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from)
  return to
}

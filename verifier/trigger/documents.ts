/** Labelled texts as sequences of token numbers: what the trigger scan works on. */
import type { Corpus } from '../detectors/detector.ts'
import { eachToken } from '../text/tokens.ts'

/** Stands before the first and after the last token, so that an n-gram can say "at the beginning" and "at the end". */
export const BOUNDARY = 0

export interface TokenDocuments {
  /** Sample numbers, ascending: those with a text and a label, the first of each canonical text. */
  samples: Int32Array
  /** The document that has a sample's canonical text; −1 for samples without a text or a label. */
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
 * Reads the corpus. Of a text longer than `maximumTokens` the first three quarters and the last quarter of that are read. Documents
 * whose canonical text repeats an earlier one are left out: copies are no independent evidence.
 */
export function readDocuments(corpus: Corpus, maximumTokens: number): TokenDocuments {
  const ids = new Int32List()
  const samples: number[] = []
  const labels: string[] = []
  const offsets: number[] = [0]
  const vocabulary = ['']
  const idOf = new Map<string, number>()
  const frequency: number[] = [0]
  const lastSeen: number[] = [-1]
  const documentOf = new Int32Array(corpus.count).fill(-1)
  const texts = new Map<string, number>()
  const truncated = new Set<number>()
  const head = maximumTokens - (maximumTokens >> 2)

  for (let sample = 0; sample < corpus.count; sample++) {
    const label = corpus.label(sample)
    const text = label === null ? null : corpus.canonicalText(sample)
    if (label === null || text === null) continue
    const known = texts.get(text)
    const document = known ?? samples.length
    documentOf[sample] = document
    if (known !== undefined) continue
    texts.set(text, document)
    const folded = text.toLowerCase()
    ids.push(BOUNDARY)
    const first = ids.length
    eachToken(folded, (start, end) => {
      const token = folded.slice(start, end)
      let id = idOf.get(token)
      if (id === undefined) {
        id = vocabulary.length
        idOf.set(token, id)
        vocabulary.push(token)
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

/** Whether a canonical text has these tokens side by side, in whichever part of it. */
export function hasNgram(text: string, ngram: readonly string[]): boolean {
  const folded = text.toLowerCase()
  let matched: number[] = []
  let found = false
  eachToken(folded, (start, end) => {
    const token = folded.slice(start, end)
    matched = [0, ...matched].flatMap((length) => (ngram[length] === token ? [length + 1] : []))
    found = matched.includes(ngram.length)
    return !found
  })
  return found
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

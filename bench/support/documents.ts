/** Documents of about 1.3 kB as data sets of prose have them, made up, always the same for the same seed: Zipf's law over made-up words. */
import { createHash } from 'node:crypto'
import type { CorpusColumns } from '../../verifier/corpus.ts'
import { createTextTable } from '../../verifier/text/textTable.ts'
import { createRandom } from './rows.ts'

const VOCABULARY = 50_000
const MEAN_WORDS = 176
const CLASSES = 4
/** Share of words that speak of the document's class. */
const CLASS_WORDS = 0.05
/** Share of words that are one of a few that the word before calls for, as in prose. */
const CALLED_WORDS = 0.5
const CALLED = 8
/** One document in so many is a copy of an earlier one, with one word changed in half of them. */
const COPY_EVERY = 200

export interface DocumentOptions {
  rows: number
  seed: number
  /** Four classes that some of the words speak of; none unless true. */
  labels: boolean
}

/** The columns of a corpus of so many documents. */
export function makeDocuments({ rows, seed, labels }: DocumentOptions): CorpusColumns {
  const random = createRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const words = Array.from({ length: VOCABULARY }, () => makeWord(below))
  const wordOf = zipf(VOCABULARY, random)
  const calledBy = Int32Array.from({ length: VOCABULARY * CALLED }, wordOf)
  const texts = createTextTable()
  const digests = new Uint8Array(32 * rows)
  const classes: string[] = []
  for (let row = 0; row < rows; row++) {
    const copied = row > 0 && row % COPY_EVERY === 0 ? below(row) : -1
    const topic = copied < 0 ? below(CLASSES) : Number(classes[copied])
    classes.push(String(topic))
    const original = copied < 0 ? makeText(topic) : texts.at(copied)!
    const text = copied < 0 || row % (2 * COPY_EVERY) === 0 ? original : original.replace(' ', ` ${words[row % VOCABULARY]!} `)
    texts.push(text)
    digests.set(createHash('sha256').update(text).digest(), 32 * row)
  }
  return {
    texts: texts.parts(),
    labels: labels ? classes : classes.map(() => null),
    digests,
    language: 'en',
    domain: 'made-up',
    seed: new Uint8Array(createHash('sha256').update(String(seed)).digest()),
  }

  function makeText(topic: number): string {
    const length = Math.floor(MEAN_WORDS * (0.4 + 1.2 * random()))
    let text = ''
    let sentence = 0
    let rank = wordOf()
    for (let word = 0; word < length; word++) {
      // Every fourth word of the ranks 200 to 4,200 is of a class.
      if (random() < CLASS_WORDS) rank = 200 + CLASSES * below(1000) + topic
      else rank = random() < CALLED_WORDS ? calledBy[rank * CALLED + below(CALLED)]! : wordOf()
      const written = words[rank]!
      text += sentence === 0 ? written[0]!.toUpperCase() + written.slice(1) : written
      const ends = ++sentence > 6 && random() < 0.08
      text += ends ? '. ' : random() < 0.06 ? ', ' : ' '
      if (ends) sentence = 0
    }
    return text.trimEnd()
  }
}

function makeWord(below: (limit: number) => number): string {
  const syllables = 1 + below(4)
  return Array.from({ length: syllables }, () => 'bcdfghklmnprstvz'[below(16)]! + 'aeiou'[below(5)]! + ['', '', 'n', 's', 'r'][below(5)]!).join('') // prettier-ignore
}

/** Numbers below `count`, number r with a chance that goes with 1 / (r + 1). */
function zipf(count: number, random: () => number): () => number {
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) cumulative[rank] = sum += 1 / (rank + 1)
  return () => {
    const wanted = random() * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulative[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

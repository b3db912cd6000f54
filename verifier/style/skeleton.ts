/**
 * How a text is written, without what it is about: its words are masked by their shape (lower case, Capitalised, CAPITALS, X, 9) except for
 * the most frequent ones of the data set, which carry its grammar; marks are kept, with whether a space stands before them. Runs of one to
 * three of these symbols are the features (text distortion: Stamatatos 2018), so that a sentence's template, an archaic or foreign register
 * and a way to set punctuation or capitals all show, in any language that is written in words.
 */
import { mix } from '../numeric.ts'
import { eachToken, isWordUnit } from '../text/tokens.ts'

export interface SkeletonOptions {
  /** Words that are not masked: so many that most texts have. */
  frequentWords: number
  /** Texts that a feature stands in, at least. */
  minimumSupport: number
  /** At most so many features: those in most texts. */
  maximumFeatures: number
  maximumTokens: number
}

export interface Skeletons {
  /** Features of text i are columns[offsets[i]] … columns[offsets[i + 1] − 1], each once. */
  offsets: Float64Array
  columns: Int32Array
  featureCount: number
  /** A feature for a person: ⊢ and ⊣ are the ends of the text, … is a masked word. */
  nameOf: (column: number) => string
  /** The features of a text that was not among those read. */
  columnsOf: (text: string) => Int32Array
}

/** Symbols are numbers below this, so that three make a whole number that a double holds. */
const SYMBOLS = 0x4000
const SLOTS = 0x400000
const NONE = 0
const START = 1
const END = 2
/** What comes after the table of symbols is full. */
const OTHER = 3

/** Reads the texts 0 … count − 1. `pause` is waited for now and then: it may throw to stop. */
export async function readSkeletons(
  count: number,
  text: (place: number) => string,
  options: SkeletonOptions,
  pause: () => Promise<void>,
): Promise<Skeletons> {
  const frequent = await frequentWords(count, text, options, pause)
  const symbols = createSymbols(frequent)
  const slots = await countFeatures(count, text, symbols, options, pause)
  const idOf = new Map<number, number>()
  const keys: number[] = []
  const support: number[] = []
  const lastPlace: number[] = []
  const rows: Int32Array[] = []
  for (let place = 0; place < count; place++) {
    if (place % 1024 === 0) await pause()
    const row: number[] = []
    eachFeature(symbols, text(place), options.maximumTokens, (key) => {
      if (slots[slotOf(key)]! < options.minimumSupport) return
      let id = idOf.get(key)
      if (id === undefined) {
        idOf.set(key, (id = keys.length))
        keys.push(key)
        support.push(0)
        lastPlace.push(-1)
      }
      if (lastPlace[id] === place) return
      lastPlace[id] = place
      support[id]!++
      row.push(id)
    })
    rows.push(Int32Array.from(row))
  }

  const chosen = [...keys.keys()]
    .filter((id) => support[id]! >= options.minimumSupport)
    .sort((a, b) => support[b]! - support[a]! || keys[a]! - keys[b]!)
    .slice(0, options.maximumFeatures)
  const columnOf = new Int32Array(keys.length).fill(-1)
  for (const [column, id] of chosen.entries()) columnOf[id] = column
  const offsets = new Float64Array(count + 1)
  for (const [place, row] of rows.entries())
    offsets[place + 1] = offsets[place]! + row.reduce((sum, id) => sum + (columnOf[id]! < 0 ? 0 : 1), 0)
  const columns = new Int32Array(offsets[count]!)
  for (const [place, row] of rows.entries()) {
    let at = offsets[place]!
    for (const id of row) if (columnOf[id]! >= 0) columns[at++] = columnOf[id]!
  }
  return {
    offsets,
    columns,
    featureCount: chosen.length,
    nameOf: (column) => nameOf(symbols, keys[chosen[column]!]!),
    columnsOf(other) {
      const found = new Set<number>()
      eachFeature(symbols, other, options.maximumTokens, (key) => {
        const id = idOf.get(key)
        if (id !== undefined && columnOf[id]! >= 0) found.add(columnOf[id]!)
      })
      return Int32Array.from(found)
    },
  }
}

async function frequentWords(
  count: number,
  text: (place: number) => string,
  { frequentWords: most, maximumTokens }: SkeletonOptions,
  pause: () => Promise<void>,
): Promise<Set<string>> {
  const support = new Map<string, number>()
  for (let place = 0; place < count; place++) {
    if (place % 1024 === 0) await pause()
    const words = new Set<string>()
    const whole = text(place)
    let read = 0
    eachToken(whole, (start, end) => {
      if (isWordUnit(whole.charCodeAt(start))) words.add(whole.slice(start, end).toLowerCase())
      return ++read < maximumTokens
    })
    for (const word of words) support.set(word, (support.get(word) ?? 0) + 1)
  }
  const ranked = [...support].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
  return new Set(ranked.slice(0, most).map(([word]) => word))
}

/** How often the features of each slot occur, at least as often as each of them: the many that are rare are then never interned. */
async function countFeatures(
  count: number,
  text: (place: number) => string,
  symbols: Symbols,
  { maximumTokens }: SkeletonOptions,
  pause: () => Promise<void>,
): Promise<Uint32Array> {
  const slots = new Uint32Array(SLOTS)
  for (let place = 0; place < count; place++) {
    if (place % 1024 === 0) await pause()
    eachFeature(symbols, text(place), maximumTokens, (key) => {
      slots[slotOf(key)]!++
    })
  }
  return slots
}

function slotOf(key: number): number {
  return mix(mix(Math.floor(key / SYMBOLS)) ^ (key % SYMBOLS)) % SLOTS
}

interface Symbols {
  names: string[]
  ofToken: (token: string, isWord: boolean, spaceBefore: boolean) => number
}

function createSymbols(frequent: ReadonlySet<string>): Symbols {
  const names = ['', '⊢', '⊣', '?']
  const idOf = new Map<string, number>()
  const idOfToken = new Map<string, number>()
  const intern = (name: string) => {
    let id = idOf.get(name)
    if (id === undefined) {
      id = names.length < SYMBOLS ? names.push(name) - 1 : OTHER
      idOf.set(name, id)
    }
    return id
  }
  return {
    names,
    ofToken(token, isWord, spaceBefore) {
      if (!isWord) return intern(spaceBefore ? ` ${token}` : token)
      let id = idOfToken.get(token)
      if (id === undefined) idOfToken.set(token, (id = intern(frequent.has(token.toLowerCase()) ? token : maskOf(token))))
      return id
    },
  }
}

const DIGIT = /^\p{N}/u

function maskOf(word: string): string {
  if (DIGIT.test(word)) return '9'
  const lower = word.toLowerCase()
  if (word === lower) return '…'
  const [first = ''] = word
  if (word.slice(first.length) === lower.slice(first.length)) return word === first ? 'X' : 'X…'
  return word === word.toUpperCase() ? 'XX' : '…'
}

function eachFeature({ ofToken }: Symbols, text: string, maximumTokens: number, visit: (key: number) => void): void {
  let [before, last, read] = [NONE, START, 0]
  visit(START)
  const add = (symbol: number) => {
    visit(symbol)
    visit(last * SYMBOLS + symbol)
    if (before !== NONE) visit((before * SYMBOLS + last) * SYMBOLS + symbol)
    before = last
    last = symbol
  }
  eachToken(text, (start, end) => {
    const isWord = isWordUnit(text.charCodeAt(start))
    add(ofToken(text.slice(start, end), isWord, start > 0 && isSpace(text.charCodeAt(start - 1))))
    return ++read < maximumTokens
  })
  add(END)
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit === 0xa0
}

function nameOf({ names }: Symbols, key: number): string {
  const parts: string[] = []
  for (let rest = key; rest > 0; rest = Math.floor(rest / SYMBOLS)) parts.unshift(names[rest % SYMBOLS]!)
  return parts.join(' ')
}

/** Counting pairs of whole numbers (two tokens, or an n-gram and the token after it): exactly in a table, roughly in shared counters. */

/** Words of a record: left, right, the last document, the number of documents. Side by side, so that a look-up meets one line of memory. */
const RECORD = 4
const [RIGHT, LAST, SUPPORT] = [1, 2, 3]

/** An open-addressing hash table from pairs of integers from 0 on to the number of documents that have them. */
export class PairTable {
  size = 0
  #records = new Int32Array(RECORD << 15)
  #index = new Int32Array(1 << 16).fill(-1)

  /** In how many documents the pair of this number was counted. */
  support(number: number): number {
    return this.#records[number * RECORD + SUPPORT]!
  }

  /** Counts a pair once a document and gives its number: numbers follow the order of first occurrence. */
  count(left: number, right: number, document: number): number {
    const records = this.#records
    const mask = this.#index.length - 1
    let place = hashOf(left, right) & mask
    for (let number = this.#index[place]!; number >= 0; number = this.#index[(place = (place + 1) & mask)]!) {
      const record = number * RECORD
      if (records[record] !== left || records[record + RIGHT] !== right) continue
      if (records[record + LAST] !== document) {
        records[record + LAST] = document
        records[record + SUPPORT]!++
      }
      return number
    }
    if (this.size * RECORD === records.length) {
      this.#grow()
      return this.count(left, right, document)
    }
    const number = this.size++
    this.#index[place] = number
    records.set([left, right, document, 1], number * RECORD)
    return number
  }

  #grow(): void {
    const records = new Int32Array(this.#records.length * 2)
    records.set(this.#records)
    this.#records = records
    this.#index = new Int32Array(this.#index.length * 2).fill(-1)
    const mask = this.#index.length - 1
    for (let number = 0; number < this.size; number++) {
      let place = hashOf(records[number * RECORD]!, records[number * RECORD + RIGHT]!) & mask
      while (this.#index[place]! >= 0) place = (place + 1) & mask
      this.#index[place] = number
    }
  }
}

function hashOf(left: number, right: number): number {
  const hash = Math.imul(Math.imul(left, 0x9e3779b1) + right, 0x85ebca6b)
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return mixed ^ (mixed >>> 13)
}

/**
 * How often pairs occur, at least: counters up to 255 that pairs share by their hash. Told apart by nothing else, so that a pair may be
 * taken for more frequent than it is, never for less.
 */
export class PairCounts {
  #counts: Uint8Array

  /** Room for so many occurrences of pairs, eight counters each up to 64 MiB. */
  constructor(occurrences: number) {
    let size = 1 << 16
    while (size < 8 * occurrences && size < 1 << 26) size *= 2
    this.#counts = new Uint8Array(size)
  }

  add(left: number, right: number): void {
    const place = hashOf(left, right) & (this.#counts.length - 1)
    if (this.#counts[place]! < 255) this.#counts[place]!++
  }

  atLeast(left: number, right: number, count: number): boolean {
    return this.#counts[hashOf(left, right) & (this.#counts.length - 1)]! >= Math.min(255, count)
  }
}

/** An open-addressing hash table from pairs (integers below 2^53) to the number of documents that have them. */
export class PairTable {
  size = 0
  support = new Int32Array(1 << 15)
  #lastDocument = new Int32Array(1 << 15)
  #keys = new Float64Array(1 << 15)
  #index = new Int32Array(1 << 16).fill(-1)

  /** Counts a pair once a document and gives its number. */
  count(pair: number, document: number): number {
    const place = this.#placeOf(pair)
    const found = this.#index[place]!
    if (found >= 0) {
      if (this.#lastDocument[found] !== document) {
        this.#lastDocument[found] = document
        this.support[found]!++
      }
      return found
    }
    if (this.size === this.#keys.length) {
      this.#grow()
      return this.count(pair, document)
    }
    const slot = this.size++
    this.#index[place] = slot
    this.#keys[slot] = pair
    this.#lastDocument[slot] = document
    this.support[slot] = 1
    return slot
  }

  /** Where the pair stands, or the free place where it would. */
  #placeOf(pair: number): number {
    const mask = this.#index.length - 1
    let place = hashOf(pair) & mask
    while (this.#index[place]! >= 0 && this.#keys[this.#index[place]!] !== pair) place = (place + 1) & mask
    return place
  }

  #grow(): void {
    const capacity = this.#keys.length * 2
    this.#keys = resized(this.#keys, new Float64Array(capacity))
    this.support = resized(this.support, new Int32Array(capacity))
    this.#lastDocument = resized(this.#lastDocument, new Int32Array(capacity))
    this.#index = new Int32Array(capacity * 2).fill(-1)
    const mask = this.#index.length - 1
    for (let slot = 0; slot < this.size; slot++) {
      let place = hashOf(this.#keys[slot]!) & mask
      while (this.#index[place]! >= 0) place = (place + 1) & mask
      this.#index[place] = slot
    }
  }
}

function resized<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

function hashOf(pair: number): number {
  let hash = Math.imul(pair | 0, 0x9e3779b1) ^ Math.imul(Math.floor(pair / 0x100000000), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
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

  add(pair: number): void {
    const place = hashOf(pair) & (this.#counts.length - 1)
    if (this.#counts[place]! < 255) this.#counts[place]!++
  }

  atLeast(pair: number, count: number): boolean {
    return this.#counts[hashOf(pair) & (this.#counts.length - 1)]! >= Math.min(255, count)
  }
}

/** An open-addressing table of keys that the caller holds and compares: 12 bytes a key, where a Map of strings keeps every key. */

export interface KeyTable {
  /** The number of the key with this hash that `isKey` says yes to; −1 where there is none. Numbers count from 0 as keys are added. */
  find(hash: number, isKey: (number: number) => boolean): number
  /** Adds a key that is not in the table and gives its number. */
  add(hash: number): number
}

/** Room for `capacity` keys. */
export function createKeyTable(capacity: number): KeyTable {
  const places = 2 ** (33 - Math.clz32(Math.max(64, capacity)))
  const mask = places - 1
  /** Number of a key, plus one; 0 where the place is free. */
  const numbers = new Int32Array(places)
  const hashes = new Int32Array(capacity)
  let count = 0
  return {
    find(hash, isKey) {
      for (let place = hash & mask; numbers[place] !== 0; place = (place + 1) & mask) {
        const number = numbers[place]! - 1
        if (hashes[number] === (hash | 0) && isKey(number)) return number
      }
      return -1
    },
    add(hash) {
      if (count === capacity) throw new RangeError(`the table has room for ${capacity} keys`)
      let place = hash & mask
      while (numbers[place] !== 0) place = (place + 1) & mask
      hashes[count] = hash
      numbers[place] = ++count
      return count - 1
    },
  }
}

/**
 * Which samples share a band of their signatures with a given one (locality-sensitive hashing), in typed arrays: 8 bytes a sample and band,
 * and as much again for the heads of chains. Maps of lists take ten times that.
 */

export interface BandIndex {
  /** Notes a sample, numbered above all before it, under the key of each band. A key of which there are `mostPerKey` takes no more. */
  add(sample: number, keys: Uint32Array): void
  /** The samples that have one of these keys in its band: band by band, the lower number first, each once. */
  candidates(keys: Uint32Array): number[]
}

const NONE = -1

/** Room for `capacity` numbers of samples below it. */
export function createBandIndex(bandCount: number, capacity: number, mostPerKey: number): BandIndex {
  const slots = 2 ** Math.max(8, 32 - Math.clz32(Math.max(1, capacity - 1)))
  // One chain for each slot of a band, in the order of adding; `keysOf` tells keys of one slot apart.
  const heads = new Int32Array(bandCount * slots).fill(NONE)
  const following = new Int32Array(bandCount * capacity)
  const keysOf = new Uint32Array(bandCount * capacity)
  /** The number of the look-up that last met a sample. */
  const metIn = new Int32Array(capacity)
  let lookUp = 0
  return {
    add(sample, keys) {
      for (let band = 0; band < bandCount; band++) {
        const key = keys[band]!
        const slot = band * slots + (key & (slots - 1))
        const place = sample * bandCount + band
        keysOf[place] = key
        following[place] = NONE
        let equal = 0
        let last = NONE
        for (let at = heads[slot]!; at !== NONE; at = following[at * bandCount + band]!) {
          if (keysOf[at * bandCount + band] === key) equal++
          last = at
        }
        if (equal >= mostPerKey) continue
        if (last === NONE) heads[slot] = sample
        else following[last * bandCount + band] = sample
      }
    },
    candidates(keys) {
      const found: number[] = []
      lookUp++
      for (let band = 0; band < bandCount; band++) {
        const key = keys[band]!
        for (let at = heads[band * slots + (key & (slots - 1))]!; at !== NONE; at = following[at * bandCount + band]!)
          if (keysOf[at * bandCount + band] === key && metIn[at] !== lookUp) {
            metIn[at] = lookUp
            found.push(at)
          }
      }
      return found
    },
  }
}

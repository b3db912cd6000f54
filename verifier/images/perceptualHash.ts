/**
 * Perceptual hashes: 64 bits of brightness differences (dHash, Krawetz 2013) and 64 bits of low frequencies (pHash, Zauner 2010), which
 * survive another size, compression and brightness. In integers: the cosines of the frequencies are constants.
 */
import { averageAreas, SIDE } from './thumbnail.ts'

/** Of 32 bits each: two of differences, two of frequencies. */
export const HASH_WORDS = 4

/** 4096 · cos(kπ/32), rounded, for k = 0 … 16. */
const COSINES = [4096, 4076, 4017, 3920, 3784, 3612, 3406, 3166, 2896, 2598, 2276, 1931, 1567, 1189, 799, 401, 0]
const DCT_SIZE = 16
const DCT_KEPT = 8

/** 4096 · cos((2x + 1)uπ/32), at u · 16 + x. */
const DCT = Int32Array.from({ length: DCT_KEPT * DCT_SIZE }, (_, i) => {
  const angle = ((2 * (i % DCT_SIZE) + 1) * Math.floor(i / DCT_SIZE)) % 64
  const folded = angle <= 32 ? angle : 64 - angle
  return folded <= 16 ? COSINES[folded]! : -COSINES[32 - folded]!
})

/** The whole of a record scaled to `width` × `height` pixels of three bytes. */
export function scaledRecord(
  record: Uint8Array,
  extent: { width: number; height: number },
  { width, height }: { width: number; height: number },
): Uint8Array {
  const data = new Uint8Array(extent.width * extent.height * 3)
  for (let y = 0; y < extent.height; y++) data.set(record.subarray(y * SIDE * 3, (y * SIDE + extent.width) * 3), y * extent.width * 3)
  return averageAreas({ ...extent, data }, width, height)
}

/** A smaller difference of neighbours is noise. */
const LEAST_STEP = 1

/** Brightness of a colour, 0 … 255 (ITU-R BT.601 in 256ths). */
export function greyOf(red: number, green: number, blue: number): number {
  return (77 * red + 150 * green + 29 * blue) >> 8
}

function greys(rgb: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: rgb.length / 3 }, (_, i) => greyOf(rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!))
}

/** Writes the hash of an image, HASH_WORDS numbers from `at` on. */
export function perceptualHash(record: Uint8Array, extent: { width: number; height: number }, words: Uint32Array, at: number): void {
  words.fill(0, at, at + HASH_WORDS)
  const set = (bit: number) => {
    words[at + (bit >> 5)]! |= 1 << (bit & 31)
  }
  const steps = greys(scaledRecord(record, extent, { width: 9, height: 8 }))
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) if (steps[y * 9 + x]! + LEAST_STEP < steps[y * 9 + x + 1]!) set(y * 8 + x)

  const square = greys(scaledRecord(record, extent, { width: DCT_SIZE, height: DCT_SIZE }))
  const rows = new Float64Array(DCT_SIZE * DCT_KEPT)
  for (let y = 0; y < DCT_SIZE; y++)
    for (let u = 0; u < DCT_KEPT; u++)
      for (let x = 0; x < DCT_SIZE; x++) rows[y * DCT_KEPT + u]! += square[y * DCT_SIZE + x]! * DCT[u * DCT_SIZE + x]!
  const frequencies = new Float64Array(DCT_KEPT * DCT_KEPT)
  for (let v = 0; v < DCT_KEPT; v++)
    for (let u = 0; u < DCT_KEPT; u++)
      for (let y = 0; y < DCT_SIZE; y++) frequencies[v * DCT_KEPT + u]! += rows[y * DCT_KEPT + u]! * DCT[v * DCT_SIZE + y]!
  // The mean brightness says nothing and would only shift the median.
  const median = frequencies.slice(1).sort()[31]!
  for (let i = 1; i < frequencies.length; i++) if (frequencies[i]! > median) set(64 + i)
}

/** Bits in which two hashes differ. */
export function hashDistance(words: Uint32Array, a: number, b: number): number {
  let distance = 0
  for (let i = 0; i < HASH_WORDS; i++) distance += bitCount(words[a * HASH_WORDS + i]! ^ words[b * HASH_WORDS + i]!)
  return distance
}

function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

const COMPARED_SIDE = 16

/** An image in 16 × 16 colours, as `similarity` compares them. */
export function comparedPixels(record: Uint8Array, extent: { width: number; height: number }): Uint8Array {
  return scaledRecord(record, extent, { width: COMPARED_SIDE, height: COMPARED_SIDE })
}

/** So much noise is nothing: variance of a value of 0 … 255. */
const NOISE_VARIANCE = 4
/** Images whose mean values are farther apart are not the same, be they ever so alike otherwise. */
const BRIGHTNESS = 48

/**
 * How much two images are the same, 0 … 1,000,000: the concordance of their values (Lin 1989) without its part for brightness,
 * 2 cov / (var + var), which is 1 where one is the other and a constant more, and falls with contrast and everything else.
 */
export function similarityMillionths(a: Uint8Array, b: Uint8Array): number {
  const count = a.length
  let [sumA, sumB, squareA, squareB, product] = [0, 0, 0, 0, 0]
  for (let i = 0; i < count; i++) {
    const [x, y] = [a[i]!, b[i]!]
    sumA += x
    sumB += y
    squareA += x * x
    squareB += y * y
    product += x * y
  }
  if (Math.abs(sumA - sumB) > BRIGHTNESS * count) return 0
  // All of them times count², so that they are integers.
  const noise = NOISE_VARIANCE * count * count
  const covariance = count * product - sumA * sumB + noise
  const variances = count * squareA - sumA * sumA + count * squareB - sumB * sumB + 2 * noise
  return Math.max(0, Math.floor((2 * covariance * 1_000_000) / variances))
}

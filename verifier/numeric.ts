/**
 * Logarithm and exponential by IEEE-754 additions, multiplications and divisions alone: ECMAScript leaves the last digits of
 * `Math.log` and `Math.exp` to the implementation, and a T0 report has to be the same to the bit everywhere (DETECTION.md §6).
 * Relative error below 1e-15.
 */
const LN2_HIGH = 0.693147180369123816490 // prettier-ignore
const LN2_LOW = 1.90821492927058770002e-10
const SQRT2 = 1.4142135623730951

const view = new DataView(new ArrayBuffer(8))

/** Natural logarithm of a positive, normal, finite number. */
export function ln(x: number): number {
  view.setFloat64(0, x)
  const high = view.getUint32(0)
  let exponent = (high >>> 20) - 1023
  view.setUint32(0, (high & 0xfffff) | 0x3ff00000)
  let mantissa = view.getFloat64(0)
  if (mantissa > SQRT2) {
    mantissa /= 2
    exponent++
  }
  // ln m = 2 artanh s with s = (m − 1)/(m + 1), |s| ≤ 0.1716: eleven terms of the odd series.
  const s = (mantissa - 1) / (mantissa + 1)
  const z = s * s
  let sum = 1 / 21
  for (let denominator = 19; denominator >= 1; denominator -= 2) sum = sum * z + 1 / denominator
  return exponent * LN2_HIGH + (2 * s * sum + exponent * LN2_LOW)
}

/** e^x; 0 below −700, and +Infinity above 709. */
export function exp(x: number): number {
  if (x < -700) return 0
  if (x > 709) return Infinity
  const k = Math.floor(x / 0.6931471805599453 + 0.5)
  const r = x - k * LN2_HIGH - k * LN2_LOW
  // |r| ≤ 0.3466: Taylor to the 13th power, by Horner.
  let sum = 1
  for (let n = 13; n >= 1; n--) sum = 1 + (sum * r) / n
  return sum * powerOfTwo(k)
}

/** 2^k for −1022 ≤ k ≤ 1023. */
function powerOfTwo(k: number): number {
  view.setUint32(0, (k + 1023) << 20)
  view.setUint32(4, 0)
  return view.getFloat64(0)
}

const SIGMOID_LIMIT = 16
const SIGMOID_STEPS = 256
const SIGMOID = Float64Array.from(
  { length: 2 * SIGMOID_LIMIT * SIGMOID_STEPS + 1 },
  (_, i) => 1 / (1 + exp(SIGMOID_LIMIT - i / SIGMOID_STEPS)),
)

/** 1 / (1 + e^−x) from a table of 1/256 steps with linear interpolation, error below 2e-6; constant beyond ±16. */
export function sigmoid(x: number): number {
  if (x >= SIGMOID_LIMIT) return SIGMOID[SIGMOID.length - 1]!
  if (x <= -SIGMOID_LIMIT) return SIGMOID[0]!
  const position = (x + SIGMOID_LIMIT) * SIGMOID_STEPS
  const index = Math.floor(position)
  const low = SIGMOID[index]!
  return low + (SIGMOID[index + 1]! - low) * (position - index)
}

/** Mixes a 32-bit integer: a bijection with full avalanche (murmur3's finalizer). */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** What `mix` makes this of. */
export function unmix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x7ed1b41d)
  hash = Math.imul(hash ^ (hash >>> 13) ^ (hash >>> 26), 0xa5cb9243)
  return (hash ^ (hash >>> 16)) >>> 0
}

/**
 * Fingerprints of embeddings: 12 bytes a row that survive another device's last digits, and half precision, but not another model,
 * another prefix, another truncation or a row that was never computed (after TOPLOC, arXiv 2501.16007).
 *
 * A fingerprint holds the 8 components of greatest magnitude, in the order of their indices, in 12 bits each, most significant first:
 * 9 bits of the index (modulo 512), the sign, and two bits of the magnitude m: ⌊2·log₂ m⌋ modulo 4, taken from the lowest bit of
 * the exponent and whether the fraction is at least √2. Among equal magnitudes the lower index comes first. A row of zeros, which
 * stands for a sample without a text, has zeros.
 */
export const FINGERPRINT_BYTES = 12
export const FINGERPRINT_COMPONENTS = 8

const INDEX_BITS = 9
const HALF_OCTAVES = 4

/** Writes the fingerprint of a row of at least 8 finite numbers, not all zero, to `target` from `offset` on. */
export function writeFingerprint(row: ArrayLike<number>, target: Uint8Array, offset = 0): void {
  const codes = greatest(row).map((index) => componentCode(index, row[index]!))
  for (let pair = 0; pair < FINGERPRINT_COMPONENTS; pair += 2) {
    const bits = codes[pair]! * 4096 + codes[pair + 1]!
    const at = offset + (pair / 2) * 3
    target[at] = bits >>> 16
    target[at + 1] = bits >>> 8
    target[at + 2] = bits
  }
}

/** How many of the 8 components two fingerprints share: the same index and sign, and a magnitude at most half an octave away. */
export function fingerprintAgreement(a: Uint8Array, b: Uint8Array): number {
  const left = readComponents(a)
  const right = readComponents(b)
  let shared = 0
  for (const code of left) {
    const at = right.findIndex((other) => code >> 2 === other >> 2 && areNear(code % HALF_OCTAVES, other % HALF_OCTAVES))
    if (at < 0) continue
    right.splice(at, 1)
    shared++
  }
  return shared
}

/** Indices of the 8 greatest magnitudes, rising. Throws a RangeError for what has no fingerprint. */
function greatest(row: ArrayLike<number>): number[] {
  if (row.length < FINGERPRINT_COMPONENTS) throw new RangeError(`a row of ${row.length} numbers has no fingerprint`)
  const best: number[] = []
  for (let i = 0; i < row.length; i++) {
    const magnitude = Math.abs(row[i]!)
    if (!Number.isFinite(magnitude)) throw new RangeError('a row that is not finite has no fingerprint')
    if (best.length === FINGERPRINT_COMPONENTS && magnitude <= Math.abs(row[best.at(-1)!]!)) continue
    if (best.length === FINGERPRINT_COMPONENTS) best.pop()
    let at = best.length
    while (at > 0 && Math.abs(row[best[at - 1]!]!) < magnitude) at--
    best.splice(at, 0, i)
  }
  return best.sort((a, b) => a - b)
}

const word = new DataView(new ArrayBuffer(4))
/** Fraction of the single-precision number next below √2. */
const ROOT_OF_TWO = 0x3504f3

/** The number as single precision has it: sign, lowest bit of the exponent, upper half of the octave or not. */
function componentCode(index: number, value: number): number {
  word.setFloat32(0, value)
  const bits = word.getUint32(0)
  const halfOctave = ((bits >>> 23) & 1) * 2 + ((bits & 0x7fffff) > ROOT_OF_TWO ? 1 : 0)
  return ((index % 2 ** INDEX_BITS) << 3) | ((bits >>> 31) << 2) | halfOctave
}

function areNear(a: number, b: number): boolean {
  return (a - b + HALF_OCTAVES + 1) % HALF_OCTAVES <= 2
}

function readComponents(fingerprint: Uint8Array): number[] {
  const codes: number[] = []
  for (let at = 0; at < FINGERPRINT_BYTES; at += 3) {
    const bits = (fingerprint[at]! << 16) | (fingerprint[at + 1]! << 8) | fingerprint[at + 2]!
    codes.push(bits >>> 12, bits & 0xfff)
  }
  return codes
}

/**
 * Fingerprints of embeddings: 12 bytes a row that survive another device's last digits, and half precision, but not another model,
 * another prefix, another truncation or a row that was never computed (after TOPLOC, arXiv 2501.16007).
 *
 * A fingerprint holds the 8 components of greatest magnitude, in the order of their indices, in 12 bits each, most significant first:
 * 9 bits of the index (modulo 512), the sign, and the fourth and fifth bit of the fraction of the number in single precision, which
 * repeat every eighth of an octave or less. Among equal magnitudes the lower index comes first. Zeros stand for a sample without a text.
 *
 * Measured with MiniLM on 160 real texts of more than 30 words: "query: " before the text leaves at most 5 of 8 components, cutting the
 * last tenth of the words or half of the tokens at most 5, gte-small at most 1; another device or fp16 arithmetic leaves 7 or 8.
 */
export const FINGERPRINT_BYTES = 12
export const FINGERPRINT_COMPONENTS = 8

/** How far honest computations of a large component may lie apart, relatively: four times what fp16 arithmetic does. */
const TOLERANCE = 1 / 256
const INDEX_VALUES = 512

/** Writes the fingerprint of a row of at least 8 finite numbers to `target` from `offset` on. Throws a RangeError for other rows. */
export function writeFingerprint(row: ArrayLike<number>, target: Uint8Array, offset = 0): void {
  const indices = greatest(row).sort((a, b) => a - b)
  for (let pair = 0; pair < FINGERPRINT_COMPONENTS; pair += 2) {
    const bits = codeAt(row, indices[pair]!) * 4096 + codeAt(row, indices[pair + 1]!)
    const at = offset + (pair / 2) * 3
    target[at] = bits >>> 16
    target[at + 1] = bits >>> 8
    target[at + 2] = bits
  }
}

/**
 * How many of the 8 components of a fingerprint a row has that was computed elsewhere: all, or all but one, where both are honest. Each
 * component of the row counts once.
 */
export function fingerprintAgreement(fingerprint: Uint8Array, row: ArrayLike<number>): number {
  const least = Math.abs(row[greatest(row).at(-1)!]!) * (1 - 2 * TOLERANCE)
  const counted = new Set<number>()
  for (const code of readCodes(fingerprint))
    for (let index = code >>> 3; index < row.length; index += INDEX_VALUES) {
      const value = row[index]!
      if (counted.has(index) || Math.abs(value) < least || !isNear(code & 7, value)) continue
      counted.add(index)
      break
    }
  return counted.size
}

/** Indices of the 8 greatest magnitudes, greatest first. */
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
  return best
}

function codeAt(row: ArrayLike<number>, index: number): number {
  return (index % INDEX_VALUES) * 8 + valueCode(row[index]!)
}

const word = new DataView(new ArrayBuffer(4))

/** Sign, then the two bits of the fraction. */
function valueCode(value: number): number {
  word.setFloat32(0, value)
  const bits = word.getUint32(0)
  return (bits >>> 31) * 4 + ((bits >>> 18) & 3)
}

function isNear(code: number, value: number): boolean {
  return code === valueCode(value) || code === valueCode(value * (1 - TOLERANCE)) || code === valueCode(value * (1 + TOLERANCE))
}

function readCodes(fingerprint: Uint8Array): number[] {
  const codes: number[] = []
  for (let at = 0; at < FINGERPRINT_BYTES; at += 3) {
    const bits = (fingerprint[at]! << 16) | (fingerprint[at + 1]! << 8) | fingerprint[at + 2]!
    codes.push(bits >>> 12, bits & 0xfff)
  }
  return codes
}

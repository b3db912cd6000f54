import { sha256, type Sha256 } from '../hash.ts'
import type { Row } from './value.ts'

/** The canonical encoding of a row. Throws `invalid-sample`. */
export function encodeSample(row: Row): Uint8Array {
  throw new Error(`being written ${String(row)}`)
}

/** The 32-byte sample digest: SHA-256 of the canonical encoding. It is the entry (leafHash(digest)) of the sample tree. */
export function sampleDigest(row: Row, hash: Sha256 = sha256): Uint8Array {
  return hash(encodeSample(row))
}

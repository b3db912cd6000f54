/** The pieces that the log's text formats share: bytes that must be UTF-8, hashes that must be base64 of 32 bytes. */
import { base64ToBytes, bytesToUtf8 } from '../bytes.ts'
import { DIGEST_LENGTH } from '../hash.ts'
import { Problem } from '../problem.ts'

/** The text of bytes from outside; `what` they are, for the error. Throws `invalid-document`. */
export function parseText(bytes: Uint8Array, what: string): string {
  try {
    return bytesToUtf8(bytes)
  } catch (cause) {
    throw new Problem('invalid-document', `${what} is not UTF-8`, { cause })
  }
}

/** A 32-byte hash from outside; `what` it is, for the error. Throws `invalid-document`. */
export function parseHash(text: string, what: string): Uint8Array {
  try {
    const hash = base64ToBytes(text)
    if (hash.length === DIGEST_LENGTH) return hash
  } catch {
    // The same answer as for a wrong length.
  }
  throw new Problem('invalid-document', `${what} is not base64 of 32 bytes`)
}

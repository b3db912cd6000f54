/** Small byte helpers that run alike in Node and in a browser. */
import { base64pad } from 'multiformats/bases/base64'

export { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes to a string, a byte order mark kept. Throws a TypeError on bytes that are not UTF-8. */
export function bytesToUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Equality of two byte strings; not constant time, so never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Lexicographic order of byte strings. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** RFC 4648 §4 base64 with padding. */
export function bytesToBase64(bytes: Uint8Array): string {
  return base64pad.baseEncode(bytes)
}

/** Strict RFC 4648 §4 base64. Throws a SyntaxError on anything that is not the canonical encoding. */
export function base64ToBytes(text: string): Uint8Array {
  const bytes = base64pad.baseDecode(text)
  if (base64pad.baseEncode(bytes) !== text) throw new SyntaxError('not canonical base64')
  return bytes
}

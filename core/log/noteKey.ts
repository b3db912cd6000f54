/**
 * Keys of signed notes, https://c2sp.org/signed-note#verifier-keys: `name+hexid+base64(type ‖ public key)`, where the id is the first four
 * bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). What a type means and how long its keys are is said where it is verified.
 */
import { base64ToBytes, bytesToBase64, bytesToHex, concatBytes, equalBytes, utf8ToBytes } from '../bytes.ts'
import { sha256 } from '../hash.ts'
import { Problem } from '../problem.ts'

export const KEY_ID_LENGTH = 4
/** A vkey of the longest kind of key, ML-DSA-44, has 1,313 bytes in base64. */
const VKEY = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{4,2048})$/

export interface NoteKey {
  name: string
  /** 0 … 255: the signature type. */
  type: number
  /** 4 bytes. */
  id: Uint8Array
  publicKey: Uint8Array
}

/** The key of a name. Throws `invalid-request` for a name that a note cannot hold. */
export function noteKey(name: string, type: number, publicKey: Uint8Array): NoteKey {
  if (!isKeyName(name)) throw new Problem('invalid-request', `"${name}" is no key name: expected text without spaces and "+"`)
  const id = sha256(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(type), publicKey)).subarray(0, KEY_ID_LENGTH)
  return { name, type, id, publicKey }
}

export function formatKey({ name, type, id, publicKey }: NoteKey): string {
  return `${name}+${bytesToHex(id)}+${bytesToBase64(concatBytes(Uint8Array.of(type), publicKey))}`
}

/** Parses a vkey of any type from outside. Throws `invalid-request` unless its id follows from the rest. */
export function parseKey(vkey: string): NoteKey {
  const [, name, , encoded] = VKEY.exec(vkey) ?? []
  const bytes = encoded === undefined ? undefined : decoded(encoded)
  if (name !== undefined && bytes !== undefined && bytes.length > 1) {
    const key = noteKey(name, bytes[0]!, bytes.subarray(1))
    if (formatKey(key) === vkey) return key
  }
  throw new Problem('invalid-request', 'expected a verification key: name+id+base64, as the log or witness prints it')
}

/** Whether a signature line says that it is by this key. */
export function signatureIsOf({ name, keyId }: { name: string; keyId: Uint8Array }, key: NoteKey): boolean {
  return key.name === name && equalBytes(key.id, keyId)
}

export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name)
}

function decoded(text: string): Uint8Array | undefined {
  try {
    return base64ToBytes(text)
  } catch {
    return undefined
  }
}

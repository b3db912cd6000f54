/**
 * Signed notes, https://c2sp.org/signed-note: a text, a blank line, and lines `— <key name> base64(key ID ‖ signature)`.
 * Ed25519 (type 0x01) is verified here; signatures by other keys and of other types are kept for those who know them.
 */
import { base64ToBytes, bytesToBase64, concatBytes, utf8ToBytes } from '../bytes.ts'
import { PUBLIC_KEY_LENGTH, type Signer, verifySignature } from '../keys.ts'
import { Problem } from '../problem.ts'
import { parseText } from './logText.ts'
import { formatKey, isKeyName, KEY_ID_LENGTH, type NoteKey, noteKey, parseKey, signatureIsOf } from './noteKey.ts'

const ED25519 = 0x01

/** A checkpoint with a post-quantum signature of each of 16 witnesses takes about 110 kB. */
export const MAX_NOTE_BYTES = 256 * 1024
export const MAX_NOTE_SIGNATURES = 64

export type NoteSigner = Pick<Signer, 'publicKey' | 'sign'> & { name: string }

export interface NoteSignature {
  name: string
  keyId: Uint8Array
  /** What follows the key ID: 64 bytes for Ed25519, anything for other types. */
  signature: Uint8Array
}

export interface Note {
  /** What is signed: ends in a newline. */
  text: string
  /** The given keys that signed, each once. Never empty. */
  signedBy: NoteKey[]
  /** All signatures, those of unknown keys too. */
  signatures: NoteSignature[]
}

/** The key of a name and a 32-byte Ed25519 public key. Throws `invalid-request` for a name that a note cannot hold. */
export function verificationKey(name: string, publicKey: Uint8Array): NoteKey {
  return noteKey(name, ED25519, publicKey)
}

/** The text form `name+hexid+base64(type ‖ public key)`, as it is given to those who are to trust the key. */
export function formatVerificationKey(name: string, publicKey: Uint8Array): string {
  return formatKey(verificationKey(name, publicKey))
}

/** Parses `name+hexid+base64(type ‖ public key)`. Throws `invalid-request` unless it is a well-formed Ed25519 key. */
export function parseVerificationKey(vkey: string): NoteKey {
  const key = parseKey(vkey)
  if (key.type === ED25519 && key.publicKey.length === PUBLIC_KEY_LENGTH) return key
  throw new Problem('invalid-request', `${key.name} has a key of type ${key.type}; a log signs with Ed25519, type 1`)
}

/** Signs a text that ends in a newline. Throws a RangeError for text that a note cannot hold. */
export function signNote(text: string, signers: readonly NoteSigner[]): Uint8Array {
  if (!isNoteText(text)) throw new RangeError('a note is text without control characters that ends in a newline')
  const message = utf8ToBytes(text)
  const lines = signers.map((signer) => formatSignature(verificationKey(signer.name, signer.publicKey), signer.sign(message)))
  return utf8ToBytes(`${text}\n${lines.join('')}`)
}

/** A signature line, its newline included. */
export function formatSignature({ name, id }: NoteKey, signature: Uint8Array): string {
  return `— ${name} ${bytesToBase64(concatBytes(id, signature))}\n`
}

/**
 * Verifies a note from outside against the keys that one trusts.
 * Throws `invalid-document` for a wrong form, `invalid-signature` when a signature by a known key does not verify, and `untrusted`
 * when none of the keys signed.
 */
export function openNote(bytes: Uint8Array, keys: readonly NoteKey[]): Note {
  const { text, signatures } = parseNote(bytes)
  const message = utf8ToBytes(text)
  const signedBy = new Set<NoteKey>()
  for (const line of signatures) {
    const key = keys.find((candidate) => signatureIsOf(line, candidate))
    if (key === undefined) continue
    if (!verifySignature(key.publicKey, message, line.signature))
      throw new Problem('invalid-signature', `the note's signature by ${line.name} does not verify`)
    signedBy.add(key)
  }
  if (signedBy.size === 0) throw new Problem('untrusted', 'the note is not signed by any of the trusted keys')
  return { text, signedBy: [...signedBy], signatures }
}

/** Splits a note from outside; verifies nothing. Throws `invalid-document`. */
export function parseNote(bytes: Uint8Array): { text: string; signatures: NoteSignature[] } {
  if (bytes.length > MAX_NOTE_BYTES)
    throw new Problem('invalid-document', `the note has ${bytes.length} bytes; at most ${MAX_NOTE_BYTES} are accepted`)
  const note = parseText(bytes, 'the note')
  const end = note.lastIndexOf('\n\n')
  if (end === -1 || !isNoteText(note))
    throw new Problem('invalid-document', 'not a signed note: expected text, a blank line and signatures')
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > MAX_NOTE_SIGNATURES)
    throw new Problem('invalid-document', `the note has ${lines.length} signatures; at most ${MAX_NOTE_SIGNATURES} are accepted`)
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignatureLine) }
}

/** A signature line without its newline. Throws `invalid-document`. */
export function parseSignatureLine(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? []
  if (name === undefined || encoded === undefined || !isKeyName(name))
    throw new Problem('invalid-document', 'a signature line of the note is not "— name base64"')
  const bytes = decodeBase64(encoded)
  if (bytes.length <= KEY_ID_LENGTH) throw new Problem('invalid-document', `the note's signature by ${name} is empty`)
  return { name, keyId: bytes.subarray(0, KEY_ID_LENGTH), signature: bytes.subarray(KEY_ID_LENGTH) }
}

function decodeBase64(text: string): Uint8Array {
  try {
    return base64ToBytes(text)
  } catch (cause) {
    throw new Problem('invalid-document', 'expected canonical base64 with padding', { cause })
  }
}

/** No ASCII control character but the newline. */
function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && Array.from(text).every((char) => char >= ' ' || char === '\n')
}

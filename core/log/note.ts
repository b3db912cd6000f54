/**
 * Signed notes, https://c2sp.org/signed-note: a text, a blank line, and lines `— <key name> base64(key ID ‖ signature)`.
 * Ed25519 (type 0x01) only; signatures by other keys and of other types are kept and ignored.
 */
import { base64ToBytes, bytesToBase64, bytesToHex, bytesToUtf8, concatBytes, equalBytes, utf8ToBytes } from '../bytes.ts'
import { sha256 } from '../hash.ts'
import { PUBLIC_KEY_LENGTH, type Signer, verifySignature } from '../keys.ts'
import { Problem } from '../problem.ts'

const ED25519 = 0x01
const KEY_ID_LENGTH = 4

/** A checkpoint with a post-quantum signature of each of 16 witnesses takes about 110 kB. */
export const MAX_NOTE_BYTES = 256 * 1024
export const MAX_NOTE_SIGNATURES = 64

export interface VerificationKey {
  name: string
  /** 4 bytes: SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), cut. */
  id: Uint8Array
  /** 32 bytes. */
  publicKey: Uint8Array
}

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
  signedBy: VerificationKey[]
  /** All signatures, those of unknown keys too. */
  signatures: NoteSignature[]
}

/** The key of a name and a 32-byte Ed25519 public key. Throws `invalid-request` for a name that a note cannot hold. */
export function verificationKey(name: string, publicKey: Uint8Array): VerificationKey {
  if (!isKeyName(name)) throw new Problem('invalid-request', `"${name}" is no key name: expected text without spaces and "+"`)
  const id = sha256(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(ED25519), publicKey)).subarray(0, KEY_ID_LENGTH)
  return { name, id, publicKey }
}

/** The text form `name+hexid+base64(type ‖ public key)`, as it is given to those who are to trust the key. */
export function formatVerificationKey(name: string, publicKey: Uint8Array): string {
  const key = verificationKey(name, publicKey)
  return `${key.name}+${bytesToHex(key.id)}+${bytesToBase64(concatBytes(Uint8Array.of(ED25519), publicKey))}`
}

/** Parses `name+hexid+base64(type ‖ public key)`. Throws `invalid-request` unless it is a well-formed Ed25519 key. */
export function parseVerificationKey(vkey: string): VerificationKey {
  const [, name, , encoded] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,256})$/.exec(vkey) ?? []
  if (name !== undefined && encoded !== undefined) {
    const bytes = decodeBase64(encoded, 'invalid-request')
    const publicKey = bytes.subarray(1)
    if (bytes[0] === ED25519 && publicKey.length === PUBLIC_KEY_LENGTH && formatVerificationKey(name, publicKey) === vkey)
      return verificationKey(name, publicKey)
  }
  throw new Problem('invalid-request', 'expected an Ed25519 verification key: name+id+base64, as the log prints it')
}

/** Signs a text that ends in a newline. Throws a RangeError for text that a note cannot hold. */
export function signNote(text: string, signers: readonly NoteSigner[]): Uint8Array {
  if (!isNoteText(text)) throw new RangeError('a note is text without control characters that ends in a newline')
  const message = utf8ToBytes(text)
  const lines = signers.map((signer) => {
    const { name, id } = verificationKey(signer.name, signer.publicKey)
    return `— ${name} ${bytesToBase64(concatBytes(id, signer.sign(message)))}\n`
  })
  return utf8ToBytes(`${text}\n${lines.join('')}`)
}

/**
 * Verifies a note from outside against the keys that one trusts.
 * Throws `invalid-document` for a wrong form, `invalid-signature` when a signature by a known key does not verify, and `untrusted`
 * when none of the keys signed.
 */
export function openNote(bytes: Uint8Array, keys: readonly VerificationKey[]): Note {
  const { text, signatures } = parseNote(bytes)
  const message = utf8ToBytes(text)
  const signedBy = new Set<VerificationKey>()
  for (const { name, keyId, signature } of signatures) {
    const key = keys.find((candidate) => candidate.name === name && equalBytes(candidate.id, keyId))
    if (key === undefined) continue
    if (!verifySignature(key.publicKey, message, signature))
      throw new Problem('invalid-signature', `the note's signature by ${name} does not verify`)
    signedBy.add(key)
  }
  if (signedBy.size === 0) throw new Problem('untrusted', 'the note is not signed by any of the trusted keys')
  return { text, signedBy: [...signedBy], signatures }
}

/** Splits a note without verifying anything. Throws `invalid-document`. */
function parseNote(bytes: Uint8Array): { text: string; signatures: NoteSignature[] } {
  if (bytes.length > MAX_NOTE_BYTES)
    throw new Problem('invalid-document', `the note has ${bytes.length} bytes; at most ${MAX_NOTE_BYTES} are accepted`)
  let note: string
  try {
    note = bytesToUtf8(bytes)
  } catch (cause) {
    throw new Problem('invalid-document', 'the note is not UTF-8', { cause })
  }
  const end = note.lastIndexOf('\n\n')
  if (end === -1 || !isNoteText(note))
    throw new Problem('invalid-document', 'not a signed note: expected text, a blank line and signatures')
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > MAX_NOTE_SIGNATURES)
    throw new Problem('invalid-document', `the note has ${lines.length} signatures; at most ${MAX_NOTE_SIGNATURES} are accepted`)
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignatureLine) }
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? []
  if (name === undefined || encoded === undefined || !isKeyName(name))
    throw new Problem('invalid-document', 'a signature line of the note is not "— name base64"')
  const bytes = decodeBase64(encoded, 'invalid-document')
  if (bytes.length <= KEY_ID_LENGTH) throw new Problem('invalid-document', `the note's signature by ${name} is empty`)
  return { name, keyId: bytes.subarray(0, KEY_ID_LENGTH), signature: bytes.subarray(KEY_ID_LENGTH) }
}

function decodeBase64(text: string, code: 'invalid-document' | 'invalid-request'): Uint8Array {
  try {
    return base64ToBytes(text)
  } catch (cause) {
    throw new Problem(code, 'expected canonical base64 with padding', { cause })
  }
}

function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name)
}

/** No ASCII control character but the newline. */
function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && Array.from(text).every((char) => char >= ' ' || char === '\n')
}

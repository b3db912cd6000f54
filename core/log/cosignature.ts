/**
 * Cosignatures, https://c2sp.org/tlog-cosignature: lines of a checkpoint's note by which others than the log (witnesses), or the log under a
 * second algorithm, say what they saw and when. Types: 0x04, Ed25519 over `cosignature/v1`, the time and the note's text; 0x06,
 * ML-DSA-44 (FIPS 204) over the structure `cosigned_message`. Both carry the time as a big-endian uint64 before the signature.
 */
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { concatBytes, utf8ToBytes } from '../bytes.ts'
import { PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH, type Signer, verifySignature } from '../keys.ts'
import { Problem } from '../problem.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { formatSignature, type Note, type NoteSignature, parseSignatureLine } from './note.ts'
import { type NoteKey, noteKey, parseKey, signatureIsOf } from './noteKey.ts'

const ED25519 = 0x04
const ML_DSA_44 = 0x06
const TIME_LENGTH = 8
const LABEL = 'subtree/v1\n\0'

/** A key of type 0x04 or 0x06 that can sign. */
export interface Cosigner {
  readonly key: NoteKey
  sign(message: Uint8Array): Uint8Array
}

export interface Cosignature {
  key: NoteKey
  /** POSIX time at which it was made. */
  timeSeconds: number
}

/** Cosigns by Ed25519. One key is for one name: the message does not say whose it is. */
export function ed25519Cosigner(name: string, signer: Pick<Signer, 'publicKey' | 'sign'>): Cosigner {
  return { key: noteKey(name, ED25519, signer.publicKey), sign: (message) => signer.sign(message) }
}

/** Cosigns by ML-DSA-44, deterministically, with the key of a 32-byte seed (FIPS 204 §5.1). */
export function mlDsa44Cosigner(name: string, seed: Uint8Array): Cosigner {
  const { publicKey, secretKey } = ml_dsa44.keygen(Uint8Array.from(seed))
  return {
    key: noteKey(name, ML_DSA_44, publicKey),
    sign: (message) => ml_dsa44.sign(message, secretKey, { extraEntropy: false }),
  }
}

/** Parses the vkey of one who cosigns. Throws `invalid-request` for keys of other types. */
export function parseCosignerKey(vkey: string): NoteKey {
  const key = parseKey(vkey)
  const length = key.type === ED25519 ? PUBLIC_KEY_LENGTH : key.type === ML_DSA_44 ? ml_dsa44.lengths.publicKey : undefined
  if (key.publicKey.length === length) return key
  throw new Problem(
    'invalid-request',
    `the key of ${key.name} is of type ${key.type}; those who cosign have keys of type 4 (Ed25519) or 6 (ML-DSA-44)`,
  )
}

/** The line by which `cosigner` says that at this time this checkpoint was the largest consistent one it had seen. */
export function cosign(checkpointText: string, cosigner: Cosigner, timeSeconds: number): string {
  const { key } = cosigner
  return formatSignature(key, concatBytes(uint64(timeSeconds), cosigner.sign(signedMessage(checkpointText, key, timeSeconds))))
}

/**
 * The cosignatures of a note by those of the keys that made one. Throws `invalid-signature` when a line by a known key does not verify,
 * and `invalid-document` when the note is not a checkpoint.
 */
export function cosignaturesOf({ text, signatures }: Pick<Note, 'text' | 'signatures'>, keys: readonly NoteKey[]): Cosignature[] {
  const found = new Map<NoteKey, number>()
  for (const line of signatures) {
    const key = keys.find((candidate) => signatureIsOf(line, candidate))
    if (key === undefined) continue
    const timeSeconds = verifyCosignature(text, key, line)
    if (timeSeconds === null) throw new Problem('invalid-signature', `the cosignature by ${key.name} does not verify`)
    found.set(key, Math.max(timeSeconds, found.get(key) ?? 0))
  }
  return [...found].map(([key, timeSeconds]) => ({ key, timeSeconds }))
}

/** Splits lines of cosignatures, a witness's answer, without verifying them. Throws `invalid-document`. */
export function parseCosignatureLines(text: string): { line: string; signature: NoteSignature }[] {
  if (!text.endsWith('\n')) throw new Problem('invalid-document', 'the answer of the witness does not end in a newline')
  const lines = text.slice(0, -1).split('\n')
  return lines.map((line) => ({ line: `${line}\n`, signature: parseSignatureLine(line) }))
}

/** When it was made; null where it does not verify. */
function verifyCosignature(text: string, key: NoteKey, { signature: bytes }: NoteSignature): number | null {
  const signature = bytes.subarray(TIME_LENGTH)
  if (signature.length !== (key.type === ED25519 ? SIGNATURE_LENGTH : ml_dsa44.lengths.signature)) return null
  const time = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return null
  const message = signedMessage(text, key, Number(time))
  const holds =
    key.type === ED25519 ? verifySignature(key.publicKey, message, signature) : ml_dsa44.verify(signature, message, key.publicKey)
  return holds ? Number(time) : null
}

function signedMessage(text: string, key: NoteKey, timeSeconds: number): Uint8Array {
  if (key.type === ED25519) return utf8ToBytes(`cosignature/v1\ntime ${timeSeconds}\n${text}`)
  const { origin, size, rootHash } = parseCheckpoint(text)
  return concatBytes(utf8ToBytes(LABEL), shortBytes(key.name), uint64(timeSeconds), shortBytes(origin), uint64(0), uint64(size), rootHash)
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

/** `opaque<1..2^8-1>` of RFC 8446 §3.4. */
function shortBytes(text: string): Uint8Array {
  const bytes = utf8ToBytes(text)
  if (bytes.length === 0 || bytes.length > 255) throw new Problem('invalid-document', 'a name in a cosignature has 1 to 255 bytes')
  return concatBytes(Uint8Array.of(bytes.length), bytes)
}

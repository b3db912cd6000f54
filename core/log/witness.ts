/**
 * The witness protocol, https://c2sp.org/tlog-witness: what a log sends to `add-checkpoint`, and the rules by which a witness decides.
 * Pure; who serves it keeps the state and the clock.
 */
import { bytesToBase64, concatBytes, utf8ToBytes } from '../bytes.ts'
import { EMPTY_ROOT, verifyConsistency } from '../merkle/tree.ts'
import { Problem } from '../problem.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { parseHash, parseText } from './logText.ts'
import { MAX_NOTE_BYTES, openNote, parseNote } from './note.ts'
import type { NoteKey } from './noteKey.ts'

export const MAX_PROOF_HASHES = 63
/** A note, an `old` line and 63 hashes in base64. */
export const MAX_ADD_CHECKPOINT_BYTES = MAX_NOTE_BYTES + 4096

export interface AddCheckpoint {
  oldSize: number
  /** 32-byte hashes, RFC 6962 §2.1.2. */
  proof: readonly Uint8Array[]
  /** The signed note. */
  checkpoint: Uint8Array
}

/** What a witness knows of a log: the latest checkpoint that it cosigned. */
export type Witnessed = Pick<Checkpoint, 'size' | 'rootHash'>

/**
 * What a witness answers. `cosign`: the text to cosign, once `latest` is stored for good. The others are answered with their HTTP status;
 * `conflict` with the size that the witness knows. `evidence` is set where the log has signed two histories.
 */
export type WitnessDecision =
  | { verdict: 'cosign'; origin: string; text: string; latest: Witnessed }
  | { verdict: 'conflict'; status: 409; size: number; evidence: boolean }
  | { verdict: 'refuse'; status: 400 | 403 | 404 | 422; reason: string; evidence: boolean }

export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): Uint8Array {
  const lines = [`old ${oldSize}`, ...proof.map(bytesToBase64)]
  return concatBytes(utf8ToBytes(`${lines.join('\n')}\n\n`), checkpoint)
}

/** Parses a request from outside; verifies nothing. Throws `invalid-document`. */
export function parseAddCheckpoint(bytes: Uint8Array): AddCheckpoint {
  if (bytes.length > MAX_ADD_CHECKPOINT_BYTES) throw new Problem('invalid-document', 'the request is too long')
  const text = parseText(bytes, 'the request')
  const end = text.indexOf('\n\n')
  const [first, ...hashes] = text.slice(0, Math.max(end, 0)).split('\n')
  const [, old] = /^old (0|[1-9]\d{0,15})$/.exec(first ?? '') ?? []
  if (old === undefined || !Number.isSafeInteger(Number(old)))
    throw new Problem('invalid-document', 'expected "old" and the size of the last cosigned checkpoint on the first line')
  if (hashes.length > MAX_PROOF_HASHES) throw new Problem('invalid-document', `a proof has at most ${MAX_PROOF_HASHES} hashes`)
  return {
    oldSize: Number(old),
    proof: hashes.map((line) => parseHash(line, 'a line of the proof')),
    checkpoint: utf8ToBytes(text.slice(end + 2)),
  }
}

/**
 * How a witness answers a request, given the keys of the logs that it knows and what it last cosigned of that log (null: nothing yet).
 * The caller looks `witnessed` up by the checkpoint's origin (`originOf`) and must store `latest` only if nothing else was stored since.
 */
export function decide(request: AddCheckpoint, logKeys: readonly NoteKey[], witnessed: Witnessed | null): WitnessDecision {
  const refuse = (status: 400 | 403 | 404 | 422, reason: string, evidence = false): WitnessDecision => ({
    verdict: 'refuse',
    status,
    reason,
    evidence,
  })
  const origin = originOf(request.checkpoint)
  const keys = logKeys.filter(({ name }) => name === origin)
  if (keys.length === 0) return refuse(404, `this witness does not know the log ${origin}`)
  const text = signedText(request.checkpoint, keys)
  if (text === null) return refuse(403, `no key of the log ${origin} that this witness knows signed the checkpoint`)
  const { size, rootHash } = parseCheckpoint(text)
  if (request.oldSize > size) return refuse(400, `the old size ${request.oldSize} is above the checkpoint's size ${size}`)
  const old = witnessed ?? { size: 0, rootHash: EMPTY_ROOT }
  const isOther = (claim: Omit<Parameters<typeof verifyConsistency>[0], 'proof'>) => !verifyConsistency({ ...claim, proof: request.proof })
  if (request.oldSize !== old.size) return { verdict: 'conflict', status: 409, size: old.size, evidence: false }
  if (size === old.size && isOther({ oldSize: size, oldRoot: old.rootHash, newSize: size, newRoot: rootHash })) {
    return request.proof.length > 0
      ? refuse(422, 'a proof between equal sizes is empty')
      : { verdict: 'conflict', status: 409, size: old.size, evidence: true }
  }
  if (size > old.size && isOther({ oldSize: old.size, oldRoot: old.rootHash, newSize: size, newRoot: rootHash }))
    return refuse(422, `the proof does not show that the ${size} entries begin with the ${old.size} known ones`, true)
  return { verdict: 'cosign', origin, text, latest: { size, rootHash } }
}

/** The log that a checkpoint says it is of; nothing is verified. Throws `invalid-document`. */
export function originOf(checkpoint: Uint8Array): string {
  return parseCheckpoint(parseNote(checkpoint).text).origin
}

/** The note's text where one of the keys signed it. */
function signedText(note: Uint8Array, keys: readonly NoteKey[]): string | null {
  try {
    return openNote(note, keys).text
  } catch (error) {
    if (error instanceof Problem && (error.code === 'untrusted' || error.code === 'invalid-signature')) return null
    throw error
  }
}

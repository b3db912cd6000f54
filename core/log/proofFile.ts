/**
 * Proof files, https://c2sp.org/tlog-proof (v1): an entry's index and inclusion proof, and the checkpoint that it leads to, so that
 * one file shows offline that something was logged. `extra` is not authenticated by the file itself.
 */
import { base64ToBytes, bytesToBase64, concatBytes, utf8ToBytes } from '../bytes.ts'
import { DIGEST_LENGTH } from '../hash.ts'
import { leafHash, verifyInclusion } from '../merkle/tree.ts'
import { Problem } from '../problem.ts'
import type { Checkpoint } from './checkpoint.ts'
import { parseText } from './logText.ts'
import { MAX_NOTE_BYTES } from './note.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'
const MAX_PROOF_HASHES = 63

/** Bytes of the largest file that is parsed: a receipt may carry a whole document as `extra`. */
export const MAX_PROOF_FILE_BYTES = 64 * 1024 * 1024

export interface ProofFile {
  index: number
  /** 32-byte hashes, from the leaf's sibling upwards. */
  proof: Uint8Array[]
  /** The signed note, verbatim. */
  checkpoint: Uint8Array
  extra?: Uint8Array
}

export function encodeProofFile({ index, proof, checkpoint, extra }: ProofFile): Uint8Array {
  const lines = [HEADER]
  if (extra !== undefined) lines.push(`extra ${bytesToBase64(extra)}`)
  lines.push(`index ${index}`, ...proof.map(bytesToBase64))
  return concatBytes(utf8ToBytes(`${lines.join('\n')}\n\n`), checkpoint)
}

/** Parses a file from outside; verifies nothing. Throws `invalid-document`. */
export function parseProofFile(bytes: Uint8Array): ProofFile {
  if (bytes.length > MAX_PROOF_FILE_BYTES)
    throw new Problem('invalid-document', `the proof file has ${bytes.length} bytes; at most ${MAX_PROOF_FILE_BYTES} are accepted`)
  const text = parseText(bytes, 'the proof file')
  const end = text.indexOf('\n\n')
  const [header, ...lines] = text.slice(0, Math.max(end, 0)).split('\n')
  if (header !== HEADER) throw new Problem('invalid-document', `not a proof file: expected ${HEADER} on the first line`)
  const extra = lines[0]?.startsWith('extra ') === true ? decodeBase64(lines.shift()!.slice('extra '.length)) : undefined
  const [, index] = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '') ?? []
  if (index === undefined || !Number.isSafeInteger(Number(index)))
    throw new Problem('invalid-document', 'the proof file has no index line with a decimal number')
  if (lines.length > MAX_PROOF_HASHES) throw new Problem('invalid-document', `a proof has at most ${MAX_PROOF_HASHES} hashes`)
  const proof = lines.map(decodeBase64)
  if (proof.some((hash) => hash.length !== DIGEST_LENGTH)) throw new Problem('invalid-document', 'a hash of the proof has not 32 bytes')
  const checkpoint = utf8ToBytes(text.slice(end + 2))
  if (checkpoint.length > MAX_NOTE_BYTES) throw new Problem('invalid-document', 'the checkpoint of the proof file is too large')
  return { index: Number(index), proof, checkpoint, ...(extra === undefined ? {} : { extra }) }
}

/** Verifies that a proof leads from an entry to a checkpoint, which the caller has verified. Throws `untrusted`. */
export function verifyLogged({ index, proof }: Pick<ProofFile, 'index' | 'proof'>, entry: Uint8Array, checkpoint: Checkpoint): void {
  if (!verifyInclusion({ leafHash: leafHash(entry), index, size: checkpoint.size, proof, rootHash: checkpoint.rootHash }))
    throw new Problem('untrusted', `the proof does not lead from the entry at ${index} to the checkpoint of size ${checkpoint.size}`)
}

function decodeBase64(text: string): Uint8Array {
  try {
    return base64ToBytes(text)
  } catch (cause) {
    throw new Problem('invalid-document', 'the proof file has base64 that is not canonical', { cause })
  }
}

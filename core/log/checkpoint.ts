/**
 * Checkpoints, https://c2sp.org/tlog-checkpoint: the note in which a log commits to its size and root hash.
 *
 *     origin
 *     size
 *     base64 of the root hash
 */
import { bytesToBase64 } from '../bytes.ts'
import { Problem } from '../problem.ts'
import { parseHash } from './logText.ts'
import { openNote, parseVerificationKey } from './note.ts'

export interface Checkpoint {
  /** The log's unique name, a URL without a scheme. */
  origin: string
  size: number
  /** 32 bytes. */
  rootHash: Uint8Array
}

/** The text that a log signs. */
export function formatCheckpoint({ origin, size, rootHash }: Checkpoint): string {
  return `${origin}\n${size}\n${bytesToBase64(rootHash)}\n`
}

/** Parses the text of a checkpoint; extension lines after the third are passed over. Throws `invalid-document`. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, ...extensions] = text.split('\n')
  if (origin === undefined || origin === '' || size === undefined || root === undefined || extensions.at(-1) !== '')
    throw new Problem('invalid-document', 'not a checkpoint: expected origin, size and root hash on a line each')
  if (extensions.slice(0, -1).includes('')) throw new Problem('invalid-document', 'the checkpoint has an empty extension line')
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw new Problem('invalid-document', 'the size of the checkpoint is not a decimal number up to 2^53')
  return { origin, size: Number(size), rootHash: parseHash(root, 'the root hash of the checkpoint') }
}

/**
 * Verifies a checkpoint from outside: signed by the log's key, whose name is the log's origin.
 * Throws `invalid-document`, `invalid-signature` or `untrusted`.
 */
export function openCheckpoint(note: Uint8Array, vkey: string): Checkpoint {
  const key = parseVerificationKey(vkey)
  const checkpoint = parseCheckpoint(openNote(note, [key]).text)
  if (checkpoint.origin !== key.name)
    throw new Problem('untrusted', `the checkpoint is of the log ${checkpoint.origin}, but the trusted key is of ${key.name}`)
  return checkpoint
}

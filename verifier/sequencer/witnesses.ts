/** Asking witnesses to cosign a checkpoint (https://c2sp.org/tlog-witness), all at once and each with its own proof. */
import { bytesToUtf8, concatBytes, utf8ToBytes } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/hash.ts'
import { cosignaturesOf, parseCosignatureLines } from '../../core/log/cosignature.ts'
import { parseNote } from '../../core/log/note.ts'
import { signatureIsOf } from '../../core/log/noteKey.ts'
import type { KnownWitness } from '../../core/log/policy.ts'
import { formatAddCheckpoint } from '../../core/log/witness.ts'
import { consistencyProof, type TileReader } from '../../core/merkle/tiles.ts'
import { messageOf } from '../../core/problem.ts'

const PATIENCE_MS = 10_000
const MAX_ANSWER_BYTES = 64 * 1024
/** A witness that has seen more than we say it has answers with its size: once for the right one, once more where that moved meanwhile. */
const ATTEMPTS = 3

export interface WitnessRequest {
  size: number
  /** The signed note. */
  checkpoint: Uint8Array
  tiles: TileReader
  signal: AbortSignal
}

export interface WitnessAnswers {
  /** The note with the cosignatures that verify. */
  checkpoint: Uint8Array
  /** Who did not cosign, and why. */
  refusals: { name: string; reason: string }[]
}

export interface Witnesses {
  ask(request: WitnessRequest): Promise<WitnessAnswers>
}

/** Those of the policy's witnesses that have an address. Remembers how far each has seen the log, to begin with the right proof. */
export function createWitnesses(witnesses: readonly KnownWitness[], hash: Sha256): Witnesses {
  const sizes = new Map<KnownWitness, number>()

  async function askOne(witness: KnownWitness, { size, checkpoint, tiles, signal }: WitnessRequest): Promise<string[]> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const oldSize = sizes.get(witness) ?? 0
      if (oldSize > size) throw new Error(`it has seen ${oldSize} entries of this log, which has ${size}`)
      const proof = oldSize === 0 ? [] : await consistencyProof(tiles, oldSize, size, hash)
      const response = await fetch(`${witness.url!.replace(/\/$/, '')}/add-checkpoint`, {
        method: 'POST',
        body: Buffer.from(formatAddCheckpoint({ oldSize, proof, checkpoint })),
        signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      })
      const body = await readText(response)
      if (response.status === 409 && /^\d{1,16}\n$/.test(body) && Number(body) !== oldSize) {
        sizes.set(witness, Number(body))
        continue
      }
      if (response.status !== 200) throw new Error(`it answered ${response.status}: ${body.trim().slice(0, 200)}`)
      const lines = cosignatureLines(checkpoint, witness, body)
      if (lines.length === 0) throw new Error('its answer has no cosignature by the key in the policy')
      sizes.set(witness, size)
      return lines
    }
    throw new Error('the size that it has seen changes with every question')
  }

  return {
    async ask(request) {
      const asked = witnesses.filter(({ url }) => url !== undefined)
      const answers = await Promise.allSettled(asked.map(async (witness) => askOne(witness, request)))
      return {
        checkpoint: concatBytes(
          request.checkpoint,
          utf8ToBytes(answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])).join('')),
        ),
        refusals: answers.flatMap((answer, i) =>
          answer.status === 'rejected' ? [{ name: asked[i]!.name, reason: messageOf(answer.reason) }] : [],
        ),
      }
    },
  }
}

/** Those lines of an answer that the witness's key made for this checkpoint. Throws where one of them does not verify. */
function cosignatureLines(checkpoint: Uint8Array, { key }: KnownWitness, answer: string): string[] {
  const own = parseCosignatureLines(answer).filter(({ signature }) => signatureIsOf(signature, key))
  const { text } = parseNote(checkpoint)
  cosignaturesOf({ text, signatures: own.map(({ signature }) => signature) }, [key])
  return own.map(({ line }) => line)
}

/** Attacker-controlled: at most 64 kB are read. */
async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MAX_ANSWER_BYTES) throw new Error('its answer is too long')
  }
  return bytesToUtf8(concatBytes(...chunks))
}

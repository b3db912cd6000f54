/**
 * The one writer of the public log: gives every attestation its entry. Any number of processes may run one; the lock on the row of
 * `log_state` lets them take turns, and the compare-and-swap of that row shows it if they ever did not.
 *
 * Order of writes, all in one transaction: entries, tiles, indices of the attestations, and last the checkpoint, which makes the
 * rest true. A reader sees all of it or nothing; a crash leaves the attestations unlogged, to be taken again.
 */
import { type Sha256, sha256 } from '../../core/hash.ts'
import type { Signer } from '../../core/keys.ts'
import { formatCheckpoint, openCheckpoint } from '../../core/log/checkpoint.ts'
import { encodeLogEntry } from '../../core/log/entry.ts'
import { formatVerificationKey, signNote } from '../../core/log/note.ts'
import { appendLeaves } from '../../core/merkle/tiles.ts'
import { EMPTY_ROOT, leafHash } from '../../core/merkle/tree.ts'
import { SignedKind } from '../../core/statement.ts'
import type { Database } from '../../store/database.ts'
import {
  type LogState,
  assignLogIndices,
  createLogState,
  insertLogEntries,
  lockLogState,
  swapLogState,
  unloggedAttestations,
  writeLogTiles,
} from '../../store/log.ts'
import { createLogTileReader } from '../../store/logTileReader.ts'

/** Entries of one transaction. */
const BATCH_SIZE = 2048

export interface Sequencer {
  /** The key that readers of the log are to trust. */
  readonly vkey: string
  /**
   * Logs every attestation that has no entry yet, in the order of their ids, and creates the log with its empty checkpoint where there
   * is none. Throws an Error when the log in the database has another origin or key.
   */
  readonly appendPending: () => Promise<{ appended: number }>
}

export interface SequencerOptions {
  db: Database
  /** The log's name, a URL without a scheme; also the name of its key. */
  origin: string
  signer: Signer
  hash?: Sha256
}

export function createSequencer({ db, origin, signer, hash = sha256 }: SequencerOptions): Sequencer {
  const vkey = formatVerificationKey(origin, signer.publicKey)

  function checkpointOf(size: number, rootHash: Uint8Array): Omit<LogState, 'origin'> {
    const text = formatCheckpoint({ origin, size, rootHash })
    return {
      size,
      rootHash,
      checkpoint: signNote(text, [{ name: origin, publicKey: signer.publicKey, sign: (bytes) => signer.sign(bytes) }]),
    }
  }

  async function lockOwnState(trx: Database): Promise<LogState> {
    let state = await lockLogState(trx)
    if (state === null) {
      await createLogState(trx, { origin, ...checkpointOf(0, EMPTY_ROOT) })
      state = await lockLogState(trx)
    }
    if (state === null) throw new Error('the log has no state')
    // A log that goes on under another name or key would be a fork to everyone who has seen its checkpoints.
    try {
      openCheckpoint(state.checkpoint, vkey)
    } catch (cause) {
      throw new Error(`the log in this database is ${state.origin} and was not signed with the key ${vkey}`, { cause })
    }
    return state
  }

  async function appendBatch(trx: Database): Promise<number> {
    const state = await lockOwnState(trx)
    const pending = await unloggedAttestations(trx, BATCH_SIZE)
    if (pending.length === 0) return 0
    const entries = pending.map(({ kind, document, envelope }) => encodeLogEntry({ kind: SignedKind.parse(kind), document, envelope }))
    const leaves = entries.map((entry) => leafHash(entry, hash))
    const { size, rootHash, tiles } = await appendLeaves(createLogTileReader(trx), state.size, leaves, hash)
    await insertLogEntries(trx, state.size, entries)
    await writeLogTiles(trx, tiles)
    await assignLogIndices(
      trx,
      state.size,
      pending.map((attestation) => attestation.id),
    )
    if (!(await swapLogState(trx, state.size, checkpointOf(size, rootHash))))
      throw new Error(`the log was no longer at size ${state.size} when its checkpoint was to be replaced`)
    return pending.length
  }

  return {
    vkey,
    async appendPending() {
      let appended = 0
      for (;;) {
        const batch = await db.transaction().execute(appendBatch)
        appended += batch
        if (batch < BATCH_SIZE) return { appended }
      }
    },
  }
}

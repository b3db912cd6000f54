/**
 * The one writer of the public log: gives every attestation its entry. Any number of processes may run one; the lock on the row of
 * `log_state` lets them take turns, and the compare-and-swap of that row shows it if they ever did not.
 *
 * Order of writes. In one transaction: entries, tiles, indices of the attestations, and last the checkpoint, which makes the rest true;
 * a crash before its end leaves the attestations unlogged, to be taken again. Then the checkpoint is kept outside of the database
 * (continuity.ts), then witnesses are asked, and only then is it published: nobody sees what a restored database could take back.
 */
import { concatBytes, utf8ToBytes } from '../../core/bytes.ts'
import { type Sha256, sha256 } from '../../core/hash.ts'
import type { Signer } from '../../core/keys.ts'
import { formatCheckpoint, openCheckpoint } from '../../core/log/checkpoint.ts'
import { encodeLogEntry } from '../../core/log/entry.ts'
import { type Cosigner, cosign } from '../../core/log/cosignature.ts'
import { formatVerificationKey, parseVerificationKey, signNote } from '../../core/log/note.ts'
import { openWitnessedCheckpoint, type Policy } from '../../core/log/policy.ts'
import { Problem } from '../../core/problem.ts'
import { appendLeaves } from '../../core/merkle/tiles.ts'
import { EMPTY_ROOT, leafHash } from '../../core/merkle/tree.ts'
import { SignedKind } from '../../core/statement.ts'
import { type CheckpointMemory, memoryCheckpoint } from '../../store/checkpointFile.ts'
import type { Database } from '../../store/database.ts'
import {
  type LogState,
  assignLogIndices,
  createLogState,
  insertLogEntries,
  lockLogState,
  publishCheckpoint,
  readLogState,
  readPublishedCheckpoint,
  swapLogState,
  unloggedAttestations,
  writeLogTiles,
} from '../../store/log.ts'
import { createLogTileReader } from '../../store/logTileReader.ts'
import { createContinuity } from './continuity.ts'
import { createWitnesses } from './witnesses.ts'

/** Entries of one transaction. */
const BATCH_SIZE = 2048

export interface Sequencer {
  /** The key that readers of the log are to trust. */
  readonly vkey: string
  /**
   * Logs every attestation that has no entry yet, in the order of their ids, and creates the log with its empty checkpoint where there
   * is none; a log without witnesses publishes its checkpoint then. Throws an Error when the log in the database has another origin or
   * key, or does not begin with what was published.
   */
  readonly appendPending: () => Promise<{ appended: number }>
  /** Publishes the newest checkpoint where it is not yet, once a quorum of the witnesses has cosigned it. */
  readonly publish: (signal: AbortSignal) => Promise<Publication>
}

export interface Publication {
  /** Entries that the published checkpoint covers. */
  size: number
  /** Entries that the log has. */
  logSize: number
  /** What keeps the newest checkpoint from being published; null where it is. */
  lacks: string | null
  /** Witnesses that did not cosign it, and why. */
  refusals: readonly { name: string; reason: string }[]
}

export interface SequencerOptions {
  db: Database
  /** The log's name, a URL without a scheme; also the name of its key. */
  origin: string
  signer: Signer
  /** What remembers the last published checkpoint outside of the database. */
  memory?: CheckpointMemory
  /** Witnesses, their addresses and the quorum; absent: a checkpoint is published as the log signs it. */
  policy?: Policy | undefined
  /** A second signature of the log's own, under the log's name. */
  cosigner?: Cosigner | undefined
  clock?: () => Date
  hash?: Sha256
}

export function createSequencer({
  db,
  origin,
  signer,
  memory = memoryCheckpoint(),
  policy,
  cosigner,
  clock = () => new Date(),
  hash = sha256,
}: SequencerOptions): Sequencer {
  const vkey = formatVerificationKey(origin, signer.publicKey)
  const continuity = createContinuity({ memory, vkey, hash })
  const own = { key: parseVerificationKey(vkey) }
  const required = policy === undefined ? null : { ...policy, logs: [own] }
  const witnesses = createWitnesses(policy?.witnesses ?? [], hash)

  function checkpointOf(size: number, rootHash: Uint8Array): Omit<LogState, 'origin'> {
    const text = formatCheckpoint({ origin, size, rootHash })
    const note = signNote(text, [{ name: origin, publicKey: signer.publicKey, sign: (bytes) => signer.sign(bytes) }])
    const second = cosigner === undefined ? '' : cosign(text, cosigner, Math.floor(clock().getTime() / 1000))
    return { size, rootHash, checkpoint: concatBytes(note, utf8ToBytes(second)) }
  }

  async function lockOwnState(trx: Database): Promise<LogState> {
    await continuity.load()
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
    await continuity.assertContinues(state, createLogTileReader(trx))
    return state
  }

  async function appendBatch(trx: Database): Promise<number> {
    const state = await lockOwnState(trx)
    const pending = await unloggedAttestations(trx, BATCH_SIZE)
    if (pending.length === 0) return 0
    const entries = pending.map((attestation) => encodeLogEntry({ ...attestation, kind: SignedKind.parse(attestation.kind) }))
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

  async function appendPending(): Promise<{ appended: number }> {
    let appended = 0
    for (;;) {
      const batch = await db.transaction().execute(appendBatch)
      appended += batch
      if (batch === BATCH_SIZE) continue
      if (required === null) await publish(new AbortController().signal)
      return { appended }
    }
  }

  async function publish(signal: AbortSignal): Promise<Publication> {
    await continuity.load()
    const state = await readLogState(db)
    const published = await readPublishedCheckpoint(db)
    if (state === null) return { size: 0, logSize: 0, lacks: 'the log has no checkpoint yet', refusals: [] }
    const { size, rootHash } = state
    const tiles = createLogTileReader(db)
    if (!(await continuity.isLast(state))) {
      await continuity.assertContinues(state, tiles)
      await continuity.remember(state, state.checkpoint)
    }
    if (published !== null && published.size === size && lackOf(published.checkpoint) === null)
      return { size, logSize: size, lacks: null, refusals: [] }
    const { checkpoint, refusals } = await witnesses.ask({ size, checkpoint: state.checkpoint, tiles, signal })
    const lacks = lackOf(checkpoint)
    if (lacks === null) await publishCheckpoint(db, { size, rootHash, checkpoint })
    return { size: lacks === null ? size : (published?.size ?? 0), logSize: size, lacks, refusals }
  }

  /** What the policy misses at a checkpoint of this log; null where it has all. */
  function lackOf(checkpoint: Uint8Array): string | null {
    if (required === null) return null
    try {
      openWitnessedCheckpoint(checkpoint, required)
      return null
    } catch (error) {
      if (error instanceof Problem && error.code === 'untrusted') return error.detail
      throw error
    }
  }

  return { vkey, appendPending, publish }
}

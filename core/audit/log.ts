/** The laws of the log: `checkpoint-signature`, `log-consistency` and `*-logged`. Proofs are computed here, from tiles. */
import { equalBytes } from '../bytes.ts'
import { type Checkpoint, openCheckpoint } from '../log/checkpoint.ts'
import { logEntryOf } from '../log/entry.ts'
import { type TileReader, consistencyProof, inclusionProof, treeRoot } from '../merkle/tiles.ts'
import { leafHash, verifyConsistency, verifyInclusion } from '../merkle/tree.ts'
import type { SignedKind } from '../statement.ts'
import type { Signed } from './signatures.ts'
import type { AuditSource } from './source.ts'
import { type Held, broken, untold } from './step.ts'
import { describeWitnesses, openTrustedCheckpoint, type Trust } from './trust.ts'

/** A log whose checkpoint is signed and whose tiles hash to its root. */
export interface VerifiedLog {
  checkpoint: Checkpoint
  tiles: TileReader
}

/** The newest checkpoint bears the signature of the log's key, and the cosignatures that the policy asks for. */
export async function checkpointLaw(source: AuditSource, trust: Trust): Promise<Held<Checkpoint>> {
  const witnessed = openTrustedCheckpoint(await source.checkpoint(), trust)
  const { checkpoint } = witnessed
  return {
    detail: `${checkpoint.origin} signed the state with ${checkpoint.size} entries${describeWitnesses(witnessed)}`,
    value: checkpoint,
  }
}

/** The tiles hash to the checkpoint's root, and the remembered checkpoint, if any, is a prefix. */
export async function consistencyLaw(
  source: AuditSource,
  trust: Trust,
  checkpoint: Checkpoint,
  remembered: Uint8Array | undefined,
): Promise<Held<VerifiedLog>> {
  const tiles = memoised({ readTile: (level, index, width) => source.logTile(level, index, width) })
  const { size, rootHash } = checkpoint
  if (!equalBytes(await treeRoot(tiles, size), rootHash)) broken(`the tiles for ${size} entries do not hash to the checkpoint's root`)
  const value = { checkpoint, tiles }
  if (remembered === undefined) return { detail: `${size} entries; no earlier checkpoint was remembered`, value }

  const old = openCheckpoint(remembered, trust.log)
  if (old.size > size) broken(`the log had ${old.size} entries before and shows ${size} now: it was rolled back or forked`)
  const proof = await consistencyProof(tiles, old.size, size)
  if (!verifyConsistency({ oldSize: old.size, oldRoot: old.rootHash, newSize: size, newRoot: rootHash, proof }))
    broken(`the ${old.size} entries that were seen before are not the first of the ${size} shown now: the log was rewritten or forked`)
  return { detail: `${size} entries, of which the first ${old.size} are those seen before`, value }
}

/** The log holds the pair of a document and its envelope. */
export async function loggedLaw(log: VerifiedLog, signed: Signed<SignedKind>): Promise<Held<number>> {
  const { kind, encoded, envelopeCid, logIndex } = signed
  const { size, rootHash } = log.checkpoint
  if (logIndex === null) untold(`the log has not taken this ${kind} yet; try again in a moment`)
  if (logIndex >= size)
    untold(`this ${kind} is said to be entry ${logIndex}, but the checkpoint covers ${size} entries; try again in a moment`)
  const entry = logEntryOf(kind, encoded, envelopeCid)
  const proof = await inclusionProof(log.tiles, logIndex, size)
  if (!verifyInclusion({ leafHash: leafHash(entry), index: logIndex, size, proof, rootHash }))
    broken(`entry ${logIndex} of the log is not this ${kind} with this signature`)
  return { detail: `entry ${logIndex} of ${size}`, value: logIndex }
}

/** Asks for each tile once. */
function memoised(reader: TileReader): TileReader {
  const known = new Map<string, Promise<Uint8Array>>()
  return {
    readTile(level, index, width) {
      const key = `${level}/${index}/${width}`
      const tile = known.get(key) ?? reader.readTile(level, index, width)
      known.set(key, tile)
      return tile
    },
  }
}

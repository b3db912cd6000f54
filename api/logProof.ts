/** Proofs out of the stored tiles of the log, against its newest checkpoint. */
import { encodeLogEntry } from '../core/log/entry.ts'
import { encodeProofFile } from '../core/log/proofFile.ts'
import { inclusionProof } from '../core/merkle/tiles.ts'
import { Problem } from '../core/problem.ts'
import { SignedKind } from '../core/statement.ts'
import type { Database } from '../store/database.ts'
import type { RecordedAttestation } from '../store/documents.ts'
import { readPublishedCheckpoint } from '../store/log.ts'
import { createLogTileReader } from '../store/logTileReader.ts'

/** The tlog-proof file of an attestation; its `extra` is the log entry. Throws `not-ready` until the log has it. */
export async function proofFileOf(db: Database, attestation: RecordedAttestation): Promise<Uint8Array> {
  const { logIndex, document, envelope, tree } = attestation
  const state = await readPublishedCheckpoint(db)
  if (logIndex === null || state === null || logIndex >= state.size)
    throw new Problem('not-ready', 'the log does not have it yet; ask again in a few seconds')
  return encodeProofFile({
    index: logIndex,
    proof: await inclusionProof(createLogTileReader(db), logIndex, state.size),
    checkpoint: state.checkpoint,
    extra: encodeLogEntry({ kind: SignedKind.parse(attestation.kind), document, envelope, ...(tree === undefined ? {} : { tree }) }),
  })
}

/** Whom an auditor believes. Everything else in an audit is arithmetic. */
import { z } from 'zod'
import { utf8ToBytes } from '../bytes.ts'
import { Did } from '../documents/common.ts'
import { parseVerificationKey } from '../log/note.ts'
import { openWitnessedCheckpoint, parsePolicy, type Policy, type WitnessedCheckpoint } from '../log/policy.ts'

export const Trust = z
  .strictObject({
    /** Verification key of the log, `name+keyid+base64` (https://c2sp.org/signed-note). */
    log: z.string().min(1).max(512),
    /** A policy (https://c2sp.org/tlog-policy) whose quorum of witnesses a checkpoint must have; absent: the log's signature is enough. */
    policy: z.string().max(1_048_576).optional(),
    /** Indexers whose indexes count; absent: whoever signed, by name in the step's detail. */
    indexers: z.array(Did).min(1).max(256).optional(),
    /** Verifiers whose reports count; absent: whoever signed, by name in the step's detail. */
    verifiers: z.array(Did).min(1).max(256).optional(),
  })
  .meta({ id: 'Trust' })
export type Trust = z.infer<typeof Trust>

/** What a checkpoint must bear. Throws `invalid-request` for a key or a policy that is none. */
export function checkpointPolicy({ log, policy }: Pick<Trust, 'log' | 'policy'>): Policy {
  const logs = [{ key: parseVerificationKey(log) }]
  return policy === undefined ? { logs, witnesses: [], quorum: null } : { ...parsePolicy(utf8ToBytes(policy)), logs }
}

/** Verifies a checkpoint from outside. Throws `invalid-document`, `invalid-signature` or `untrusted`. */
export function openTrustedCheckpoint(note: Uint8Array, trust: Pick<Trust, 'log' | 'policy'>): WitnessedCheckpoint {
  return openWitnessedCheckpoint(note, checkpointPolicy(trust))
}

/** Names of witnesses for the detail of a step; empty without any. */
export function describeWitnesses({ witnesses }: WitnessedCheckpoint): string {
  return witnesses.length === 0 ? '' : `, cosigned by ${witnesses.map(({ name }) => name).join(', ')}`
}

/**
 * The laws of an audit. Each step is one law about one subject; a law holds, does not hold, or cannot be told because something
 * that it needs did not answer or did not itself pass. The list is closed: an audit prints every law that concerns it.
 */
import { Problem, messageOf } from '../problem.ts'

/** Every step and its law, in the order in which an audit takes them. */
export const LAWS = {
  'run-signature': 'The run document has the CID that is audited and its author signed it.',
  'run-started': 'The run that was announced when it started is signed by the same author and consumed the same, in the same order.',
  'checkpoint-signature': 'The checkpoint is signed by the log that the auditor trusts.',
  'log-consistency': 'The tiles of the log hash to the checkpoint’s root, and the checkpoint remembered from before is a prefix of it.',
  'run-logged': 'The log has the run and its signature.',
  'selection-document': 'The selection and its bitmap have their CIDs and agree with each other.',
  'index-signature': 'The index has its CID and an indexer that the auditor trusts signed it.',
  'index-logged': 'The log has the index and its signature.',
  'report-signature': 'The report has its CID and a verifier that the auditor trusts signed it.',
  'report-logged': 'The log has the report and its signature.',
  'findings-table': 'The findings table has its CID and counts what the report says.',
  'selection-recomputed': 'The policy, applied to the findings anew, selects exactly these samples.',
  'sample-tree': 'The tiles of the sample tree have their CIDs and hash to the index’s root.',
  samples: 'Rows of randomly chosen batches, found by the run’s seed, hash to leaves of the sample tree.',
  'manifest-signature': 'The manifest has its CID and its author signed it.',
  'manifest-logged': 'The log has the manifest and its signature.',
  files: 'Every file of the manifest is whole: each block has its CID, each file its size and SHA-256.',
} as const

export type StepName = keyof typeof LAWS

export type StepStatus = 'passed' | 'failed' | 'unknown'

export interface AuditStep {
  name: StepName
  /** CID of the document, or origin of the log, that the law is about. */
  subject: string
  status: StepStatus
  /** What was seen, for a person. */
  detail: string
}

/** What a law gives when it holds: a sentence for the person and what later laws may rest on. */
export interface Held<T> {
  detail: string
  value: T
}

/** Says that a law does not hold. */
export function broken(detail: string): never {
  throw new Problem('untrusted', detail)
}

/** Says that a law cannot be told. */
export function untold(detail: string): never {
  throw new Problem('unavailable', detail)
}

/** Problems that leave the question open: nobody answered, or what is asked for is not there (yet, or from this source). */
const OPEN: ReadonlySet<string> = new Set(['unavailable', 'not-ready', 'not-found', 'block-missing'])

/**
 * Examines one law: yields its step and returns what the law establishes, or null where it does not hold or cannot be told.
 * A Problem is the answer of the law; anything else that is thrown is a fault of the auditor and passes through.
 */
export async function* examine<T>(
  name: StepName,
  subject: { toString(): string },
  law: () => Promise<Held<T>> | Held<T>,
): AsyncGenerator<AuditStep, T | null> {
  let held: Held<T>
  try {
    held = await law()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    yield { name, subject: subject.toString(), status: OPEN.has(error.code) ? 'unknown' : 'failed', detail: messageOf(error) }
    return null
  }
  yield { name, subject: subject.toString(), status: 'passed', detail: held.detail }
  return held.value
}

/** A law that rests on one that did not pass. */
export function blocked(name: StepName, subject: { toString(): string }, by: StepName): AuditStep {
  return { name, subject: subject.toString(), status: 'unknown', detail: `not examined: it rests on ${by}, which did not pass` }
}

/** `passed` when all laws hold, `failed` when one does not, `unknown` otherwise. */
export function conclude(steps: Iterable<AuditStep>): StepStatus {
  let conclusion: StepStatus = 'passed'
  for (const { status } of steps) {
    if (status === 'failed') return 'failed'
    if (status === 'unknown') conclusion = 'unknown'
  }
  return conclusion
}

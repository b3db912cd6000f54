/**
 * Audits a training run: from the rows of its batches back to the files, their author's signature and the public log. Pure: the
 * evidence comes from an AuditSource and is believed only where it follows from the trust that the auditor hands in.
 */
import { filesLaw, type StreamingSha256 } from './audit/files.ts'
import { type VerifiedLog, checkpointLaw, consistencyLaw, loggedLaw } from './audit/log.ts'
import { sampleTreeLaw, samplesLaw } from './audit/samples.ts'
import { type Reported, type Selected, findingsLaw, recomputedLaw, selectionLaw } from './audit/selections.ts'
import { type Signed, signatureLaw, startedLaw } from './audit/signatures.ts'
import { type AuditSource, verifiedBlocks } from './audit/source.ts'
import { type AuditStep, type StepName, blocked, examine } from './audit/step.ts'
import type { Trust } from './audit/trust.ts'
import type { CID } from './cid.ts'
import { type Sha256, sha256 } from './hash.ts'
import type { TileReader } from './merkle/tiles.ts'
import type { SignedKind } from './statement.ts'
import type { GetBlock } from './unixfs/node.ts'

export interface AuditOptions {
  run: CID
  /** How many rows of the run's batches to check, shared among what it consumed; at least one of each. */
  samples: number
  /** A uniformly random integer in [0, below): the auditor's own dice, so that nobody knows beforehand which rows are asked for. */
  random: (below: number) => number
  /** The newest checkpoint of this log that the auditor has seen, a signed note. */
  remembered?: Uint8Array
  /** The platform's native hashes, where it has them. */
  hash?: Sha256
  createSha256?: () => StreamingSha256
}

/** What all parts of one audit share. */
interface Audit {
  source: AuditSource
  trust: Trust
  options: AuditOptions
  getBlock: GetBlock
}

type Steps<T> = AsyncGenerator<AuditStep, T>

/** An index that is signed, and its sample tree where that holds. */
interface AuditedIndex {
  index: Signed<'index'>
  tree: TileReader | null
}

/**
 * Yields each step as it is decided, in the order of LAWS for each subject. A step that rests on one that did not pass is `unknown`.
 * Throws only what is a fault of the auditor or of the source, never for what the evidence says.
 */
export async function* auditRun(source: AuditSource, trust: Trust, options: AuditOptions): AsyncGenerator<AuditStep, void> {
  const audit: Audit = { source, trust, options, getBlock: verifiedBlocks((cid) => source.block(cid), options.hash ?? sha256) }
  const run = yield* examine('run-signature', options.run, () => signatureLaw(source, 'run', options.run))
  const started = yield* auditStart(audit, run)
  const log = yield* auditLog(audit)
  yield* auditLogged('run-logged', log, 'run-signature', run, options.run)
  if (started !== null) yield* auditLogged('run-logged', log, 'run-started', started, started.encoded.cid)
  if (run === null) {
    for (const name of REST_OF_RUN) yield blocked(name, options.run, 'run-signature')
    return
  }
  yield* auditConsumed(audit, log, run)
}

const REST_OF_RUN = [
  'selection-document',
  'index-signature',
  'index-logged',
  'report-signature',
  'report-logged',
  'findings-table',
  'selection-recomputed',
  'sample-tree',
  'samples',
  'manifest-signature',
  'manifest-logged',
  'files',
] as const satisfies readonly StepName[]

const REST_OF_SELECTION = REST_OF_RUN.slice(1)

async function* auditStart({ source }: Audit, run: Signed<'run'> | null): Steps<Signed<'run'> | null> {
  if (run === null || run.encoded.document.status === 'started') return null
  return yield* examine('run-started', run.encoded.document.previous ?? run.encoded.cid, () => startedLaw(source, run))
}

async function* auditLog({ source, trust, options }: Audit): Steps<VerifiedLog | null> {
  const origin = trust.log.split('+', 1)[0]!
  const checkpoint = yield* examine('checkpoint-signature', origin, () => checkpointLaw(source, trust))
  if (checkpoint === null) {
    yield blocked('log-consistency', origin, 'checkpoint-signature')
    return null
  }
  return yield* examine('log-consistency', origin, () => consistencyLaw(source, trust, checkpoint, options.remembered))
}

async function* auditLogged(
  name: StepName,
  log: VerifiedLog | null,
  signature: StepName,
  signed: Signed<SignedKind> | null,
  cid: CID,
): Steps<void> {
  if (signed === null) yield blocked(name, cid, signature)
  else if (log === null) yield blocked(name, cid, 'log-consistency')
  else yield* examine(name, cid, () => loggedLaw(log, signed))
}

/** Everything that the run consumed; what two consumptions share is audited once. */
async function* auditConsumed(audit: Audit, log: VerifiedLog | null, run: Signed<'run'>): Steps<void> {
  const { consumed } = run.encoded.document
  const rows = Math.max(1, Math.ceil(audit.options.samples / consumed.length))
  const selections = new Map<string, { selected: Selected; audited: AuditedIndex | null } | null>()
  const indexes = new Map<string, AuditedIndex | null>()
  const reports = new Map<string, Reported | null>()
  for (const consumption of consumed) {
    const key = consumption.selection.toString()
    if (!selections.has(key)) selections.set(key, yield* auditSelection(audit, log, consumption.selection, indexes, reports))
    const selection = selections.get(key) ?? null
    if (selection === null) continue
    const { selected, audited } = selection
    if (audited === null) {
      yield blocked('samples', consumption.selection, 'index-signature')
    } else if (audited.tree === null) {
      yield blocked('samples', consumption.selection, 'sample-tree')
    } else {
      const check = { consumption, selected, index: audited.index, tree: audited.tree, rows, random: audit.options.random }
      yield* examine('samples', consumption.selection, () => samplesLaw(audit.source, check))
    }
  }
}

async function* auditSelection(
  audit: Audit,
  log: VerifiedLog | null,
  cid: CID,
  indexes: Map<string, AuditedIndex | null>,
  reports: Map<string, Reported | null>,
): Steps<{ selected: Selected; audited: AuditedIndex | null } | null> {
  const selected = yield* examine('selection-document', cid, () => selectionLaw(audit.source, audit.getBlock, cid))
  if (selected === null) {
    for (const name of REST_OF_SELECTION) yield blocked(name, cid, 'selection-document')
    return null
  }
  const { index: indexCid, reports: reportCids } = selected.encoded.document
  const indexKey = indexCid.toString()
  if (!indexes.has(indexKey)) indexes.set(indexKey, yield* auditIndex(audit, log, indexCid))
  const audited = indexes.get(indexKey) ?? null

  const reported: Reported[] = []
  for (const report of reportCids) {
    const key = report.toString()
    if (!reports.has(key)) reports.set(key, yield* auditReport(audit, log, report))
    const held = reports.get(key) ?? null
    if (held !== null) reported.push(held)
  }
  if (audited === null) yield blocked('selection-recomputed', cid, 'index-signature')
  else if (reported.length < reportCids.length) yield blocked('selection-recomputed', cid, 'findings-table')
  else yield* examine('selection-recomputed', cid, () => recomputedLaw(selected, audited.index, reported))
  return { selected, audited }
}

/** An index, its tree, and the manifest and files that it was made from. */
async function* auditIndex(audit: Audit, log: VerifiedLog | null, cid: CID): Steps<AuditedIndex | null> {
  const { source, trust, getBlock } = audit
  const index = yield* examine('index-signature', cid, () => signatureLaw(source, 'index', cid, trust.indexers))
  yield* auditLogged('index-logged', log, 'index-signature', index, cid)
  if (index === null) {
    for (const name of ['sample-tree', 'manifest-signature', 'manifest-logged', 'files'] as const)
      yield blocked(name, cid, 'index-signature')
    return null
  }
  const tree = yield* examine('sample-tree', cid, () => sampleTreeLaw(getBlock, index))
  yield* auditManifest(audit, log, index.encoded.document.manifest)
  return { index, tree }
}

async function* auditReport({ source, trust, getBlock }: Audit, log: VerifiedLog | null, cid: CID): Steps<Reported | null> {
  const report = yield* examine('report-signature', cid, () => signatureLaw(source, 'report', cid, trust.verifiers))
  yield* auditLogged('report-logged', log, 'report-signature', report, cid)
  if (report === null) {
    yield blocked('findings-table', cid, 'report-signature')
    return null
  }
  return yield* examine('findings-table', report.encoded.document.findings, () => findingsLaw(getBlock, report))
}

async function* auditManifest({ source, getBlock, options }: Audit, log: VerifiedLog | null, cid: CID): Steps<void> {
  const manifest = yield* examine('manifest-signature', cid, () => signatureLaw(source, 'manifest', cid))
  yield* auditLogged('manifest-logged', log, 'manifest-signature', manifest, cid)
  if (manifest === null) yield blocked('files', cid, 'manifest-signature')
  else yield* examine('files', manifest.encoded.document.root, () => filesLaw(getBlock, manifest, options.createSha256))
}

/** What a registry has acknowledged to its clients, and the check that it keeps all of it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { CID } from '../../core/cid.ts'
import { type Encoded, encodeDocument } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { bytesToHex } from '../../core/bytes.ts'
import { parseLogEntry } from '../../core/log/entry.ts'
import { treeRoot } from '../../core/merkle/tiles.ts'
import { buildIndex } from '../../indexer/buildIndex.ts'
import type { Blocks } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'
import { attestationsOf, loadDocument } from '../../store/documents.ts'
import { findFiles } from '../../store/files.ts'
import { readLogEntries } from '../../store/log.ts'
import { createLogTileReader } from '../../store/logTileReader.ts'
import { reportsOf } from '../../store/versions.ts'
import { buildReport } from '../../verifier/buildReport.ts'
import { checkLog } from '../../verifier/sequencer/checkLog.ts'
import type { EmbeddingSource } from '../../verifier/shards/storedEmbeddings.ts'

export interface Acknowledged {
  /** Files whose upload was acknowledged, by CID. */
  uploads: Map<string, { sizeBytes: number; sha256: string }>
  /** Versions whose publication was acknowledged, by the CID of their manifest. */
  versions: Map<string, { name: string; number: number }>
  /** The newest checkpoint that was seen. */
  checkpoint: { size: number; rootHash: Uint8Array } | null
}

export function createAcknowledged(): Acknowledged {
  return { uploads: new Map(), versions: new Map(), checkpoint: null }
}

export interface Registry {
  db: Database
  blocks: Blocks
  logVkey: string
}

/** At any moment: whatever was acknowledged is there and whole, whatever can be seen is complete, and the log has only grown. */
export async function assertKept(acknowledged: Acknowledged, registry: Registry): Promise<void> {
  await assertUploadsKept(acknowledged, registry)
  await assertVersionsKept(acknowledged, registry)
  await assertNothingHalfVisible(registry)
  await assertLogKept(acknowledged, registry)
}

async function assertUploadsKept({ uploads }: Acknowledged, { db, blocks }: Registry): Promise<void> {
  const rows = await findFiles(db, [...uploads.keys()].map(parse))
  for (const [cid, file] of uploads) {
    const row = rows.get(cid)
    assert.deepEqual({ cid, sizeBytes: row?.sizeBytes, sha256: row?.sha256 }, { cid, ...file })
    assert.deepEqual(await hashBlocks(blocks, parse(cid)), file)
  }
}

/** Size and digest of a file as its blocks give them, each verified against its CID. */
async function hashBlocks(blocks: Blocks, cid: CID): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const bytes of blocks.readFile(cid)) {
    hash.update(bytes)
    sizeBytes += bytes.length
  }
  return { sizeBytes, sha256: hash.digest('hex') }
}

async function assertVersionsKept({ versions, uploads }: Acknowledged, { db, blocks }: Registry): Promise<void> {
  const rows = await db.selectFrom('versions').select(['manifest_cid', 'number']).execute()
  const numbers = new Map(rows.map((row) => [row.manifest_cid, row.number]))
  for (const [manifest, { name, number }] of versions) {
    assert.equal(numbers.get(manifest), number, `${name}@${number} was acknowledged`)
    const { document } = await loadDocument(blocks, 'manifest', parse(manifest))
    assert.equal(document.name, name)
    assert.equal(await blocks.isPinned(document.root), true)
    for (const { cid, sizeBytes, sha256 } of document.files) uploads.set(cid.toString(), { sizeBytes, sha256 })
  }
}

/** An index or report that is recorded belongs to a version that says so, and all that it links to is here and whole. */
async function assertNothingHalfVisible({ db, blocks }: Registry): Promise<void> {
  const { versions, reports, documents } = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => ({
      versions: await trx.selectFrom('versions').select(['manifest_cid', 'state', 'index_cid']).execute(),
      reports: await trx.selectFrom('reports').select(['report_cid', 'manifest_cid']).execute(),
      documents: await trx.selectFrom('documents').select(['cid', 'kind']).execute(),
    }))
  const recorded = (kind: string) => documents.filter((row) => row.kind === kind).map(({ cid }) => cid)
  const indices = versions.flatMap(({ index_cid }) => index_cid ?? [])
  assert.deepEqual(recorded('index').sort(), indices.toSorted())
  assert.deepEqual(recorded('report').sort(), reports.map(({ report_cid }) => report_cid).sort())
  const reported = new Set(reports.map(({ manifest_cid }) => manifest_cid))
  for (const { manifest_cid, state, index_cid } of versions) {
    assert.equal(index_cid !== null, state === 'indexed' || state === 'verified', `${manifest_cid} is ${state}`)
    assert.equal(reported.has(manifest_cid), state === 'verified', `${manifest_cid} is ${state}`)
  }
  for (const cid of indices) {
    const { document } = await loadDocument(blocks, 'index', parse(cid))
    for (const artifact of artifactsOf(document)) await hashBlocks(blocks, artifact)
  }
}

function artifactsOf({ shards, tree, digestTable }: SampleIndex): CID[] {
  return [...shards.map(({ cid }) => cid), ...tree.levels, digestTable]
}

/** The log's parts agree, and it continues the newest checkpoint that was seen before. */
async function assertLogKept(acknowledged: Acknowledged, { db, logVkey }: Registry): Promise<void> {
  const checked = await checkLog(db, logVkey)
  const before = acknowledged.checkpoint
  if (before !== null) {
    assert.ok(checked.size >= before.size, `the log had ${before.size} entries and now has ${checked.size}`)
    if (before.size > 0)
      assert.equal(bytesToHex(await treeRoot(createLogTileReader(db), before.size)), bytesToHex(before.rootHash), 'the log has forked')
  }
  acknowledged.checkpoint = checked
}

/** What is expected of a version in the end. */
export interface Expected {
  rows: number
  hiddenRows: number
  /** Why it must fail; null if it must be verified. */
  defect: RegExp | null
}

export interface EndOptions {
  /** So many reports are made again, from the same embeddings. */
  rebuiltReports: number
  /** The embeddings that are kept of an index; absent where there is no model. */
  embeddingsOf?: (index: CID) => EmbeddingSource
}

/**
 * At the end: each version was indexed, verified and logged once, or failed with its reason, no job is left or was put aside, and what
 * was made under these conditions is what is made in peace.
 */
export async function assertDoneOnce(
  expected: ReadonlyMap<string, Expected>,
  { db, blocks, embeddingsOf, rebuiltReports }: Omit<Registry, 'logVkey'> & EndOptions,
): Promise<void> {
  const versions = await db
    .selectFrom('versions')
    .innerJoin('datasets', 'datasets.id', 'versions.dataset_id')
    .selectAll('versions')
    .select(['namespace', 'name'])
    .execute()
  let verified = 0
  let failed = 0
  for (const version of versions) {
    const name = `${version.namespace}/${version.name}`
    const { rows, hiddenRows, defect } = expected.get(name)!
    if (defect !== null) {
      assert.deepEqual([name, version.state, version.index_cid], [name, 'failed', null])
      assert.match(version.failure!, defect)
      failed++
      continue
    }
    assert.deepEqual([name, version.state, version.failure], [name, 'verified', null])
    const manifest = await loadDocument(blocks, 'manifest', parse(version.manifest_cid))
    const index = encodeDocument('index', await buildIndex({ blocks, hash: blocks.hash, manifest, signal: NEVER }), blocks.hash)
    assert.deepEqual([name, version.index_cid, index.document.sampleCount], [name, index.cid.toString(), rows])
    for (const artifact of artifactsOf(index.document))
      assert.equal(await blocks.isPinned(artifact), true, `an artifact of ${name} is pinned`)
    const reports = await reportsOf(db, index.cid)
    assert.equal(reports.length, 1, `reports of ${name}`)
    const { document: report } = await loadDocument(blocks, 'report', reports[0]!.report)
    assert.equal(report.detectors.find(({ id }) => id === 'hidden_content')?.flaggedSamples, hiddenRows)
    if (verified++ < rebuiltReports) {
      const again = await rebuildReport(blocks, index, manifest.document, report.recipe, embeddingsOf?.(index.cid))
      assert.equal(again.toString(), reports[0]!.report.toString())
    }
  }
  await assertJobsDone(db, { index: verified + failed, verify: verified })
  await assertLoggedOnce(db, { manifest: verified + failed, index: verified, report: verified })
}

const NEVER = new AbortController().signal

async function rebuildReport(
  blocks: Blocks,
  index: Encoded<SampleIndex>,
  manifest: Manifest,
  recipeCid: CID,
  embedder: EmbeddingSource | undefined,
): Promise<CID> {
  const recipe = await loadDocument(blocks, 'recipe', recipeCid)
  const report = await buildReport({ blocks, index, manifest, recipe, embedder, signal: NEVER, onProgress: () => undefined })
  return encodeDocument('report', report, blocks.hash).cid
}

/** Whether every report has its export. */
export async function isExported(db: Database): Promise<boolean> {
  const missing = await db
    .selectFrom('reports')
    .leftJoin('exports', 'exports.subject_cid', 'reports.report_cid')
    .select('reports.report_cid')
    .where('exports.commit_id', 'is', null)
    .limit(1)
    .execute()
  return missing.length === 0
}

/** No job is left or was put aside, none went wrong, and there is one for each index, each report and each export. */
async function assertJobsDone(db: Database, expected: Record<'index' | 'verify', number>): Promise<void> {
  const jobs = await db.selectFrom('jobs').select(['kind', 'key', 'state', 'faults', 'error']).execute()
  assert.deepEqual(
    jobs.filter(({ state, faults }) => state !== 'done' || faults > 0),
    [],
  )
  const { index, verify, export: exported } = countsOf(jobs)
  assert.deepEqual({ index, verify, exported }, { ...expected, exported: expected.verify })
}

/** Each document has one entry for each of its authors, and nothing waits for one. */
async function assertLoggedOnce(db: Database, expected: Record<'manifest' | 'index' | 'report', number>): Promise<void> {
  const entries = (await readLogEntries(db, 0, Number.MAX_SAFE_INTEGER)).map(parseLogEntry)
  assert.deepEqual(countsOf(entries), expected)
  const authored: string[] = []
  for (const { document, envelope } of entries) {
    const attestation = (await attestationsOf(db, document)).find((one) => one.envelope.equals(envelope))
    authored.push(`${document.toString()} by ${attestation?.author}`)
  }
  assert.equal(new Set(authored).size, entries.length, 'a document has two entries of one author')
  const { attestations } = await db
    .selectFrom('attestations')
    .select((row) => row.fn.countAll<number>().as('attestations'))
    .executeTakeFirstOrThrow()
  assert.equal(attestations, entries.length)
}

function countsOf(things: readonly { kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind } of things) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

function parse(cid: string): CID {
  return CID.parse(cid)
}

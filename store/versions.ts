/**
 * Data sets, their versions and the states of these. A version's state only ever moves forward:
 * pinned → indexed → verified, or pinned → failed. "indexing" is not stored: it is what a pinned version is while a worker holds its job.
 */
import { type Kysely, sql } from 'kysely'
import { hexToBytes } from '../core/bytes.ts'
import { CID, CODEC_DAG_JSON, cidFromDigest, isCid } from '../core/cid.ts'
import type { Encoded } from '../core/documents/document.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import type { Report } from '../core/documents/report.ts'
import { DIGEST_LENGTH } from '../core/hash.ts'
import { Problem } from '../core/problem.ts'
import type { Database } from './database.ts'
import { type Attestation, saveAttested } from './documents.ts'
import type { JobKind, Progress } from './jobs.ts'
import type { Tables } from './tables.ts'

export type VersionState = 'pinned' | 'indexing' | 'indexed' | 'verified' | 'failed'

export interface VersionRow {
  /** `namespace/name` as its first publisher wrote it. */
  dataset: string
  /** did:key of the data set's owner. */
  owner: string
  number: number
  manifest: CID
  state: VersionState
  /** Why it failed; null unless it did. */
  failure: string | null
  index: CID | null
  createdAt: Date
  /** What a worker does for this version right now; null when none does. */
  progress: (Progress & { job: JobKind }) | null
}

export interface DatasetRow {
  dataset: string
  owner: string
  createdAt: Date
  latest: VersionRow
}

export interface ReportRow {
  report: CID
  index: CID
  manifest: CID
  recipe: CID
  verdict: Report['verdict']
}

/** Two names that differ only in case or in Unicode's compatibility forms are the same name. A name from outside may hold anything. */
export function nameKey(name: string): string {
  // Postgres takes no NUL in a text; no name has one, nor what stands for it.
  return name.normalize('NFKC').toLowerCase().replaceAll('\0', '\uFFFD')
}

/**
 * Makes the next version of a data set, with its attestation, in one transaction; its blocks must be pinned already. The first publisher of
 * a namespace owns it. Publishing the same manifest again gives the version that it made before.
 * Throws `forbidden` for another owner's namespace and `conflict` when `previous` is not the newest version.
 */
export async function createVersion(
  db: Database,
  manifest: Encoded<Manifest>,
  attestation: Attestation,
): Promise<{ version: VersionRow; created: boolean }> {
  const created = await db.transaction().execute(async (trx) => {
    const dataset = await lockDataset(trx, manifest.document)
    const head = await trx
      .selectFrom('versions')
      .select(['manifest_cid', 'number'])
      .where('dataset_id', '=', dataset.id)
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst()
    const again = await trx.selectFrom('versions').select('number').where('manifest_cid', '=', manifest.cid.toString()).executeTakeFirst()
    if (again !== undefined) return false
    checkPrevious(manifest.document, head)
    await saveAttested(trx, attestation)
    await trx
      .insertInto('versions')
      .values({
        manifest_cid: manifest.cid.toString(),
        dataset_id: dataset.id,
        number: (head?.number ?? 0) + 1,
        state: 'pinned',
        failure: null,
        index_cid: null,
      })
      .execute()
    return true
  })
  return { version: await versionOf(db, manifest.cid), created }
}

/** Finds or makes the data set and locks its row, so that versions of one data set are made one after another. */
async function lockDataset(trx: Database, manifest: Manifest): Promise<{ id: number }> {
  const [namespace, name] = manifest.name.split('/') as [string, string] // DatasetName has exactly one slash
  await trx
    .insertInto('namespaces')
    .values({ key: nameKey(namespace), owner: manifest.author })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { owner } = await trx.selectFrom('namespaces').select('owner').where('key', '=', nameKey(namespace)).executeTakeFirstOrThrow()
  if (owner !== manifest.author)
    throw new Problem('forbidden', `the namespace "${namespace}" belongs to ${owner}; publish under one of your own`)
  await trx
    .insertInto('datasets')
    .values({ key: nameKey(manifest.name), namespace, name, owner: manifest.author })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return trx.selectFrom('datasets').select('id').where('key', '=', nameKey(manifest.name)).forUpdate().executeTakeFirstOrThrow()
}

function checkPrevious(manifest: Manifest, head: { manifest_cid: string; number: number } | undefined): void {
  const previous = manifest.previous?.toString()
  if (previous === head?.manifest_cid) return
  if (head === undefined) throw new Problem('conflict', `${manifest.name} has no version yet; leave "previous" out`)
  throw new Problem(
    'conflict',
    `the newest version of ${manifest.name} is ${manifest.name}@${head.number}; set "previous" to its manifest ${head.manifest_cid}`,
  )
}

/** The version that a manifest made. Throws `not-found`. */
export async function versionOf(db: Database, manifest: CID): Promise<VersionRow> {
  const row = await selectVersions(db).where('versions.manifest_cid', '=', manifest.toString()).executeTakeFirst()
  if (row === undefined) throw new Problem('not-found', `no version has the manifest ${manifest.toString()}`)
  return toVersion(row)
}

/** A version by `ns/name` (the newest), `ns/name@3` or the CID of its manifest or index. Throws `not-found` or `invalid-request`. */
export async function resolveRef(db: Database, ref: string): Promise<VersionRow> {
  const query = selectVersions(db)
  if (isCid(ref)) {
    const row = await query
      .where((where) => where.or([where('versions.manifest_cid', '=', ref), where('versions.index_cid', '=', ref)]))
      .executeTakeFirst()
    if (row === undefined) throw new Problem('not-found', `no version has the manifest or index ${ref}`)
    return toVersion(row)
  }
  const match = /^([^/@]+\/[^/@]+)(?:@([1-9][0-9]{0,8}))?$/.exec(ref)
  if (match === null)
    throw new Problem('invalid-request', `"${ref.slice(0, 256)}" names no version; give namespace/name, namespace/name@number or a CID`)
  const named = query.where('datasets.key', '=', nameKey(match[1]!))
  const row = await (match[2] === undefined ? named : named.where('versions.number', '=', Number(match[2])))
    .orderBy('versions.number', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) throw new Problem('not-found', `there is no version ${ref} here`)
  return toVersion(row)
}

/** The version of a data set whose manifest's SHA-256 begins with these 40 hexadecimal digits; null where there is none. */
export async function versionByDigestPrefix(db: Database, dataset: string, prefix: string): Promise<VersionRow | null> {
  const digest = new Uint8Array(DIGEST_LENGTH)
  digest.set(hexToBytes(prefix))
  // 5 bytes stand before the digest in a DAG-JSON CID: with 20 of the digest they fill 40 letters of base32 exactly, after the `b`.
  const text = cidFromDigest(CODEC_DAG_JSON, digest).toString().slice(0, 41)
  const row = await selectVersions(db)
    .where('datasets.key', '=', nameKey(dataset))
    .where('versions.manifest_cid', 'like', `${text}%`)
    .executeTakeFirst()
  return row === undefined ? null : toVersion(row)
}

/** All versions of a data set, newest first. Throws `not-found`. */
export async function listVersions(db: Database, dataset: string): Promise<VersionRow[]> {
  const rows = await selectVersions(db).where('datasets.key', '=', nameKey(dataset)).orderBy('versions.number', 'desc').execute()
  if (rows.length === 0) throw new Problem('not-found', `there is no data set ${dataset} here`)
  return rows.map(toVersion)
}

/** Every version that has an index, oldest first. */
export async function indexedVersions(db: Database): Promise<(VersionRow & { index: CID })[]> {
  const rows = await selectVersions(db)
    .where('versions.index_cid', 'is not', null)
    .orderBy('versions.created_at')
    .orderBy('versions.manifest_cid')
    .execute()
  return rows.map(toVersion).filter((version): version is VersionRow & { index: CID } => version.index !== null)
}

/** The owner of a namespace; null while nobody has published under it. */
export async function namespaceOwner(db: Database, namespace: string): Promise<string | null> {
  const row = await db.selectFrom('namespaces').select('owner').where('key', '=', nameKey(namespace)).executeTakeFirst()
  return row?.owner ?? null
}

/** The namespaces of an account, oldest first, as their first publishers wrote them. */
export async function namespacesOf(db: Database, owner: string): Promise<string[]> {
  const rows = await db
    .selectFrom('datasets')
    .innerJoin('namespaces', (join) => join.on('namespaces.key', '=', sql<string>`split_part(datasets.key, '/', 1)`))
    .select(sql<string>`(array_agg(datasets.namespace order by datasets.id))[1]`.as('namespace'))
    .where('namespaces.owner', '=', owner)
    .groupBy('namespaces.key')
    .orderBy(sql`min(datasets.id)`)
    .execute()
  return rows.map((row) => row.namespace)
}

/** Data sets in the order of their names, each with its newest version. `after` is the last name of the page before. */
export async function listDatasets(
  db: Database,
  { query, after, limit }: { query?: string; after?: string; limit: number },
): Promise<DatasetRow[]> {
  let page = db
    .selectFrom('datasets')
    .selectAll()
    .orderBy(sql`key collate "C"`)
    .limit(limit)
  if (query !== undefined) page = page.where(sql<boolean>`strpos(key, ${nameKey(query)}) > 0`)
  if (after !== undefined) page = page.where(sql<boolean>`key collate "C" > ${nameKey(after)}`)
  const datasets = await page.execute()
  if (datasets.length === 0) return []
  const newest = await selectVersions(db)
    .where(
      'versions.dataset_id',
      'in',
      datasets.map((row) => row.id),
    )
    .distinctOn('versions.dataset_id')
    .orderBy('versions.dataset_id')
    .orderBy('versions.number', 'desc')
    .execute()
  const latestOf = new Map(newest.map((row) => [row.dataset_id, toVersion(row)]))
  return datasets.flatMap((row) => {
    const latest = latestOf.get(row.id)
    return latest === undefined ? [] : [{ dataset: latest.dataset, owner: row.owner, createdAt: row.created_at, latest }]
  })
}

/**
 * pinned → indexed, with the index's attestation, in one transaction; a version that is no longer pinned stays as it is. The index's blocks
 * must be pinned already.
 */
export async function completeIndex(db: Database, manifest: CID, attestation: Attestation): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const result = await trx
      .updateTable('versions')
      .set({ state: 'indexed', index_cid: attestation.document.toString() })
      .where('manifest_cid', '=', manifest.toString())
      .where('state', '=', 'pinned')
      .executeTakeFirst()
    if (result.numUpdatedRows === 1n) await saveAttested(trx, attestation)
  })
}

/** pinned → failed, with the reason for the contributor. Nothing of the version is visible but its manifest and the reason. */
export async function failVersion(db: Database, manifest: CID, reason: string): Promise<void> {
  await db
    .updateTable('versions')
    .set({ state: 'failed', failure: reason })
    .where('manifest_cid', '=', manifest.toString())
    .where('state', '=', 'pinned')
    .execute()
}

/**
 * indexed → verified, with the report and its attestation, in one transaction. A verifier's first report on an index under a recipe stands:
 * a second one, by a worker that only seemed dead, changes nothing. The report's blocks must be pinned already.
 */
export async function completeReport(db: Database, report: Encoded<Report>, attestation: Attestation): Promise<void> {
  const index = report.document.index.toString()
  const recipe = report.document.recipe.toString()
  await db.transaction().execute(async (trx) => {
    const version = await trx.selectFrom('versions').select('manifest_cid').where('index_cid', '=', index).forUpdate().executeTakeFirst()
    if (version === undefined) throw new Problem('not-found', `no version has the index ${index}`)
    const first = await trx
      .selectFrom('reports')
      .innerJoin('attestations', 'attestations.document_cid', 'reports.report_cid')
      .select('reports.report_cid')
      .where('reports.index_cid', '=', index)
      .where('reports.recipe_cid', '=', recipe)
      .where('attestations.author', '=', attestation.author)
      .executeTakeFirst()
    if (first !== undefined) return
    await saveAttested(trx, attestation)
    await trx
      .insertInto('reports')
      .values({
        report_cid: report.cid.toString(),
        index_cid: index,
        manifest_cid: version.manifest_cid,
        recipe_cid: recipe,
        verdict: report.document.verdict,
      })
      .onConflict((conflict) => conflict.column('report_cid').doNothing())
      .execute()
    await trx.updateTable('versions').set({ state: 'verified' }).where('index_cid', '=', index).where('state', '=', 'indexed').execute()
  })
}

/** The reports of an index, oldest first. */
export async function reportsOf(db: Database, index: CID): Promise<ReportRow[]> {
  const rows = await db
    .selectFrom('reports')
    .selectAll()
    .where('index_cid', '=', index.toString())
    .orderBy('created_at')
    .orderBy('report_cid')
    .execute()
  return rows.map(toReport)
}

/** One report. Throws `not-found`. */
export async function reportOf(db: Database, report: CID): Promise<ReportRow> {
  const row = await db.selectFrom('reports').selectAll().where('report_cid', '=', report.toString()).executeTakeFirst()
  if (row === undefined) throw new Problem('not-found', `there is no report ${report.toString()} here`)
  return toReport(row)
}

function toReport(row: {
  report_cid: string
  index_cid: string
  manifest_cid: string
  recipe_cid: string
  verdict: Report['verdict']
}): ReportRow {
  return {
    report: CID.parse(row.report_cid),
    index: CID.parse(row.index_cid),
    manifest: CID.parse(row.manifest_cid),
    recipe: CID.parse(row.recipe_cid),
    verdict: row.verdict,
  }
}

/** A version with its data set and the job that a worker holds for it now: of several the one that has come furthest. */
function selectVersions(db: Kysely<Tables>) {
  return db
    .selectFrom('versions')
    .innerJoin('datasets', 'datasets.id', 'versions.dataset_id')
    .leftJoinLateral(
      (from) =>
        from
          .selectFrom('jobs')
          .select(['kind', 'progress'])
          .where('state', '=', 'running')
          .whereRef('subject', 'in', sql`(versions.manifest_cid, versions.index_cid)`)
          .orderBy(sql`(progress ->> 'done')::float8 desc nulls last, id`)
          .limit(1)
          .as('running'),
      (join) => join.onTrue(),
    )
    .select([
      'versions.dataset_id',
      'versions.manifest_cid',
      'versions.number',
      'versions.state',
      'versions.failure',
      'versions.index_cid',
      'versions.created_at',
      'datasets.namespace',
      'datasets.name',
      'datasets.owner',
      'running.kind as job_kind',
      'running.progress as job_progress',
    ])
}

type SelectedVersion = Awaited<ReturnType<ReturnType<typeof selectVersions>['execute']>>[number]

function toVersion(row: SelectedVersion): VersionRow {
  const indexing = row.state === 'pinned' && row.job_kind === 'index'
  return {
    dataset: `${row.namespace}/${row.name}`,
    owner: row.owner,
    number: row.number,
    manifest: CID.parse(row.manifest_cid),
    state: indexing ? 'indexing' : row.state,
    failure: row.failure,
    index: row.index_cid === null ? null : CID.parse(row.index_cid),
    createdAt: row.created_at,
    progress: row.job_kind === null || row.job_progress === null ? null : { job: row.job_kind, ...row.job_progress },
  }
}

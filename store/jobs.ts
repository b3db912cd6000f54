/**
 * Work for indexers and verifiers. What is to be done is computed from state: `missingJobs` lists the versions without an index and the
 * indices without a report under the recipe; the table `jobs` only records who is at it and how often it went wrong. So a lost row, a
 * worker killed at any point or a new recipe need no repair: the next look at the state brings the job back. Doing a job twice does no harm.
 *
 * A worker holds a job by a lease that it keeps extending. When it dies the lease runs out and another takes the job. When it only
 * seemed dead, its own completion finds that it is no longer the holder and changes nothing; what it wrote was the same bytes anyway.
 */
import { sql } from 'kysely'
import { CID } from '../core/cid.ts'
import { messageOf } from '../core/problem.ts'
import type { Database } from './database.ts'

/** `index`: subject is a manifest, key its CID. `verify`: subject is an index, key `<index CID>/<recipe CID>`. */
export type JobKind = 'index' | 'verify'

export interface Job {
  id: number
  kind: JobKind
  key: string
  subject: CID
  /** How many times it was claimed, this time included. */
  attempts: number
}

export interface Progress {
  /** What is being done, for a person: `reading rows`. */
  stage: string
  done: number
  /** Null while it is unknown. */
  total: number | null
}

/** Does one job. Must be idempotent, and stop soon when `signal` aborts (the lease is lost or the process ends). */
export type JobHandler = (job: Job, context: { signal: AbortSignal; progress: (progress: Progress) => void }) => Promise<void>

export interface MissingJob {
  kind: JobKind
  key: string
  subject: CID
}

/** Notified whenever a transaction may have made work. */
export const JOB_CHANNEL = 'assay_jobs'

/** A job that went wrong this often is put aside until a person looks at it. */
export const MAX_ATTEMPTS = 8

const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 5 * 60_000

/** What is to be done, oldest version first. */
export async function missingJobs(db: Database, { recipe }: { recipe: CID | null }): Promise<MissingJob[]> {
  const unindexed = await db.selectFrom('versions').select('manifest_cid').where('state', '=', 'pinned').orderBy('created_at').execute()
  const jobs = unindexed.map(({ manifest_cid }): MissingJob => ({ kind: 'index', key: manifest_cid, subject: CID.parse(manifest_cid) }))
  if (recipe === null) return jobs
  const unverified = await db
    .selectFrom('versions')
    .select('index_cid')
    .where('index_cid', 'is not', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('reports')
            .select('report_cid')
            .whereRef('reports.index_cid', '=', 'versions.index_cid')
            .where('reports.recipe_cid', '=', recipe.toString()),
        ),
      ),
    )
    .orderBy('created_at')
    .execute()
  for (const { index_cid } of unverified)
    if (index_cid !== null) jobs.push({ kind: 'verify', key: `${index_cid}/${recipe.toString()}`, subject: CID.parse(index_cid) })
  return jobs
}

/**
 * Makes sure that a row exists for every missing job. A job that is recorded as done though its result is missing becomes ready again.
 * Any number of processes may do this at once.
 */
export async function enqueueMissing(db: Database, options: { recipe: CID | null }): Promise<void> {
  const missing = await missingJobs(db, options)
  if (missing.length === 0) return
  await sql`
    insert into jobs (kind, key, subject, state)
    select kind, key, subject, 'ready' from unnest(
      ${missing.map((job) => job.kind)}::text[], ${missing.map((job) => job.key)}::text[], ${missing.map((job) => job.subject.toString())}::text[]
    ) as missing (kind, key, subject)
    order by kind, key
    on conflict (kind, key) do update set state = 'ready', run_at = now() + interval '1 second', finished_at = null
    where jobs.state = 'done' and jobs.finished_at < now() - interval '1 second'`.execute(db)
}

/**
 * Claims the job that is due longest, ready or with a lease that ran out, for `leaseMs`; null when there is none. Two workers never get the
 * same one. A job whose workers died MAX_ATTEMPTS times is quarantined instead: it may be what kills them.
 */
export async function claimJob(db: Database, options: { kinds: readonly JobKind[]; worker: string; leaseMs: number }): Promise<Job | null> {
  await sql`
    update jobs set state = 'quarantined', leased_until = null, worker = null, finished_at = now(),
      error = coalesce(error || '; then ', '') || 'its worker disappeared'
    where state = 'running' and leased_until < now() and attempts >= ${MAX_ATTEMPTS}`.execute(db)
  const { rows } = await sql<{ id: number; kind: JobKind; key: string; subject: string; attempts: number }>`
    update jobs set state = 'running', worker = ${options.worker}, attempts = attempts + 1, progress = null,
      leased_until = now() + ${options.leaseMs} * interval '1 millisecond'
    where id = (
      select id from jobs
      where kind = any(${options.kinds}::text[])
        and ((state = 'ready' and run_at <= now()) or (state = 'running' and leased_until < now()))
      order by run_at, id limit 1 for update skip locked)
    returning id, kind, key, subject, attempts`.execute(db)
  const row = rows[0]
  return row === undefined ? null : { ...row, subject: CID.parse(row.subject) }
}

/** Whoever holds a claim: the attempt number tells a worker's own claim from a later one of the same worker. */
export type Claim = Pick<Job, 'id' | 'attempts'>

function held(db: Database, claim: Claim) {
  return db.updateTable('jobs').where('id', '=', claim.id).where('attempts', '=', claim.attempts).where('state', '=', 'running')
}

/** Extends the lease and records progress. False when the claim is lost: stop working. */
export async function extendLease(db: Database, claim: Claim, leaseMs: number, progress: Progress | null): Promise<boolean> {
  const result = await held(db, claim)
    .set({
      leased_until: sql`now() + ${leaseMs} * interval '1 millisecond'`,
      progress: progress === null ? null : JSON.stringify(progress),
    })
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Records that the job is done. False when the claim was lost. */
export async function completeJob(db: Database, claim: Claim): Promise<boolean> {
  const result = await held(db, claim)
    .set({ state: 'done', leased_until: null, worker: null, error: null, progress: null, finished_at: sql`now()` })
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/** Gives the job back untouched, as a worker does that is asked to stop: it does not count as an attempt. */
export async function releaseJob(db: Database, claim: Claim): Promise<void> {
  await held(db, claim)
    .set({ state: 'ready', leased_until: null, worker: null, progress: null, run_at: sql`now()`, attempts: sql`attempts - 1` })
    .execute()
}

/** Records a fault: ready again after 1, 2, 4 … seconds (5 minutes at most), quarantined after MAX_ATTEMPTS. */
export async function failJob(db: Database, claim: Claim, error: unknown): Promise<void> {
  const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (claim.attempts - 1), LONGEST_RETRY_MS)
  const quarantined = claim.attempts >= MAX_ATTEMPTS
  await held(db, claim)
    .set({
      state: quarantined ? 'quarantined' : 'ready',
      leased_until: null,
      worker: null,
      progress: null,
      error: messageOf(error).slice(0, 4096),
      run_at: sql`now() + ${delayMs} * interval '1 millisecond'`,
      finished_at: quarantined ? sql`now()` : null,
    })
    .execute()
}

/** Jobs that were put aside, for the operator. */
export async function quarantinedJobs(db: Database): Promise<{ kind: JobKind; key: string; error: string | null }[]> {
  return db.selectFrom('jobs').select(['kind', 'key', 'error']).where('state', '=', 'quarantined').orderBy('id').execute()
}

/** Makes quarantined jobs ready again, with fresh attempts. Returns how many. */
export async function retryQuarantined(db: Database): Promise<number> {
  const result = await db
    .updateTable('jobs')
    .set({ state: 'ready', attempts: 0, run_at: sql`now()`, finished_at: null })
    .where('state', '=', 'quarantined')
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

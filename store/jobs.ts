/**
 * Work for indexers and verifiers. What is to be done is computed from state: `missingJobs` lists the versions without an index, the
 * shards without embeddings, the indices without a report under the recipe and the reports without an export; the table `jobs` only records who is at it and how often it went wrong. So a lost row, a
 * worker killed at any point or a new recipe need no repair: the next look at the state brings the job back. Doing a job twice does no harm.
 *
 * A worker holds a job by a lease that it keeps extending. When it dies the lease runs out and another takes the job. When it only
 * seemed dead, its own completion finds that the claim is no longer its own and changes nothing; what it wrote was the same bytes anyway.
 */
import { type RawBuilder, sql } from 'kysely'
import { CID } from '../core/cid.ts'
import { messageOf, Problem } from '../core/problem.ts'
import type { Database } from './database.ts'

/**
 * `index`: subject is a manifest, key its CID. `export`: subject is a report or a selection, key its CID. The others' subject is an index.
 * `plan` cuts it into shards for embedding, key `<index CID>/<model>`; `embed` embeds a shard, key `<index CID>/<model>/<first sample>`;
 * `verify` makes the report, key `<index CID>/<recipe CID>`.
 */
export type JobKind = 'index' | 'plan' | 'embed' | 'verify' | 'export'

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

/** Does one job. Must be idempotent, and stop soon when `signal` aborts (the claim is lost or the process ends). */
export type JobHandler = (job: Job, context: { signal: AbortSignal; progress: (progress: Progress) => void }) => Promise<void>

export interface MissingJob {
  kind: JobKind
  key: string
  subject: CID
}

/** After this many errors a job is put aside (quarantined) until a person looks at it. */
export const MAX_FAULTS = 8

/** After this many claims a job whose workers keep dying is only tried with growing pauses: it may be what kills them. */
const MAX_LOST_CLAIMS = 8

/** What a worker looks for. */
export interface Aims {
  /** The recipe that indices are verified under; null: indexing only. */
  recipe: CID | null
  /** Names the vectors that the recipe's detectors need (embeddings.ts); absent where they need none. */
  model?: string | undefined
  /** Indices that others are compared with under the recipe: their vectors by the model are needed whether or not they have a report. */
  compared?: readonly CID[] | undefined
  /** Whether reports are to be exported, and selections that somebody asked for. */
  exports?: boolean
}

/** Shards of one index that are waiting at the same time: enough for every worker, and other data sets have their turn in between. */
const SHARDS_AHEAD = 256

/** What is to be done now, oldest version first. Of an index's missing shards the first ones. */
export async function missingJobs(db: Database, aims: Aims): Promise<MissingJob[]> {
  const { rows } = await sql<{ kind: JobKind; key: string; subject: string }>`
    select kind, key, subject from (${missing(aims)}) as missing order by created_at, subject, part, kind`.execute(db)
  return rows.map((row) => ({ ...row, subject: CID.parse(row.subject) }))
}

/** The query behind `missingJobs`: kind, key, subject, created_at and, among the jobs of one subject, part. */
function missing(aims: Aims): RawBuilder<unknown> {
  const others = missingReports(aims)
  if (aims.exports !== true) return others
  const isUnexported = sql`not exists (select from exports e where e.subject_cid = subjects.subject_cid)`
  return sql`${others}
    union all
    select 'export', subject_cid, subject_cid, created_at, 0 from (
      select report_cid as subject_cid, created_at from reports union all select subject_cid, created_at from export_requests) as subjects
      where ${isUnexported}`
}

function missingReports({ recipe, model, compared = [] }: Aims): RawBuilder<unknown> {
  const unindexed = sql`select 'index' as kind, manifest_cid as key, manifest_cid as subject, created_at, 0::bigint as part
    from versions where state = 'pinned'`
  if (recipe === null) return unindexed
  const isUnreported = sql`not exists (select from reports r where r.index_cid = v.index_cid and r.recipe_cid = ${recipe.toString()})`
  const unreported = sql`(select index_cid, created_at from versions v where index_cid is not null and ${isUnreported}) as unreported`
  const verify = sql`select 'verify', index_cid || '/' || ${recipe.toString()}::text, index_cid, unreported.created_at, 0 from ${unreported}`
  if (model === undefined) return sql`${unindexed} union all ${verify}`
  const unread = sql`(select index_cid, created_at from versions v where index_cid is not null
    and (${isUnreported} or index_cid = any(${compared.map(String)}::text[]))) as unread`
  return sql`${unindexed}
    union all
    select 'plan', index_cid || '/' || ${model}::text, index_cid, created_at, 0 from ${unread}
      where not exists (select from embeddings e where e.index_cid = unread.index_cid and e.model = ${model})
    union all
    select 'embed', index_cid || '/' || e.model || '/' || first_sample, index_cid, unread.created_at, first_sample
      from ${unread} join embeddings e using (index_cid) cross join lateral (
        select first_sample from generate_series(0, e.sample_count - 1, e.shard_samples) as first_sample where not exists (
          select from embedding_shards s where s.index_cid = e.index_cid and s.model = e.model and s.first_sample = first_sample.first_sample)
        order by first_sample limit ${SHARDS_AHEAD}) as shards
      where e.model = ${model}
    union all
    ${verify} join embeddings e using (index_cid) where e.model = ${model} and e.sample_count = (
      select coalesce(sum(s.sample_count), 0) from embedding_shards s where s.index_cid = e.index_cid and s.model = e.model)`
}

/**
 * Makes sure that a row exists for every missing job. A job that is recorded as done though its result is missing counts as a fault and
 * becomes ready again. Any number of processes may do this at once.
 */
export async function enqueueMissing(db: Database, aims: Aims): Promise<void> {
  // In one statement: `now()` is when it began, so a job that was finished before that has its result in what is read here, and one that
  // is finished while we look is not taken for one without a result. Ordered, so that two who do this do not wait for each other.
  await sql`
    insert into jobs (kind, key, subject, state)
    select kind, key, subject, 'ready' from (${missing(aims)}) as missing
    where not exists (select from jobs where jobs.kind = missing.kind and jobs.key = missing.key and jobs.state <> 'done')
    order by created_at, subject, part, kind
    on conflict (kind, key) do update set
      faults = jobs.faults + 1, error = 'it was recorded as done, but its result is missing', finished_at = null,
      state = ${stateAfter(sql`jobs.faults + 1`)}, run_at = ${retryTime(sql`jobs.faults`)}
    where jobs.state = 'done' and jobs.finished_at < now()`.execute(db)
}

export interface ClaimOptions {
  kinds: readonly JobKind[]
  /** Jobs under another recipe or model are for others. Absent: all jobs. */
  aims?: Aims
  worker: string
  leaseMs: number
}

/** Claims the ready job that is due longest, for `leaseMs`; null when there is none. Two workers never get the same one. */
export async function claimJob(db: Database, { kinds, aims, worker, leaseMs }: ClaimOptions): Promise<Job | null> {
  await releaseLostClaims(db, { expired: true })
  const others =
    aims === undefined ? sql`false` : sql`split_part(key, '/', 2) <> all(${['', String(aims.recipe), aims.model ?? '']}::text[])`
  const { rows } = await sql<{ id: number; kind: JobKind; key: string; subject: string; attempts: number }>`
    update jobs set state = 'running', worker = ${worker}, attempts = attempts + 1, progress = null,
      leased_until = now() + ${leaseMs} * interval '1 millisecond'
    where id = (
      select id from jobs where kind = any(${kinds}::text[]) and state = 'ready' and run_at <= now() and not ${others}
      order by run_at, id limit 1 for update skip locked)
    returning id, kind, key, subject, attempts`.execute(db)
  const row = rows[0]
  return row === undefined ? null : { ...row, subject: CID.parse(row.subject) }
}

/**
 * Makes the jobs of dead workers ready again: those whose lease ran out, or with `expired` false every one that is held, for a process
 * that knows that it is the only one and has just started.
 */
export async function releaseLostClaims(db: Database, { expired }: { expired: boolean }): Promise<void> {
  await sql`
    update jobs set state = 'ready', leased_until = null, worker = null, progress = null,
      run_at = case when attempts < ${MAX_LOST_CLAIMS} then now() else ${retryTime(sql`attempts - ${MAX_LOST_CLAIMS}`)} end
    where id in (
      select id from jobs where state = 'running' and (leased_until < now() or not ${expired}::boolean) for update skip locked)`.execute(db)
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

/** Gives the job back untouched, as a worker does that is asked to stop. */
export async function releaseJob(db: Database, claim: Claim): Promise<void> {
  await held(db, claim)
    .set({ state: 'ready', leased_until: null, worker: null, progress: null, run_at: sql`now()`, attempts: sql`attempts - 1` })
    .execute()
}

/**
 * Records an error: ready again after 1, 2, 4 … seconds (5 minutes at most), quarantined after MAX_FAULTS. `unavailable` is no fault of
 * the job: this worker lacks something, and another may have it.
 */
export async function failJob(db: Database, claim: Claim, error: unknown): Promise<void> {
  const faults = error instanceof Problem && error.code === 'unavailable' ? 0 : 1
  await held(db, claim)
    .set({
      state: stateAfter(sql`faults + ${faults}`),
      faults: sql`faults + ${faults}`,
      run_at: retryTime(sql`case when ${faults} = 0 then attempts - 1 else faults end`),
      leased_until: null,
      worker: null,
      progress: null,
      error: messageOf(error).slice(0, 4096),
    })
    .execute()
}

export interface QuarantinedJob {
  kind: JobKind
  key: string
  error: string | null
}

/** Jobs that were put aside, for the operator. */
export async function quarantinedJobs(db: Database): Promise<QuarantinedJob[]> {
  return db.selectFrom('jobs').select(['kind', 'key', 'error']).where('state', '=', 'quarantined').orderBy('id').execute()
}

/** Makes quarantined jobs ready again, as if they had never failed. Returns how many. */
export async function retryQuarantined(db: Database): Promise<number> {
  const result = await db
    .updateTable('jobs')
    .set({ state: 'ready', attempts: 0, faults: 0, run_at: sql`now()` })
    .where('state', '=', 'quarantined')
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

function stateAfter(faults: RawBuilder<unknown>): RawBuilder<'ready' | 'quarantined'> {
  return sql`case when ${faults} >= ${MAX_FAULTS} then 'quarantined' else 'ready' end`
}

/** 1, 2, 4 … seconds from now, 5 minutes at most, for 0, 1, 2 … earlier failures. */
function retryTime(failures: RawBuilder<unknown>): RawBuilder<Date> {
  return sql`now() + least(power(2, least(${failures}, 20)), 300) * interval '1 second'`
}

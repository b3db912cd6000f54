/** The loop of an indexer or verifier: look at the state, claim a job, do it, again. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from './database.ts'
import {
  type Aims,
  claimJob,
  completeJob,
  enqueueMissing,
  extendLease,
  failJob,
  type Job,
  type JobHandler,
  type JobKind,
  type Progress,
  releaseJob,
} from './jobs.ts'

export interface WorkerOptions {
  db: Database
  /** The kinds of job that this worker does, one at a time. */
  handlers: Partial<Record<JobKind, JobHandler>>
  /** What it looks for when there is nothing to claim. */
  aims: Aims
  /** Names the process to an operator who reads the table. */
  worker: string
  /** Aborts the work at hand, gives its job back and ends the loop. */
  signal: AbortSignal
  /** Told of every error, of a job or of the loop; the loop goes on. */
  onError: (error: unknown, job: Job | null) => void
  /** A claim is lost this long after the last sign of life. Default 60 s. */
  leaseMs?: number
  /** Pause between two looks at the state when there was nothing to do. Default 250 ms. */
  pollMs?: number
}

/** Works until `signal` aborts. Never throws. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { db, handlers, aims, worker, signal, onError, leaseMs = 60_000, pollMs = 250 } = options
  const kinds = Object.keys(handlers) as JobKind[]
  let lookedAt = -Infinity

  /** While there is work the state is looked at once in a while, so that many small jobs do not pay for it each time. */
  async function nextJob(): Promise<Job | null> {
    const job = performance.now() - lookedAt < LOOK_EVERY_MS ? await claimJob(db, { kinds, aims, worker, leaseMs }) : null
    if (job !== null) return job
    await enqueueMissing(db, aims)
    lookedAt = performance.now()
    return claimJob(db, { kinds, aims, worker, leaseMs })
  }

  while (!signal.aborted) {
    try {
      const job = await nextJob()
      if (job !== null) await runJob(job, handlers[job.kind]!, { db, signal, onError, leaseMs })
      else await pause(pollMs, signal)
    } catch (error) {
      onError(error, null)
      await pause(ERROR_PAUSE_MS, signal)
    }
  }
}

const LOOK_EVERY_MS = 1000
const ERROR_PAUSE_MS = 1000
const HEARTBEAT_MS = 1000

/** Does one claimed job and records how it went. */
async function runJob(
  job: Job,
  handler: JobHandler,
  { db, signal, onError, leaseMs }: Required<Pick<WorkerOptions, 'db' | 'signal' | 'onError' | 'leaseMs'>>,
): Promise<void> {
  const lost = new AbortController()
  const ended = new AbortController()
  let progress: Progress | null = null

  async function keepLease(): Promise<void> {
    let heldUntil = performance.now() + leaseMs
    while (!ended.signal.aborted) {
      await pause(Math.min(HEARTBEAT_MS, leaseMs / 3), ended.signal)
      if (ended.signal.aborted) return
      const now = performance.now()
      const kept = await extendLease(db, job, leaseMs, progress).catch(() => now < heldUntil) // the database may come back in time
      if (!kept) return lost.abort(new Error(`the claim on ${job.kind} ${job.key} is lost`))
      heldUntil = now + leaseMs
    }
  }

  const lease = keepLease()
  try {
    await handler(job, { signal: AbortSignal.any([signal, lost.signal]), progress: (now) => void (progress = now) })
    await completeJob(db, job)
  } catch (error) {
    if (signal.aborted) await releaseJob(db, job)
    else if (!lost.signal.aborted) {
      onError(error, job)
      await failJob(db, job, error)
    }
  } finally {
    ended.abort()
    await lease
  }
}

/** Waits; returns at once when `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined)
}

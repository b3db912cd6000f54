/**
 * What a witness has cosigned: the latest tree head of each log, in an SQLite file of its own. Deciding and storing are one transaction that
 * is on disk before it ends, so that no two answers, of one process or of several, can contradict each other.
 */
import { DatabaseSync } from 'node:sqlite'
import type { Witnessed, WitnessDecision } from '../core/log/witness.ts'

export interface WitnessState extends Disposable {
  /** Decides on the latest head of a log, and stores the new one before it returns. Requests that show a log to be at fault are kept. */
  decide(origin: string, request: Uint8Array, decide: (witnessed: Witnessed | null) => WitnessDecision): WitnessDecision
  /** Every log that was cosigned. */
  latest(): { origin: string; size: number; rootHash: Uint8Array }[]
  /** Requests that were kept, newest first. */
  evidence(): { origin: string; request: Uint8Array }[]
}

/** More than these of one log would only fill the disk. */
const MAX_EVIDENCE = 64
const BUSY_MS = 10_000

/** Opens the file, or makes it. Throws where it is not a witness's. */
export function openWitnessState(path: string): WitnessState {
  const db = new DatabaseSync(path, { timeout: BUSY_MS })
  db.exec('pragma synchronous = full')
  db.exec(`
    create table if not exists logs (origin text primary key, size integer not null, root_hash blob not null) strict;
    create table if not exists evidence (id integer primary key, origin text not null, request blob not null, unique (origin, request)) strict;
  `)
  const read = db.prepare('select size, root_hash as rootHash from logs where origin = ?')
  const write = db.prepare(
    'insert into logs (origin, size, root_hash) values (?, ?, ?) on conflict (origin) do update set size = excluded.size, root_hash = excluded.root_hash',
  )
  const keep = db.prepare(
    'insert or ignore into evidence (origin, request) select ?, ? where (select count(*) from evidence where origin = ?) < ?',
  )
  const all = db.prepare('select origin, size, root_hash as rootHash from logs order by origin')
  const kept = db.prepare('select origin, request from evidence order by id desc')
  return {
    decide(origin, request, decide) {
      db.exec('begin immediate')
      try {
        const row = read.get(origin) as { size: number; rootHash: Uint8Array } | undefined
        const decision = decide(row ?? null)
        if (decision.verdict === 'cosign') write.run(origin, decision.latest.size, decision.latest.rootHash)
        else if (decision.evidence) keep.run(origin, request, origin, MAX_EVIDENCE)
        db.exec('commit')
        return decision
      } catch (error) {
        db.exec('rollback')
        throw error
      }
    },
    latest: () => all.all() as { origin: string; size: number; rootHash: Uint8Array }[],
    evidence: () => kept.all() as { origin: string; request: Uint8Array }[],
    [Symbol.dispose]() {
      db.close()
    },
  }
}

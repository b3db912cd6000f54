/** Training runs and what they consumed. */
import { CID } from '../core/cid.ts'
import type { Encoded } from '../core/documents/document.ts'
import type { Run } from '../core/documents/run.ts'
import { Problem } from '../core/problem.ts'
import type { Database } from './database.ts'
import { type Attestation, saveAttested } from './documents.ts'

export interface RunRow {
  run: CID
  name: string
  author: string
  status: Run['status']
  /** The `started` document that this one finishes; null for a start. */
  started: CID | null
  createdAt: Date
  consumed: { selection: CID; index: CID }[]
}

/**
 * Records a run with its attestation in one transaction. Its blocks must be pinned already. Throws `not-found` for a selection that was
 * not computed here and `conflict` for a finish without its start. Twice does no harm.
 */
export async function saveRun(db: Database, run: Encoded<Run>, attestation: Attestation): Promise<void> {
  const { document } = run
  await db.transaction().execute(async (trx) => {
    const started = document.status === 'started' ? null : (document.previous ?? null)
    if (document.status !== 'started') await checkStart(trx, started, document.author)
    const selections = [...new Set(document.consumed.map((consumption) => consumption.selection.toString()))]
    const known = await trx.selectFrom('selections').select(['cid', 'index_cid']).where('cid', 'in', selections).execute()
    const indexOf = new Map(known.map((row) => [row.cid, row.index_cid]))

    await saveAttested(trx, attestation)
    const inserted = await trx
      .insertInto('runs')
      .values({
        cid: run.cid.toString(),
        name: document.name,
        author: document.author,
        status: document.status,
        started_cid: started?.toString() ?? null,
        created_at: new Date(document.createdAt),
      })
      .onConflict((conflict) => conflict.column('cid').doNothing())
      .executeTakeFirst()
    if (inserted.numInsertedOrUpdatedRows === 0n) return

    await trx
      .insertInto('run_selections')
      .values(
        document.consumed.map(({ selection }, position) => {
          const index = indexOf.get(selection.toString())
          if (index === undefined)
            throw new Problem('not-found', `selection ${selection.toString()} is not known here; make it with POST /v1/selections first`)
          return { run_cid: run.cid.toString(), position, selection_cid: selection.toString(), index_cid: index }
        }),
      )
      .execute()
  })
}

async function checkStart(db: Database, started: CID | null, author: string): Promise<void> {
  if (started === null) throw new Problem('conflict', 'a finished or failed run names its start in "previous"')
  const start = await db.selectFrom('runs').select(['author', 'status']).where('cid', '=', started.toString()).executeTakeFirst()
  if (start === undefined || start.status !== 'started')
    throw new Problem('conflict', `${started.toString()} is not the start of a run that is known here`)
  if (start.author !== author) throw new Problem('forbidden', `the run that ${started.toString()} starts is another author's`)
}

/** One run document; null when it is not known. */
export async function findRun(db: Database, run: CID): Promise<RunRow | null> {
  const [row] = await withConsumption(db, await db.selectFrom('runs').selectAll().where('cid', '=', run.toString()).execute())
  return row ?? null
}

/** The documents that finish (or failed) the run which `started` starts, oldest first. */
export async function endsOfRun(db: Database, started: CID): Promise<RunRow[]> {
  const rows = db.selectFrom('runs').selectAll().where('started_cid', '=', started.toString()).orderBy('created_at').orderBy('cid')
  return withConsumption(db, await rows.execute())
}

/** Every run document that consumed a selection of this index, oldest first. */
export async function runsOfIndex(db: Database, index: CID): Promise<RunRow[]> {
  const rows = db
    .selectFrom('runs')
    .selectAll()
    .where('cid', 'in', (query) => query.selectFrom('run_selections').select('run_cid').where('index_cid', '=', index.toString()))
    .orderBy('created_at')
    .orderBy('cid')
  return withConsumption(db, await rows.execute())
}

interface StoredRun {
  cid: string
  name: string
  author: string
  status: Run['status']
  started_cid: string | null
  created_at: Date
}

async function withConsumption(db: Database, runs: StoredRun[]): Promise<RunRow[]> {
  if (runs.length === 0) return []
  const consumed = await db
    .selectFrom('run_selections')
    .selectAll()
    .where(
      'run_cid',
      'in',
      runs.map((run) => run.cid),
    )
    .orderBy('position')
    .execute()
  return runs.map((run) => ({
    run: CID.parse(run.cid),
    name: run.name,
    author: run.author,
    status: run.status,
    started: run.started_cid === null ? null : CID.parse(run.started_cid),
    createdAt: run.created_at,
    consumed: consumed
      .filter((row) => row.run_cid === run.cid)
      .map((row) => ({ selection: CID.parse(row.selection_cid), index: CID.parse(row.index_cid) })),
  }))
}

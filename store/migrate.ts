/**
 * Forward-only migrations: the files of `migrations/`, in the order of their names, each once. All that are missing are applied in one
 * transaction under one lock, so that any number of processes may try at once and a failed migration leaves nothing behind.
 */
import { readdir } from 'node:fs/promises'
import { type Kysely, sql } from 'kysely'
import type { Database } from './database.ts'

interface Migration {
  name: string
  up: (db: Kysely<never>) => Promise<void>
}

const MIGRATIONS = new URL('../migrations/', import.meta.url)
const FILE_NAME = /^(\d{4}-\d{2}-\d{2}T\d{4}-[a-z0-9-]+)\.ts$/

/** Key of the advisory lock: the ASCII of "assay". */
const LOCK = 0x61_73_73_61_79

/** Brings the schema up to date. Returns the names of the migrations that it applied. */
export async function migrateToLatest(db: Database): Promise<string[]> {
  const names = await migrationNames()
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(trx)
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`.execute(trx)
    const applied = await appliedMigrations(trx)
    refuseNewerSchema(applied, names)
    const missing = names.filter((name) => !applied.includes(name))
    for (const name of missing) {
      const { up } = await loadMigration(name)
      await up(trx as unknown as Kysely<never>) // a migration knows none of the tables of today
      await sql`insert into migrations (name) values (${name})`.execute(trx)
    }
    return missing
  })
}

/** Throws unless the schema is the one that this program needs, and says which command mends it. */
export async function assertSchemaCurrent(db: Database): Promise<void> {
  const names = await migrationNames()
  const { rows } = await sql<{ present: boolean }>`select to_regclass('migrations') is not null as present`.execute(db)
  const applied = rows[0]?.present === true ? await appliedMigrations(db) : []
  refuseNewerSchema(applied, names)
  const missing = names.filter((name) => !applied.includes(name))
  if (missing.length > 0) throw new Error(`the database lacks ${missing.join(', ')}; run "npm run migrate" with the same DATABASE_URL`)
}

function refuseNewerSchema(applied: readonly string[], known: readonly string[]): void {
  const unknown = applied.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`the database has ${unknown.join(', ')}, which this program does not know; run a newer Assay`)
}

async function appliedMigrations(db: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from migrations order by name`.execute(db)
  return rows.map((row) => row.name)
}

async function migrationNames(): Promise<string[]> {
  const files = await readdir(MIGRATIONS)
  return files.flatMap((file) => FILE_NAME.exec(file)?.[1] ?? []).sort()
}

async function loadMigration(name: string): Promise<Migration> {
  const module = (await import(new URL(`${name}.ts`, MIGRATIONS).href)) as Pick<Migration, 'up'>
  return { name, up: module.up }
}

/**
 * Helia's datastore in the table `datastore`, so that all processes share one set of pins. Helia keeps a reference count a block and
 * changes it by reading and writing, one key after another; `inTransaction` makes such a series one transaction of Postgres, under a
 * lock that lets one run at a time, with the writes sent together at its end.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { BaseDatastore } from 'datastore-core'
import { type Datastore, Key, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import { sql } from 'kysely'
import type { Database } from './database.ts'

/** Key of the advisory lock: the ASCII of "pins". */
const LOCK = 0x70_69_6e_73

const ROWS_PER_STATEMENT = 5000

interface Scope {
  trx: Database
  /** Writes that have not been sent; null: deleted. */
  writes: Map<string, Uint8Array | null>
}

/** A datastore for reference counts that several change at once. */
export interface TransactionalDatastore extends Datastore {
  /** Runs `action` so that all that it does with this datastore takes effect together, or not at all if it throws; one at a time. */
  inTransaction<T>(action: () => Promise<T>): Promise<T>
}

export class PostgresDatastore extends BaseDatastore implements TransactionalDatastore {
  readonly #db: Database
  readonly #scopes = new AsyncLocalStorage<Scope>()

  constructor(db: Database) {
    super()
    this.#db = db
  }

  async inTransaction<T>(action: () => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(${LOCK})`.execute(trx)
      const scope: Scope = { trx, writes: new Map() }
      const result = await this.#scopes.run(scope, action)
      await flush(scope)
      return result
    })
  }

  override async get(key: Key): Promise<Uint8Array> {
    const value = await this.#find(key.toString())
    if (value === null) throw Object.assign(new Error(`${key.toString()} is not in the datastore`), { name: 'NotFoundError' })
    return value
  }

  override async has(key: Key): Promise<boolean> {
    return (await this.#find(key.toString())) !== null
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    await this.#write(key.toString(), value)
    return key
  }

  override async delete(key: Key): Promise<void> {
    await this.#write(key.toString(), null)
  }

  override async *_all(query: Query): AsyncGenerator<Pair> {
    for (const { key, value } of await this.#list(query.prefix)) yield { key: new Key(key, false), value }
  }

  override async *_allKeys(query: KeyQuery): AsyncGenerator<Key> {
    for (const { key } of await this.#list(query.prefix)) yield new Key(key, false)
  }

  async #find(key: string): Promise<Uint8Array | null> {
    const scope = this.#scopes.getStore()
    const written = scope?.writes.get(key)
    if (written !== undefined) return written
    const row = await (scope?.trx ?? this.#db).selectFrom('datastore').select('value').where('key', '=', key).executeTakeFirst()
    return row?.value ?? null
  }

  async #write(key: string, value: Uint8Array | null): Promise<void> {
    const scope = this.#scopes.getStore()
    if (scope === undefined) await flush({ trx: this.#db, writes: new Map([[key, value]]) })
    else scope.writes.set(key, value)
  }

  async #list(prefix = ''): Promise<{ key: string; value: Uint8Array }[]> {
    const scope = this.#scopes.getStore()
    if (scope !== undefined) await flush(scope)
    return (scope?.trx ?? this.#db)
      .selectFrom('datastore')
      .selectAll()
      .where(sql<boolean>`starts_with(key, ${prefix})`)
      .orderBy('key')
      .execute()
  }
}

async function flush({ trx, writes }: Scope): Promise<void> {
  const put = [...writes].flatMap(([key, value]) => (value === null ? [] : [{ key, value }]))
  const deleted = [...writes].flatMap(([key, value]) => (value === null ? [key] : []))
  for (let start = 0; start < put.length; start += ROWS_PER_STATEMENT)
    await trx
      .insertInto('datastore')
      .values(put.slice(start, start + ROWS_PER_STATEMENT))
      .onConflict((conflict) => conflict.column('key').doUpdateSet((row) => ({ value: row.ref('excluded.value') })))
      .execute()
  if (deleted.length > 0) await sql`delete from datastore where key = any(${deleted}::text[])`.execute(trx)
  writes.clear()
}

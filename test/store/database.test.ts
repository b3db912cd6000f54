import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { type Database, openDatabase } from '../../store/database.ts'
import { testDatabase } from '../support/postgres.ts'

async function backendOf(db: Database): Promise<number> {
  return (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]!.pid
}

test('a connection that breaks between two statements of a transaction fails the transaction, and the process goes on', async () => {
  await using other = await testDatabase()
  const { promise: told, resolve } = Promise.withResolvers<Error>()
  await using db = openDatabase(other.url, { maxConnections: 1, onConnectionError: resolve })
  await assert.rejects(
    db.transaction().execute(async (trx) => {
      await sql`select pg_terminate_backend(${await backendOf(trx)})`.execute(other)
      await told
      await sql`select 1`.execute(trx)
    }),
  )
  assert.match((await told).message, /terminating connection/)
  assert.ok((await backendOf(db)) > 0)
})

test('a connection that breaks while nobody uses it is replaced', async () => {
  await using other = await testDatabase()
  const { promise: told, resolve } = Promise.withResolvers<Error>()
  await using db = openDatabase(other.url, { maxConnections: 1, onConnectionError: resolve })
  const first = await backendOf(db)
  await sql`select pg_terminate_backend(${first})`.execute(other)
  await told
  assert.notEqual(await backendOf(db), first)
})

test('a transaction that has fallen silent is ended by the server, and holds up nobody', async () => {
  await using other = await testDatabase()
  const { promise: told, resolve } = Promise.withResolvers<Error>()
  await using db = openDatabase(other.url, { maxConnections: 1, silentTransactionMs: 50, onConnectionError: resolve })
  await sql`create table things (id integer primary key)`.execute(other)
  await assert.rejects(
    db.transaction().execute(async (trx) => {
      await sql`insert into things values (1)`.execute(trx)
      await sql`insert into things values (1)`.execute(other) // waits for the other transaction to end
      await told
      await sql`select 1`.execute(trx)
    }),
  )
  assert.match((await told).message, /idle-in-transaction timeout/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { openDatabase } from '../../store/database.ts'
import { assertSchemaCurrent, migrateToLatest } from '../../store/migrate.ts'
import { testDatabase } from '../support/postgres.ts'

test('twenty processes that migrate an empty database at once apply each migration once', async () => {
  await using empty = await testDatabase({ migrate: false })
  const databases = Array.from({ length: 20 }, () => openDatabase(empty.url, { maxConnections: 1 }))
  try {
    const applied = await Promise.all(databases.map(migrateToLatest))
    assert.deepEqual(applied.filter((names) => names.length > 0).length, 1)
    await Promise.all(databases.map(assertSchemaCurrent))
  } finally {
    await Promise.all(databases.map((db) => db.destroy()))
  }
})

test('a database without the schema is refused with the command that mends it', async () => {
  await using empty = await testDatabase({ migrate: false })
  await assert.rejects(assertSchemaCurrent(empty), /npm run migrate/)
})

test('a database of a newer Assay is refused, and not touched', async () => {
  await using db = await testDatabase()
  await sql`insert into migrations (name) values ('2999-01-01T0000-future')`.execute(db)
  await assert.rejects(assertSchemaCurrent(db), /2999-01-01T0000-future/)
  await assert.rejects(migrateToLatest(db), /2999-01-01T0000-future/)
})

test('a count beyond what a number can hold is refused, not rounded', async () => {
  await using db = await testDatabase({ migrate: false })
  const { rows } = await sql<{ n: number }>`select 9007199254740991::int8 as n`.execute(db)
  assert.deepEqual(rows, [{ n: Number.MAX_SAFE_INTEGER }])
  await assert.rejects(sql`select 9007199254740993::int8 as n`.execute(db), /not exact/)
})

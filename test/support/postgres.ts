/**
 * A Postgres for tests: one server for all test processes of this working tree, a fresh database for each caller. With
 * ASSAY_TEST_DATABASE_URL another server is used.
 */
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type Database, openDatabase } from '../../store/database.ts'
import { migrateToLatest } from '../../store/migrate.ts'

export type TestDatabase = Database & { readonly url: string; [Symbol.asyncDispose](): Promise<void> }

/** A fresh database, migrated unless `migrate` is false, that is dropped on dispose. */
export async function testDatabase({ migrate = true, maxConnections = 4 } = {}): Promise<TestDatabase> {
  // Open until the end, so that the shared server sees that it is needed.
  const admin = await connect(process.env['ASSAY_TEST_DATABASE_URL'])
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await admin.client.query(`create database ${name}`)
  const url = withDatabase(admin.url, name)
  const db = openDatabase(url, { maxConnections })
  if (migrate) await migrateToLatest(db)
  return Object.assign(db, {
    url,
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await admin.client.query(`drop database ${name} with (force)`)
      await admin.client.end()
    },
  })
}

interface Connection {
  client: pg.Client
  url: string
}

/** Connects to the given server, or to the shared one, which the first caller starts. */
async function connect(given: string | undefined): Promise<Connection> {
  const url = given ?? SHARED_URL
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client(url)
    try {
      await client.connect()
      return { client, url }
    } catch (error) {
      if (given !== undefined || attempt >= LAST_ATTEMPT) throw error
      if (attempt % ATTEMPTS_PER_START === 0) startSharedServer()
      await delay(RETRY_MS)
    }
  }
}

const RETRY_MS = 50
const ATTEMPTS_PER_START = 200
const LAST_ATTEMPT = 3 * ATTEMPTS_PER_START

const SERVER = fileURLToPath(new URL('postgresServer.ts', import.meta.url))
const DIRECTORY = join(tmpdir(), `assay-test-${createHash('sha256').update(SERVER).digest('hex').slice(0, 12)}`, 'postgres')
const SHARED_URL = `postgresql://assay@/assay?host=${encodeURIComponent(DIRECTORY)}&port=5432`

/** Several processes may do this at once: the first one wins, the others' servers give way. */
function startSharedServer(): void {
  spawn(process.execPath, [SERVER, DIRECTORY], { detached: true, stdio: 'ignore' }).unref()
}

function withDatabase(url: string, name: string): string {
  return url.replace(/^([^:]+:\/\/[^/]*\/)[^?]*/, `$1${name}`)
}

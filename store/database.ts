/** The connection to Postgres. Queries take a `Database` first; a transaction is one too. */
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Tables } from './tables.ts'

export type Database = Kysely<Tables>

export interface DatabaseOptions {
  /** Connections of this process at most. Default 10. */
  maxConnections?: number
  /**
   * A transaction that has sent nothing for this long is ended by the server, and its locks with it: a process that was frozen or whose
   * machine is gone holds up nobody. Default: never.
   */
  silentTransactionMs?: number
  /** Told when a connection breaks between two statements; the pool opens another when one is needed. */
  onConnectionError?: (error: Error) => void
}

/** Opens a pool; the first query connects. `db.destroy()` closes it. `url` is a libpq URL; `?host=/directory` names a Unix socket. */
export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const { maxConnections = 10, silentTransactionMs = 0, onConnectionError } = options
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    types: { getTypeParser },
    application_name: 'assay',
    idle_in_transaction_session_timeout: silentTransactionMs,
  })
  // Of every connection itself: the pool only hears of those that nobody uses, and an error that nobody hears of ends the process.
  pool.on('connect', (client) => client.on('error', (error) => onConnectionError?.(error)))
  pool.on('error', () => undefined)
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}

const INT8_OID = 20

/** Counts and ids are `number`: Postgres' int8 is exact up to 2^53 − 1, and what lies beyond is refused instead of rounded. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  return oid === INT8_OID && format !== 'binary' ? parseSafeInteger : pg.types.getTypeParser(oid, format)
}

function parseSafeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is not exact as a number`)
  return value
}

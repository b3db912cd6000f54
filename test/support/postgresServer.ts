/** The server that `postgres.ts` shares among test processes: ends when no test has used it for a while. Argument: its data directory. */
import pg from 'pg'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../store/embeddedPostgres.ts'

const IDLE_CHECKS = 6
const CHECK_MS = 5000

const directory = process.argv[2]
if (directory === undefined) throw new Error('usage: postgresServer.ts DIRECTORY')
await using server = await startPostgres(directory, { fsync: false, onLost: () => process.exit(1) })
const client = new pg.Client(server.url)
await client.connect()
for (let idle = 0; idle < IDLE_CHECKS;) {
  await delay(CHECK_MS)
  const { rows } = await client.query(
    `select count(*)::int as others from pg_stat_activity
     where backend_type = 'client backend' and application_name <> 'assay parent' and pid <> pg_backend_pid()`,
  )
  idle = rows[0].others === 0 ? idle + 1 : 0
}
await client.end()

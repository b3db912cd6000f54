/** A process that holds an embedded Postgres until it is killed: prints the server's URL. Argument: the data directory. */
import { startPostgres } from '../../store/embeddedPostgres.ts'

const directory = process.argv[2]
if (directory === undefined) throw new Error('usage: postgresParent.ts DIRECTORY')
const postgres = await startPostgres(directory, { fsync: false })
console.log(postgres.url)
setInterval(() => undefined, 60_000)

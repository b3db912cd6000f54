/**
 * Log entries a second: attestations that wait in Postgres, given their entries, tiles and checkpoints by the sequencer, against INSERTs of the
 * same entries into a bare table of the same database, in transactions of as many.
 *
 *     node bench/log.ts [--entries 8192] [--rounds 5]
 */
import { join } from 'node:path'
import { sql } from 'kysely'
import { utf8ToBytes } from '../core/bytes.ts'
import { CODEC_DAG_JSON, CODEC_RAW, cidOf } from '../core/cid.ts'
import { signerFromSeed } from '../core/keys.ts'
import { type LogEntry, encodeLogEntry } from '../core/log/entry.ts'
import { nativeSha256 } from '../store/blocks.ts'
import { openDatabase } from '../store/database.ts'
import { startPostgres } from '../store/embeddedPostgres.ts'
import { migrateToLatest } from '../store/migrate.ts'
import { createSequencer } from '../verifier/sequencer/sequencer.ts'
import { compare } from './support/measurement.ts'
import { openWorkspace, report, sizesFrom } from './support/program.ts'

/** Of the sequencer, see there. */
const BATCH_SIZE = 2048

const { entries, rounds } = sizesFrom({ entries: 8192, rounds: 5 })
await using workspace = await openWorkspace()
await using postgres = await startPostgres(join(workspace.dir, 'postgres'))
const db = openDatabase(postgres.url)
await migrateToLatest(db)
await sql`create table floor_entries (index bigint primary key, entry bytea not null)`.execute(db)

let encoded: Uint8Array[] = []
const signer = signerFromSeed(new Uint8Array(32).fill(3))
const sequencer = createSequencer({ db, origin: 'bench.test/log', signer, hash: nativeSha256 })
report(
  await compare({
    name: 'log',
    unit: 'entries/s',
    subject: {
      prepare: (round) => attest(attestationsOf(round)),
      run: async () => (await sequencer.appendPending()).appended,
    },
    floor: {
      prepare: async (round) => {
        encoded = attestationsOf(round).map((entry) => encodeLogEntry(entry))
      },
      run: (round) => insertEntries(round * entries),
    },
    against: 'INSERTs of the same entries',
    size: `${entries} entries in transactions of ${BATCH_SIZE}`,
    rounds,
  }),
)
await db.destroy()

function attestationsOf(round: number): Omit<LogEntry, 'v'>[] {
  return Array.from({ length: entries }, (_, i) => ({
    kind: 'manifest' as const,
    document: cidOf(CODEC_DAG_JSON, utf8ToBytes(`document ${round}/${i}`), nativeSha256),
    envelope: cidOf(CODEC_RAW, utf8ToBytes(`envelope ${round}/${i}`), nativeSha256),
  }))
}

/** Leaves attestations for the sequencer to find. */
async function attest(attestations: readonly Omit<LogEntry, 'v'>[]): Promise<void> {
  const documents = attestations.map(({ document }) => document.toString())
  const envelopes = attestations.map(({ envelope }) => envelope.toString())
  await db.transaction().execute(async (trx) => {
    await sql`insert into documents (cid, kind) select unnest(${documents}::text[]), 'manifest'`.execute(trx)
    await sql`
      insert into attestations (envelope_cid, document_cid, kind, author, created_at)
      select envelope, document, 'manifest', ${signer.did}, now() from unnest(${envelopes}::text[], ${documents}::text[]) as t (envelope, document)`.execute(
      trx,
    )
  })
}

async function insertEntries(firstIndex: number): Promise<number> {
  for (let start = 0; start < encoded.length; start += BATCH_SIZE) {
    const batch = encoded.slice(start, start + BATCH_SIZE)
    await sql`
      insert into floor_entries (index, entry)
      select ${firstIndex + start} + position - 1, entry from unnest(${batch}::bytea[]) with ordinality as numbered (entry, position)`.execute(
      db,
    )
  }
  return encoded.length
}

/** What a report or a selection looks like to those who read files: generated, content-addressed, under a commit id of its own. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table exports (
      -- The first 20 bytes of the export document's SHA-256 in hexadecimal.
      commit_id text primary key check (commit_id ~ '^[0-9a-f]{40}$'),
      -- A report or a selection.
      subject_cid text not null unique,
      manifest_cid text not null references versions,
      export_cid text not null,
      created_at timestamptz not null default now()
    );
    -- Reports are exported by themselves, selections when somebody asks for one.
    create table export_requests (
      subject_cid text primary key references selections (cid),
      created_at timestamptz not null default now()
    );
  `.execute(db)
}

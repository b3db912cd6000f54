/** Names, versions, documents, jobs, the log and Helia's datastore. The bulk lives in blocks; here are pointers and states. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    create table tokens (
      hash bytea primary key check (octet_length(hash) = 32),
      account text not null,
      scopes text[] not null,
      created_at timestamptz not null default now(),
      revoked_at timestamptz
    );

    -- Keys are the names in Unicode NFKC and lower case, folded by the service so that no database locale takes part.
    create table namespaces (
      key text primary key,
      owner text not null
    );
    create table datasets (
      id bigint generated always as identity primary key,
      key text not null unique,
      namespace text not null,
      name text not null,
      owner text not null,
      created_at timestamptz not null default now()
    );
    create table versions (
      manifest_cid text primary key,
      dataset_id bigint not null references datasets,
      number integer not null check (number > 0),
      state text not null check (state in ('pinned', 'indexed', 'verified', 'failed')),
      failure text check ((failure is not null) = (state = 'failed')),
      index_cid text unique check (state not in ('indexed', 'verified') or index_cid is not null),
      created_at timestamptz not null default now(),
      unique (dataset_id, number)
    );
    create index versions_to_do on versions (created_at) where state in ('pinned', 'indexed');

    create table files (
      cid text primary key,
      size_bytes bigint not null check (size_bytes >= 0),
      sha256 bytea not null check (octet_length(sha256) = 32),
      created_at timestamptz not null default now()
    );

    create table documents (
      cid text primary key,
      kind text not null,
      created_at timestamptz not null default now()
    );
    create table attestations (
      id bigint generated always as identity primary key,
      envelope_cid text not null unique,
      document_cid text not null references documents,
      kind text not null,
      author text not null,
      created_at timestamptz not null,
      log_index bigint unique,
      unique (document_cid, author)
    );
    create index attestations_unlogged on attestations (id) where log_index is null;

    create table reports (
      report_cid text primary key references documents,
      index_cid text not null,
      manifest_cid text not null references versions,
      recipe_cid text not null,
      verdict text not null,
      created_at timestamptz not null default now()
    );
    create index reports_of_index on reports (index_cid, recipe_cid);

    create table selections (
      cid text primary key references documents,
      index_cid text not null,
      policy text not null,
      selected_count bigint not null,
      created_at timestamptz not null default now()
    );
    create index selections_of_index on selections (index_cid);

    create table runs (
      cid text primary key references documents,
      name text not null,
      author text not null,
      status text not null check (status in ('started', 'finished', 'failed')),
      started_cid text,
      created_at timestamptz not null
    );
    create index runs_of_start on runs (started_cid);
    create table run_selections (
      run_cid text not null references runs,
      position integer not null,
      selection_cid text not null references selections,
      index_cid text not null,
      primary key (run_cid, position)
    );
    create index run_selections_of_index on run_selections (index_cid);

    create table jobs (
      id bigint generated always as identity primary key,
      kind text not null,
      key text not null,
      subject text not null,
      state text not null check (state in ('ready', 'running', 'done', 'quarantined')),
      attempts integer not null default 0,
      faults integer not null default 0,
      run_at timestamptz not null default now(),
      leased_until timestamptz check ((leased_until is not null) = (state = 'running')),
      worker text,
      error text,
      progress jsonb,
      created_at timestamptz not null default now(),
      finished_at timestamptz,
      unique (kind, key)
    );
    create index jobs_to_do on jobs (run_at) where state in ('ready', 'running');
    create index jobs_of_subject on jobs (subject);

    create table log_state (
      id integer primary key default 1 check (id = 1),
      origin text not null,
      size bigint not null check (size >= 0),
      root_hash bytea not null check (octet_length(root_hash) = 32),
      checkpoint bytea not null
    );
    create table log_entries (
      index bigint primary key check (index >= 0),
      entry bytea not null
    );
    create table log_tiles (
      level integer not null,
      index bigint not null,
      width integer not null check (width between 1 and 256),
      bytes bytea not null check (octet_length(bytes) = 32 * width),
      primary key (level, index)
    );

    create table datastore (
      key text collate "C" primary key,
      value bytea not null
    );
  `.execute(db)
}

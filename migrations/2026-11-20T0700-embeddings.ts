/** Embeddings of indices, in shards that different workers make. The vectors are in blocks; here stands which of them there are. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    -- How the samples of an index are cut. "model" is the digest of all that decides a vector besides the text.
    create table embeddings (
      index_cid text not null,
      model text not null,
      text_column text,
      sample_count bigint not null check (sample_count >= 0),
      shard_samples integer not null check (shard_samples > 0),
      -- Indices that share samples with this one, and the file that says which.
      source_cids text[] not null,
      origins_cid text check ((origins_cid is null) = (source_cids = '{}')),
      created_at timestamptz not null default now(),
      primary key (index_cid, model)
    );
    create index embeddings_of_model on embeddings (model, created_at);

    create table embedding_shards (
      index_cid text not null,
      model text not null,
      first_sample bigint not null check (first_sample >= 0),
      sample_count integer not null check (sample_count > 0),
      cid text not null,
      -- Vectors that were taken over from other indices; the model made the others.
      copied_samples integer not null check (copied_samples between 0 and sample_count),
      created_at timestamptz not null default now(),
      primary key (index_cid, model, first_sample),
      foreign key (index_cid, model) references embeddings
    );
  `.execute(db)
}

/** The checkpoint that is published follows the one that is signed: between them it is kept outside of this database, and witnessed. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    alter table log_state
      add column published_size bigint check (published_size between 0 and size),
      add column published_root_hash bytea check (octet_length(published_root_hash) = 32),
      add column published_checkpoint bytea,
      add check (num_nulls(published_size, published_root_hash, published_checkpoint) in (0, 3));
    update log_state set published_size = size, published_root_hash = root_hash, published_checkpoint = checkpoint;
  `.execute(db)
}

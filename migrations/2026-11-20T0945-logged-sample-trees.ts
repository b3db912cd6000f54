/** The sample tree of an index, which stands in its log entry. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<any>): Promise<void> {
  await sql`
    alter table attestations
      add column tree_root bytea check (octet_length(tree_root) = 32),
      add column tree_size bigint check (tree_size >= 0),
      add check ((kind = 'index') = (tree_root is not null) and (tree_root is null) = (tree_size is null));
  `.execute(db)
}

/**
 * Queries of the public log: its state, entries and tiles. Which entries come next and how the tree grows is the sequencer's affair;
 * it calls the writing functions inside one transaction that begins with `lockLogState`.
 */
import { sql } from 'kysely'
import { CID } from '../core/cid.ts'
import type { DocumentKind } from '../core/documents/document.ts'
import type { SampleTreeHead } from '../core/log/entry.ts'
import type { Database } from './database.ts'
import { treeOfRow } from './documents.ts'

/** Where the log stands: what its sequencer has signed, published or not. */
export interface LogState {
  origin: string
  size: number
  rootHash: Uint8Array
  /** The signed note. */
  checkpoint: Uint8Array
}

/** The log's state; null before its first checkpoint. */
export async function readLogState(db: Database): Promise<LogState | null> {
  return toLogState(await db.selectFrom('log_state').selectAll().executeTakeFirst())
}

/** The log's state with its row locked until the transaction ends, so that there is one writer at a time. */
export async function lockLogState(trx: Database): Promise<LogState | null> {
  return toLogState(await trx.selectFrom('log_state').selectAll().forUpdate().executeTakeFirst())
}

function toLogState(row: { origin: string; size: number; root_hash: Uint8Array; checkpoint: Uint8Array } | undefined): LogState | null {
  return row === undefined ? null : { origin: row.origin, size: row.size, rootHash: row.root_hash, checkpoint: row.checkpoint }
}

/** Writes the first state. False if another process was first. */
export async function createLogState(db: Database, state: LogState): Promise<boolean> {
  const result = await db
    .insertInto('log_state')
    .values({ origin: state.origin, size: state.size, root_hash: state.rootHash, checkpoint: state.checkpoint })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst()
  return result.numInsertedOrUpdatedRows === 1n
}

/** A checkpoint that the world may see. */
export type PublishedCheckpoint = Omit<LogState, 'origin'>

/** The newest published checkpoint; null before the first. What the log has beyond it, nobody was promised. */
export async function readPublishedCheckpoint(db: Database): Promise<PublishedCheckpoint | null> {
  const row = await db
    .selectFrom('log_state')
    .select(['published_size', 'published_root_hash', 'published_checkpoint'])
    .where('published_checkpoint', 'is not', null)
    .executeTakeFirst()
  if (row === undefined) return null
  return { size: row.published_size!, rootHash: row.published_root_hash!, checkpoint: row.published_checkpoint! }
}

/** Makes a checkpoint the published one, unless a larger one is. A checkpoint of the same size replaces it: it has more cosignatures. */
export async function publishCheckpoint(db: Database, { size, rootHash, checkpoint }: PublishedCheckpoint): Promise<void> {
  await db
    .updateTable('log_state')
    .set({ published_size: size, published_root_hash: rootHash, published_checkpoint: checkpoint })
    .where((row) => row.or([row('published_size', 'is', null), row('published_size', '<=', size)]))
    .execute()
}

/** Replaces the state if the log still has `expectedSize` entries. False if it has not. */
export async function swapLogState(trx: Database, expectedSize: number, state: Omit<LogState, 'origin'>): Promise<boolean> {
  const result = await trx
    .updateTable('log_state')
    .set({ size: state.size, root_hash: state.rootHash, checkpoint: state.checkpoint })
    .where('size', '=', expectedSize)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

export interface UnloggedAttestation {
  id: number
  kind: DocumentKind
  document: CID
  envelope: CID
  tree?: SampleTreeHead
}

/** The oldest attestations without an entry, by id. */
export async function unloggedAttestations(db: Database, limit: number): Promise<UnloggedAttestation[]> {
  const rows = await db
    .selectFrom('attestations')
    .select(['id', 'kind', 'document_cid', 'envelope_cid', 'tree_root', 'tree_size'])
    .where('log_index', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    document: CID.parse(row.document_cid),
    envelope: CID.parse(row.envelope_cid),
    ...treeOfRow(row),
  }))
}

/** Gives the attestations `ids[i]` the indices firstIndex + i. */
export async function assignLogIndices(trx: Database, firstIndex: number, ids: readonly number[]): Promise<void> {
  await sql`
    update attestations set log_index = ${firstIndex} + numbered.position - 1
    from unnest(${ids}::bigint[]) with ordinality as numbered (id, position)
    where attestations.id = numbered.id and attestations.log_index is null`.execute(trx)
}

/** Appends entries at firstIndex, firstIndex + 1 … Throws (unique violation) if one of the indices is taken. */
export async function insertLogEntries(trx: Database, firstIndex: number, entries: readonly Uint8Array[]): Promise<void> {
  await sql`
    insert into log_entries (index, entry)
    select ${firstIndex} + position - 1, entry from unnest(${entries}::bytea[]) with ordinality as numbered (entry, position)`.execute(trx)
}

export interface StoredTile {
  level: number
  index: number
  /** Hashes in the tile, 1 … 256. */
  width: number
  /** width × 32 bytes. */
  bytes: Uint8Array
}

/** Writes new tiles and widens the ones that have grown. */
export async function writeLogTiles(trx: Database, tiles: readonly StoredTile[]): Promise<void> {
  if (tiles.length === 0) return
  await trx
    .insertInto('log_tiles')
    .values(tiles.map(({ level, index, width, bytes }) => ({ level, index, width, bytes })))
    .onConflict((conflict) =>
      conflict.columns(['level', 'index']).doUpdateSet((row) => ({ width: row.ref('excluded.width'), bytes: row.ref('excluded.bytes') })),
    )
    .execute()
}

/** The widest form of a tile that the log has; null if there is none. Narrower forms are its prefixes. */
export async function readLogTile(db: Database, level: number, index: number): Promise<StoredTile | null> {
  const row = await db.selectFrom('log_tiles').selectAll().where('level', '=', level).where('index', '=', index).executeTakeFirst()
  return row ?? null
}

/** The entries `from` ≤ index < `to`, in order; fewer if the log ends before. */
export async function readLogEntries(db: Database, from: number, to: number): Promise<Uint8Array[]> {
  const rows = await db
    .selectFrom('log_entries')
    .select('entry')
    .where('index', '>=', from)
    .where('index', '<', to)
    .orderBy('index')
    .execute()
  return rows.map((row) => row.entry)
}

/** Where the log has an envelope; null until it has. */
export async function logIndexOf(db: Database, envelope: CID): Promise<number | null> {
  const row = await db.selectFrom('attestations').select('log_index').where('envelope_cid', '=', envelope.toString()).executeTakeFirst()
  return row?.log_index ?? null
}

/**
 * Reads the whole log again and checks that its parts agree: checkpoint, state, entries, tiles and the attestations' indices. For
 * operators, and for tests after every step.
 */
import { bytesToHex, equalBytes } from '../../core/bytes.ts'
import { DIGEST_LENGTH, type Sha256, sha256 } from '../../core/hash.ts'
import { openCheckpoint } from '../../core/log/checkpoint.ts'
import { parseLogEntry } from '../../core/log/entry.ts'
import { createTreeBuilder } from '../../core/merkle/builder.ts'
import type { Tile } from '../../core/merkle/tiles.ts'
import { EMPTY_ROOT, leafHash } from '../../core/merkle/tree.ts'
import type { Database } from '../../store/database.ts'
import { readLogEntries, readLogState, readLogTile } from '../../store/log.ts'

const PAGE_SIZE = 2048

export interface CheckedLog {
  size: number
  rootHash: Uint8Array
}

/** Throws an Error that says what is wrong. A log that does not exist yet passes as an empty one. Memory stays bounded. */
export async function checkLog(db: Database, vkey: string, hash: Sha256 = sha256): Promise<CheckedLog> {
  // One snapshot, so that a sequencer at work is no contradiction.
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute((trx) => checkSnapshot(trx, vkey, hash))
}

async function checkSnapshot(db: Database, vkey: string, hash: Sha256): Promise<CheckedLog> {
  const state = await readLogState(db)
  const size = state?.size ?? 0
  const rootHash = state?.rootHash ?? EMPTY_ROOT
  if (state !== null) {
    const checkpoint = openCheckpoint(state.checkpoint, vkey)
    expect(checkpoint.origin === state.origin, `the checkpoint is of ${checkpoint.origin}, the state of ${state.origin}`)
    expect(checkpoint.size === size, `the checkpoint has size ${checkpoint.size}, the state ${size}`)
    expect(equalBytes(checkpoint.rootHash, rootHash), 'the checkpoint and the state have different root hashes')
  }

  const { tree, takeTiles } = createTileCollector(hash)
  let tileCount = 0
  for (let from = 0; from < size; from += PAGE_SIZE) {
    const to = Math.min(from + PAGE_SIZE, size)
    const entries = await readLogEntries(db, from, to)
    expect(entries.length === to - from, `an entry from ${from} to ${to - 1} is missing`)
    await checkAttestations(db, from, entries)
    for (const entry of entries) tree.push(leafHash(entry, hash))
    tileCount += await checkTiles(db, takeTiles())
  }
  const rebuilt = tree.finish()
  tileCount += await checkTiles(db, takeTiles())
  expect(
    equalBytes(rebuilt.rootHash, rootHash),
    `the entries have the root ${bytesToHex(rebuilt.rootHash)}, the checkpoint ${bytesToHex(rootHash)}`,
  )

  const stored = await countRows(db)
  expect(stored.entries === size, `${stored.entries} entries are stored for a log of size ${size}`)
  expect(stored.tiles === tileCount, `${stored.tiles} tiles are stored where the tree has ${tileCount}`)
  expect(stored.indices === size, `${stored.indices} attestations have an index in a log of size ${size}`)
  return { size, rootHash: rebuilt.rootHash }
}

/** Entries `firstIndex`, `firstIndex` + 1 … say what the attestations with these indices say. */
async function checkAttestations(db: Database, firstIndex: number, entries: readonly Uint8Array[]): Promise<void> {
  const rows = await db
    .selectFrom('attestations')
    .select(['log_index', 'kind', 'document_cid', 'envelope_cid', 'tree_root', 'tree_size'])
    .where('log_index', '>=', firstIndex)
    .where('log_index', '<', firstIndex + entries.length)
    .orderBy('log_index')
    .execute()
  for (const [i, bytes] of entries.entries()) {
    const { kind, document, envelope, tree } = parseLogEntry(bytes)
    const row = rows[i]
    expect(
      row !== undefined &&
        row.log_index === firstIndex + i &&
        row.kind === kind &&
        row.document_cid === document.toString() &&
        row.envelope_cid === envelope.toString() &&
        (row.tree_root === null ? tree === undefined : tree?.rootHash === bytesToHex(row.tree_root) && tree.size === row.tree_size),
      `entry ${firstIndex + i} is not that of the attestation with its index`,
    )
  }
}

/** The stored tiles are these. Returns how many. */
async function checkTiles(db: Database, tiles: readonly Tile[]): Promise<number> {
  for (const { level, index, width, bytes } of tiles) {
    const stored = await readLogTile(db, level, index)
    expect(stored !== null, `tile ${level}/${index} is missing`)
    expect(stored.width === width, `tile ${level}/${index} has ${stored.width} hashes instead of ${width}`)
    expect(equalBytes(stored.bytes, bytes), `tile ${level}/${index} does not follow from the entries`)
  }
  return tiles.length
}

/** A tree builder whose tiles are kept, with their places, until they are taken. */
function createTileCollector(hash: Sha256) {
  let tiles: Tile[] = []
  const counts: number[] = []
  const tree = createTreeBuilder({
    hash,
    onTile(level, bytes) {
      const index = counts[level] ?? 0
      counts[level] = index + 1
      tiles.push({ level, index, width: bytes.length / DIGEST_LENGTH, bytes })
    },
  })
  const takeTiles = (): Tile[] => {
    const taken = tiles
    tiles = []
    return taken
  }
  return { tree, takeTiles }
}

async function countRows(db: Database): Promise<{ entries: number; tiles: number; indices: number }> {
  const { entries } = await db
    .selectFrom('log_entries')
    .select((row) => row.fn.countAll<number>().as('entries'))
    .executeTakeFirstOrThrow()
  const { tiles } = await db
    .selectFrom('log_tiles')
    .select((row) => row.fn.countAll<number>().as('tiles'))
    .executeTakeFirstOrThrow()
  const { indices } = await db
    .selectFrom('attestations')
    .select((row) => row.fn.count<number>('log_index').as('indices'))
    .executeTakeFirstOrThrow()
  return { entries, tiles, indices }
}

function expect(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(`the log is broken: ${otherwise}`)
}

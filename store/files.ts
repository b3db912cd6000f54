/**
 * Whole uploaded files. The order of writes: every block durable → the root pinned → the row. The row is the acknowledgement: whoever sees
 * it may count on every byte, after a SIGKILL at any moment. A crash before it leaves blocks that nobody names; the upload is repeated.
 */
import { hexToBytes, bytesToHex } from '../core/bytes.ts'
import { CID } from '../core/cid.ts'
import type { Blocks } from './blocks.ts'
import type { Database } from './database.ts'

export interface StoredFile {
  cid: CID
  sizeBytes: number
  /** Of the whole file, 64 hexadecimal digits. */
  sha256: string
}

/**
 * Takes in a file as a stream, pins and records it. With `expected`, bytes that make another CID are refused with `cid-mismatch` and leave
 * nothing. `created` is false when the file was already here.
 */
export async function storeFile(
  db: Database,
  blocks: Blocks,
  source: AsyncIterable<Uint8Array>,
  options: { expected?: CID; signal?: AbortSignal } = {},
): Promise<StoredFile & { created: boolean }> {
  const { cid, sizeBytes, sha256 } = await blocks.importFile(source, options)
  await blocks.pin(cid)
  const result = await db
    .insertInto('files')
    .values({ cid: cid.toString(), size_bytes: sizeBytes, sha256: hexToBytes(sha256) })
    .onConflict((conflict) => conflict.column('cid').doNothing())
    .executeTakeFirst()
  return { cid, sizeBytes, sha256, created: result.numInsertedOrUpdatedRows === 1n }
}

/** A file that was taken in whole; null if it was not. */
export async function findFile(db: Database, cid: CID): Promise<StoredFile | null> {
  return (await findFiles(db, [cid])).get(cid.toString()) ?? null
}

/** Those of these files that were taken in whole, by CID text. */
export async function findFiles(db: Database, cids: readonly CID[]): Promise<Map<string, StoredFile>> {
  const found = new Map<string, StoredFile>()
  const texts = [...new Set(cids.map((cid) => cid.toString()))]
  for (let start = 0; start < texts.length; start += 10_000) {
    const rows = await db
      .selectFrom('files')
      .selectAll()
      .where('cid', 'in', texts.slice(start, start + 10_000))
      .execute()
    for (const row of rows) found.set(row.cid, { cid: CID.parse(row.cid), sizeBytes: row.size_bytes, sha256: bytesToHex(row.sha256) })
  }
  return found
}

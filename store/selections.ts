/** Selections that were computed here. The document and its bitmap are blocks; these rows find them. */
import { CID } from '../core/cid.ts'
import { type Encoded, encodeDocument } from '../core/documents/document.ts'
import type { Policy, Selection } from '../core/documents/selection.ts'
import { type ReportFlags, computeSelection } from '../core/selection.ts'
import type { Blocks } from './blocks.ts'
import type { Database } from './database.ts'
import { loadDocument, putDocument, saveDocument } from './documents.ts'
import { loadFindings } from './findings.ts'

/**
 * Computes a selection and keeps it. The order of writes: bitmap pinned → document pinned → row. Throws what `computeSelection` throws,
 * and what the blocks do.
 */
export async function storeSelection(
  db: Database,
  blocks: Blocks,
  { index, reports, policy }: { index: CID; reports: readonly CID[]; policy: Policy },
): Promise<Encoded<Selection>> {
  const { sampleCount } = (await loadDocument(blocks, 'index', index)).document
  const flags: ReportFlags[] = []
  for (const cid of reports) flags.push({ cid, flags: (await loadFindings(blocks, cid, sampleCount)).flags })
  const { bitmap, selection } = computeSelection({ index, sampleCount, reports: flags, policy })
  const stored = await blocks.importBytes(bitmap.bytes)
  await blocks.pin(stored.cid)
  const encoded = encodeDocument('selection', { ...selection, bitmap: stored.cid }, blocks.hash)
  await putDocument(blocks, encoded)
  await saveSelection(db, encoded)
  return encoded
}

/** Records a selection whose blocks (document and bitmap) are already pinned. Twice does no harm. */
export async function saveSelection(db: Database, selection: Encoded<Selection>): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await saveDocument(trx, 'selection', selection.cid)
    await trx
      .insertInto('selections')
      .values({
        cid: selection.cid.toString(),
        index_cid: selection.document.index.toString(),
        policy: selection.document.policy.name,
        selected_count: selection.document.selectedCount,
      })
      .onConflict((conflict) => conflict.column('cid').doNothing())
      .execute()
  })
}

export interface SelectionSummary {
  selection: CID
  policy: string
  selectedCount: number
}

/** The selections of an index, oldest first. */
export async function selectionsOfIndex(db: Database, index: CID): Promise<SelectionSummary[]> {
  const rows = await db
    .selectFrom('selections')
    .selectAll()
    .where('index_cid', '=', index.toString())
    .orderBy('created_at')
    .orderBy('cid')
    .execute()
  return rows.map((row) => ({ selection: CID.parse(row.cid), policy: row.policy, selectedCount: row.selected_count }))
}

/** The index of a selection that was computed here; null when it was not. */
export async function indexOfSelection(db: Database, selection: CID): Promise<CID | null> {
  const row = await db.selectFrom('selections').select('index_cid').where('cid', '=', selection.toString()).executeTakeFirst()
  return row === undefined ? null : CID.parse(row.index_cid)
}

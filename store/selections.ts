/** Selections that were computed here. The document and its bitmap are blocks; these rows find them. */
import { CID } from '../core/cid.ts'
import type { Encoded } from '../core/documents/document.ts'
import type { Selection } from '../core/documents/selection.ts'
import type { Database } from './database.ts'
import { saveDocument } from './documents.ts'

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

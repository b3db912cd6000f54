/** What was exported, by commit id and by what it shows. The documents and files are blocks; these rows find them. */
import { CID } from '../core/cid.ts'
import { type Export, commitIdOf, parseExport } from '../core/hub/exportDocument.ts'
import type { Blocks } from './blocks.ts'
import type { Database } from './database.ts'

export interface ExportRow {
  commit: string
  subject: CID
  manifest: CID
  document: CID
}

/** Makes an export visible; its blocks must be pinned already. Twice does no harm. */
export async function saveExport(db: Database, document: CID, { subject, manifest }: Export): Promise<void> {
  await db
    .insertInto('exports')
    .values({
      commit_id: commitIdOf(document),
      subject_cid: subject.toString(),
      manifest_cid: manifest.toString(),
      export_cid: document.toString(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Those of these reports or selections that are exported, by CID text. */
export async function exportsOf(db: Database, subjects: readonly CID[]): Promise<Map<string, ExportRow>> {
  if (subjects.length === 0) return new Map()
  const rows = await db.selectFrom('exports').selectAll().where('subject_cid', 'in', subjects.map(String)).execute()
  return new Map(rows.map((row) => [row.subject_cid, toExport(row)]))
}

export async function exportByCommit(db: Database, commit: string): Promise<ExportRow | null> {
  const row = await db.selectFrom('exports').selectAll().where('commit_id', '=', commit).executeTakeFirst()
  return row === undefined ? null : toExport(row)
}

/** Asks for the export of a selection that was computed here: a worker makes it. */
export async function requestExport(db: Database, selection: CID): Promise<void> {
  await db
    .insertInto('export_requests')
    .values({ subject_cid: selection.toString() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Throws `block-missing`, `block-corrupt` or `invalid-document`. */
export async function loadExport(blocks: Blocks, document: CID): Promise<Export> {
  return parseExport(await blocks.get(document))
}

function toExport(row: { commit_id: string; subject_cid: string; manifest_cid: string; export_cid: string }): ExportRow {
  return {
    commit: row.commit_id,
    subject: CID.parse(row.subject_cid),
    manifest: CID.parse(row.manifest_cid),
    document: CID.parse(row.export_cid),
  }
}

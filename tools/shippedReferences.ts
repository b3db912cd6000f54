/** The human texts that ship with Assay, for verifications that have no registry to ask for others. */
import { fileURLToPath } from 'node:url'
import { listLocalFiles } from '../cli/localFiles.ts'
import { folderOf, SHIPPED } from '../cli/references/shipped.ts'
import { putDocument } from '../store/documents.ts'
import type { DataSetReference } from '../verifier/compared.ts'
import { cellsOf, type KindOfText, parseCell } from '../verifier/references/cells.ts'
import { indexLocally, type LocalIndexOptions } from './localIndex.ts'

/** Indexes those that texts of this kind are compared with, if any. */
export async function shippedReferences(kind: KindOfText, options: LocalIndexOptions): Promise<DataSetReference[]> {
  const wanted = cellsOf(kind)
  const references: DataSetReference[] = []
  for (const shipped of SHIPPED) {
    const cell = parseCell(`${shipped.description.language}/${shipped.description.domain}`)
    if (!wanted.includes(cell)) continue
    const files = await listLocalFiles(fileURLToPath(folderOf(shipped)))
    const { manifest, index } = await indexLocally(files, { ...shipped.description, name: `shipped/${shipped.folder}` }, options)
    for (const document of [manifest, index]) await putDocument(options.blocks, document)
    references.push({ cell, index: index.cid, sampleCount: index.document.sampleCount })
  }
  return references
}

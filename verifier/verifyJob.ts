/**
 * The verify job: an indexed version whose samples are embedded becomes a verified one. Order of writes: findings and evidence, then the report and its envelope,
 * all pinned; then one transaction that makes the report visible. A crash before it leaves blocks that nobody names; doing the job
 * again gives the same report.
 */
import type { CID } from '../core/cid.ts'
import { encodeDocument, type Encoded } from '../core/documents/document.ts'
import type { Recipe } from '../core/documents/recipe.ts'
import type { Signer } from '../core/keys.ts'
import { attest } from '../core/statement.ts'
import type { Blocks } from '../store/blocks.ts'
import type { Database } from '../store/database.ts'
import { loadDocument, putDocument, putEnvelope, saveDocument } from '../store/documents.ts'
import type { JobHandler } from '../store/jobs.ts'
import { completeReport, reportsOf } from '../store/versions.ts'
import { buildReport } from './buildReport.ts'
import type { ShardModel } from './shards/shardModel.ts'
import { storedEmbeddings, storedImageEmbeddings } from './shards/storedEmbeddings.ts'

export interface VerifierContext {
  db: Database
  blocks: Blocks
  /** The verifier's own key. */
  signer: Signer
  clock: () => Date
  /** What every index is verified under. */
  recipe: Encoded<Recipe>
  /** Whose stored embeddings are read: the recipe's model. */
  model?: ShardModel | undefined
}

/** The handler of `verify` jobs. */
export function createVerifyHandler({ db, blocks, signer, clock, recipe, model }: VerifierContext): JobHandler {
  return async ({ subject }, { signal, progress }) => {
    const reports = await reportsOf(db, subject)
    if (reports.some((report) => report.recipe.equals(recipe.cid))) return
    const index = await loadDocument(blocks, 'index', subject)
    const { document: manifest } = await loadDocument(blocks, 'manifest', index.document.manifest)
    await putDocument(blocks, recipe)
    await saveDocument(db, 'recipe', recipe.cid)
    const stored = model === undefined ? undefined : (of: CID) => storedEmbeddings({ db, blocks, model }, of)
    const report = await buildReport({
      blocks,
      index,
      manifest,
      recipe,
      embedder: stored?.(subject),
      imageEmbedder: model === undefined ? undefined : storedImageEmbeddings({ db, blocks, model }, subject),
      comparedEmbedder: stored,
      signal,
      onProgress: progress,
    })
    signal.throwIfAborted()
    await blocks.pin(report.findings)
    await blocks.pin(report.evidence)
    if (report.fingerprints !== undefined) await blocks.pin(report.fingerprints)
    const encoded = encodeDocument('report', report, blocks.hash)
    const createdAt = clock()
    const envelope = attest({ kind: 'report', cid: encoded.cid, bytes: encoded.bytes }, { signer, createdAt: createdAt.toISOString() })
    await putDocument(blocks, encoded)
    const envelopeCid = await putEnvelope(blocks, envelope)
    await completeReport(db, encoded, { kind: 'report', document: encoded.cid, envelope: envelopeCid, author: signer.did, createdAt })
  }
}

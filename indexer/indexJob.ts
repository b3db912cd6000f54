/**
 * The index job: a pinned version becomes an indexed one. Order of writes: artifacts, then the document and its envelope, all pinned;
 * then one transaction that makes the index visible. A crash before it leaves blocks that nobody names; doing the job again gives
 * the same document.
 */
import { encodeDocument } from '../core/documents/document.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import type { Signer } from '../core/keys.ts'
import { treeOf } from '../core/log/entry.ts'
import { Problem } from '../core/problem.ts'
import { attest } from '../core/statement.ts'
import type { Blocks } from '../store/blocks.ts'
import type { Database } from '../store/database.ts'
import { loadDocument, putDocument, putEnvelope } from '../store/documents.ts'
import type { JobHandler } from '../store/jobs.ts'
import { completeIndex, failVersion, versionOf } from '../store/versions.ts'
import { buildIndex } from './buildIndex.ts'

export interface IndexerContext {
  db: Database
  blocks: Blocks
  /** The indexer's own key. */
  signer: Signer
  clock: () => Date
  /** See `buildIndex`. */
  scratchDir?: string
}

/** Codes that say the contributor's data are wrong; any other problem is with our store and may pass. */
const FAULTS_OF_DATA = new Set<Problem['code']>(['invalid-file', 'invalid-sample', 'unsupported-format', 'too-large'])

/** The handler of `index` jobs. A version whose data cannot be indexed fails with the reason; all else is thrown, to be tried again. */
export function createIndexHandler({ db, blocks, signer, clock, scratchDir }: IndexerContext): JobHandler {
  return async ({ subject }, { signal, progress }) => {
    const { index: existing, failure } = await versionOf(db, subject)
    if (existing !== null || failure !== null) return
    const manifest = await loadDocument(blocks, 'manifest', subject)
    let index: SampleIndex
    try {
      index = await buildIndex({
        blocks,
        hash: blocks.hash,
        manifest,
        signal,
        onProgress: progress,
        ...(scratchDir === undefined ? {} : { scratchDir }),
      })
    } catch (error) {
      if (!(error instanceof Problem && FAULTS_OF_DATA.has(error.code))) throw error
      await failVersion(db, subject, error.detail)
      return
    }
    signal.throwIfAborted()
    for (const { cid } of index.shards) await blocks.pin(cid)
    for (const cid of index.tree.levels) await blocks.pin(cid)
    await blocks.pin(index.digestTable)
    const encoded = encodeDocument('index', index, blocks.hash)
    const createdAt = clock()
    const envelope = attest({ kind: 'index', cid: encoded.cid, bytes: encoded.bytes }, { signer, createdAt: createdAt.toISOString() })
    await putDocument(blocks, encoded)
    const envelopeCid = await putEnvelope(blocks, envelope)
    await completeIndex(db, subject, {
      kind: 'index',
      document: encoded.cid,
      envelope: envelopeCid,
      author: signer.did,
      createdAt,
      ...treeOf(index),
    })
  }
}

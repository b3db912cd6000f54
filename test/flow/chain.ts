/** Everything that a run rests on, as the registry holds it. */
import assert from 'node:assert/strict'
import type { CID } from '../../core/cid.ts'
import { type DocumentKind, type DocumentOf, type Encoded, parseDocument } from '../../core/documents/document.ts'
import { parseCid } from '../../core/cid.ts'
import type { SignedKind } from '../../core/statement.ts'
import type { Database } from '../../store/database.ts'
import { attestationOf } from '../../store/documents.ts'
import { readLogState } from '../../store/log.ts'

export interface Chain {
  manifest: Encoded<DocumentOf<'manifest'>>
  index: Encoded<DocumentOf<'index'>>
  report: Encoded<DocumentOf<'report'>>
  selection: Encoded<DocumentOf<'selection'>>
  started: Encoded<DocumentOf<'run'>>
  run: Encoded<DocumentOf<'run'>>
  /** The signature of a document. */
  envelopes: Record<SignedKind, CID>
}

/** Follows the links of a finished run over one data set. */
export async function chainOf(server: string, db: Database, run: string): Promise<Chain> {
  async function load<K extends DocumentKind>(kind: K, cid: CID): Promise<Encoded<DocumentOf<K>>> {
    const response = await fetch(`${server}/v1/documents/${cid.toString()}`)
    assert.equal(response.status, 200)
    return parseDocument(kind, new Uint8Array(await response.arrayBuffer()))
  }
  const finished = await load('run', parseCid(run))
  const started = await load('run', finished.document.previous!)
  const selection = await load('selection', finished.document.consumed[0]!.selection)
  const index = await load('index', selection.document.index)
  const report = await load('report', selection.document.reports[0]!)
  const manifest = await load('manifest', index.document.manifest)
  const envelopeOf = async ({ cid }: { cid: CID }) => (await attestationOf(db, cid))!.envelope
  const envelopes = {
    manifest: await envelopeOf(manifest),
    index: await envelopeOf(index),
    report: await envelopeOf(report),
    run: await envelopeOf(finished),
  }
  return { manifest, index, report, selection, started, run: finished, envelopes }
}

/** The newest checkpoint as it is stored. */
export async function storedCheckpoint(db: Database): Promise<Uint8Array> {
  return (await readLogState(db))!.checkpoint
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Encoded } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { attest, verifyAttestation } from '../../core/statement.ts'
import { createIndexHandler } from '../../indexer/indexJob.ts'
import { type Blocks, openBlocks } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'
import { attestationsOf, loadDocument, putDocument, putEnvelope } from '../../store/documents.ts'
import type { Job } from '../../store/jobs.ts'
import { createVersion, versionOf } from '../../store/versions.ts'
import { testDatabase } from '../support/postgres.ts'
import { CONTRIBUTOR, CREATED_AT, publish } from './manifests.ts'

const INDEXER = signerFromSeed(new Uint8Array(32).fill(2))
const clock = () => new Date('2026-11-20T07:00:00.000Z')

async function createPinned(
  db: Database,
  blocks: Blocks,
  content: Record<string, string>,
): Promise<{ manifest: Encoded<Manifest>; job: Job }> {
  const manifest = await publish(blocks, content, { name: `tests/data${Object.keys(content).join('')}` })
  await blocks.pin(manifest.document.root)
  const envelope = attest({ kind: 'manifest', cid: manifest.cid, bytes: manifest.bytes }, { signer: CONTRIBUTOR, createdAt: CREATED_AT })
  await putDocument(blocks, manifest)
  await createVersion(db, manifest, {
    kind: 'manifest',
    document: manifest.cid,
    envelope: await putEnvelope(blocks, envelope),
    author: CONTRIBUTOR.did,
    createdAt: new Date(CREATED_AT),
  })
  return { manifest, job: { id: 1, kind: 'index', key: manifest.cid.toString(), subject: manifest.cid, attempts: 1 } }
}

const CONTEXT = { signal: new AbortController().signal, progress: () => {} }

test('a pinned version becomes an indexed one: document, envelope and artifacts pinned, the attestation recorded; twice does no harm', async () => {
  await using db = await testDatabase()
  await using blocks = await openBlocks()
  const handler = createIndexHandler({ db, blocks, signer: INDEXER, clock })
  const { manifest, job } = await createPinned(db, blocks, { 'a.jsonl': '{"text":"one"}\n{"text":"two"}\n' })
  await handler(job, CONTEXT)
  const version = await versionOf(db, manifest.cid)
  assert.equal(version.state, 'indexed')
  const index = await loadDocument(blocks, 'index', version.index!)
  assert.ok(index.document.manifest.equals(manifest.cid))
  assert.equal(index.document.sampleCount, 2)
  for (const cid of [
    index.cid,
    ...index.document.shards.map((shard) => shard.cid),
    ...index.document.tree.levels,
    index.document.digestTable,
  ])
    assert.ok(await blocks.isPinned(cid))
  const [attestation, ...others] = await attestationsOf(db, index.cid)
  assert.equal(others.length, 0)
  const verified = verifyAttestation(await blocks.get(attestation!.envelope), { kind: 'index', cid: index.cid })
  assert.equal(verified.author, INDEXER.did)
  await handler(job, CONTEXT)
  assert.equal((await attestationsOf(db, index.cid)).length, 1)
})

test('data that cannot be indexed fail the version with the reason, and nothing of an index is visible', async () => {
  await using db = await testDatabase()
  await using blocks = await openBlocks()
  const handler = createIndexHandler({ db, blocks, signer: INDEXER, clock })
  for (const [content, reason] of [
    [{ 'a.csv': 'a,b\n1,2\n3\n' }, /^a\.csv row 2: 1 fields where the header names 2 columns$/],
    [{ 'b.parquet': 'PAR1 but not really PAR1' }, /^b\.parquet: not a whole Parquet file/],
    [{ 'c.mp4': 'x' }, /^none of the files/],
  ] as const) {
    const { manifest, job } = await createPinned(db, blocks, content as Record<string, string>)
    await handler(job, CONTEXT)
    const version = await versionOf(db, manifest.cid)
    assert.equal(version.state, 'failed')
    assert.match(version.failure!, reason)
    assert.equal(version.index, null)
  }
  assert.equal((await db.selectFrom('documents').where('kind', '=', 'index').selectAll().execute()).length, 0)
})

test('a block that is missing is a fault to try again, not a failure of the version', async () => {
  await using db = await testDatabase()
  await using blocks = await openBlocks()
  await using elsewhere = await openBlocks()
  const handler = createIndexHandler({ db, blocks: elsewhere, signer: INDEXER, clock })
  const { manifest, job } = await createPinned(db, blocks, { 'a.jsonl': '{"text":"one"}\n' })
  await putDocument(elsewhere, manifest)
  await assert.rejects(handler(job, CONTEXT), { code: 'block-missing' })
  assert.equal((await versionOf(db, manifest.cid)).state, 'pinned')
})

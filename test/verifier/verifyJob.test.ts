import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { verifyDocument } from '../../core/statement.ts'
import { createIndexHandler } from '../../indexer/indexJob.ts'
import { attestationOf, documentKind, loadDocument } from '../../store/documents.ts'
import type { Job } from '../../store/jobs.ts'
import { createVersion, reportsOf, versionOf } from '../../store/versions.ts'
import { buildRecipe } from '../../verifier/recipe.ts'
import { createVerifyHandler } from '../../verifier/verifyJob.ts'
import { testBlocks } from '../support/blocks.ts'
import { attestationBy, testSigner } from '../support/documents.ts'
import { testDatabase } from '../support/postgres.ts'
import { manifestOf } from './reports.ts'
import { reviews } from './sentences.ts'

const recipe = buildRecipe([])
const context = { signal: new AbortController().signal, progress: () => {} }
const clock = () => new Date('2026-11-20T06:00:00.000Z')

describe('the verify job', () => {
  it('makes an indexed version a verified one, with a pinned and attested report; twice does no harm', async () => {
    await using db = await testDatabase()
    await using blocks = await testBlocks(db)
    const manifest = await manifestOf(blocks, reviews(200, 1).map((row) => JSON.stringify(row) + '\n').join('')) // prettier-ignore
    await blocks.put(manifest.cid.code, manifest.bytes)
    await createVersion(db, manifest, attestationBy(testSigner(1), 'manifest', manifest))
    const job = (kind: Job['kind'], subject: Job['subject']): Job => ({ id: 1, kind, key: 'key', subject, attempts: 1 })
    await createIndexHandler({ db, blocks, signer: testSigner(2), clock })(job('index', manifest.cid), context)
    const index = (await versionOf(db, manifest.cid)).index!

    const signer = testSigner(3)
    const verify = createVerifyHandler({ db, blocks, signer, clock, recipe })
    await verify(job('verify', index), context)
    await verify(job('verify', index), context)

    assert.equal((await versionOf(db, manifest.cid)).state, 'verified')
    const reports = await reportsOf(db, index)
    assert.equal(reports.length, 1)
    const { report } = reports[0]!
    const { document, bytes } = await loadDocument(blocks, 'report', report)
    for (const cid of [report, recipe.cid, document.findings, document.evidence]) assert.ok(await blocks.isPinned(cid))
    assert.ok(document.recipe.equals(recipe.cid))
    assert.equal(await documentKind(db, recipe.cid), 'recipe')
    const attestation = await attestationOf(db, report)
    assert.equal(verifyDocument('report', bytes, await blocks.get(attestation!.envelope)).author, signer.did)
  })
})

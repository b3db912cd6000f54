import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { CID } from '../../core/cid.ts'
import type { Encoded } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { createExportHandler } from '../../indexer/export/exportJob.ts'
import { createIndexHandler } from '../../indexer/indexJob.ts'
import type { Database } from '../../store/database.ts'
import { loadDocument } from '../../store/documents.ts'
import { embeddingShards, findEmbeddingPlan } from '../../store/embeddings.ts'
import { claimJob, completeJob, enqueueMissing, type JobHandler, type JobKind } from '../../store/jobs.ts'
import { createVersion, reportsOf, versionOf } from '../../store/versions.ts'
import { asStored, createEmbedder } from '../../verifier/embedding/embedder.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { buildReport } from '../../verifier/buildReport.ts'
import { buildRecipe } from '../../verifier/recipe.ts'
import { createEmbedHandler } from '../../verifier/shards/embedJob.ts'
import { createPlanHandler } from '../../verifier/shards/planJob.ts'
import { createShardModel } from '../../verifier/shards/shardModel.ts'
import { storedEmbeddings } from '../../verifier/shards/storedEmbeddings.ts'
import { takeVectors } from '../../verifier/vectors.ts'
import { createVerifyHandler } from '../../verifier/verifyJob.ts'
import { testBlocks, type TestBlocks } from '../support/blocks.ts'
import { attestationBy, testSigner } from '../support/documents.ts'
import { testDatabase, type TestDatabase } from '../support/postgres.ts'
import { manifestOf } from './reports.ts'

const clock = () => new Date('2026-11-20T06:00:00.000Z')
const signal = new AbortController().signal
const embedder = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu', threads: 1 })
const recipe = buildRecipe([embedder.reference])

interface Installation {
  db: TestDatabase
  blocks: TestBlocks
  /** Publishes rows as the next version of a data set, with its index. */
  publish: (rows: readonly object[], fields?: Partial<Manifest>) => Promise<{ manifest: Encoded<Manifest>; index: CID }>
  /** Does the jobs of these kinds that are there, and says how many. */
  work: (...kinds: JobKind[]) => Promise<number>
}

/** An installation with one worker, whose shards are small. */
async function install(t: TestContext, { shardSamples = 8, layers = false } = {}): Promise<Installation> {
  const db = await testDatabase()
  const blocks = await testBlocks(db)
  const model = createShardModel({ embedder, device: 'cpu', shardSamples, layers })
  t.after(async () => {
    await model[Symbol.asyncDispose]()
    await blocks[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })
  const aims = { recipe: recipe.cid, model: model.key }
  const handlers: Record<JobKind, JobHandler> = {
    index: createIndexHandler({ db, blocks, signer: testSigner(2), clock }),
    plan: createPlanHandler({ db, blocks, model }),
    embed: createEmbedHandler({ db, blocks, model }),
    verify: createVerifyHandler({ db, blocks, signer: testSigner(3), clock, recipe, model }),
    export: createExportHandler({ db, blocks }),
  }
  async function work(...kinds: JobKind[]): Promise<number> {
    for (let done = 0; ; done++) {
      await enqueueMissing(db, aims)
      const job = await claimJob(db, { kinds, aims, worker: 'test', leaseMs: 60_000 })
      if (job === null) return done
      await handlers[job.kind](job, { signal, progress: () => undefined })
      await completeJob(db, job)
    }
  }
  return {
    db,
    blocks,
    work,
    async publish(rows, fields) {
      const manifest = await manifestOf(blocks, rows.map((row) => `${JSON.stringify(row)}\n`).join(''), fields)
      await blocks.put(manifest.cid.code, manifest.bytes)
      await createVersion(db, manifest, attestationBy(testSigner(1), 'manifest', manifest))
      await work('index')
      return { manifest, index: (await versionOf(db, manifest.cid)).index! }
    },
  }
}

/** Short texts, which the model is quick with. */
function rowsFrom(first: number, count: number): { text: string }[] {
  return Array.from({ length: count }, (_, i) => ({ text: `row ${first + i} of the letters` }))
}

async function shardsOf(db: Database, index: CID): Promise<string[]> {
  const { model } = await db.selectFrom('embeddings').select('model').where('index_cid', '=', index.toString()).executeTakeFirstOrThrow()
  return (await embeddingShards(db, { index, model })).map(
    ({ firstSample, sampleCount, copiedSamples }) => `${firstSample}+${sampleCount}: ${copiedSamples} copied`,
  )
}

async function reportOn({ db, blocks }: Installation, index: CID): Promise<string> {
  const [report, ...others] = await reportsOf(db, index)
  assert.ok(report !== undefined && others.length === 0)
  for (const cid of [report.report]) assert.ok(await blocks.isPinned(cid))
  return report.report.toString()
}

test('a version is embedded shard by shard, and its report is the one that an embedder gives directly', async (t) => {
  const { db, blocks, publish, work } = await install(t, { shardSamples: 50 })
  const { manifest, index } = await publish([...rowsFrom(0, 118), { text: '' }, { text: '  ' }])
  assert.equal(await work('verify'), 0)
  assert.equal(await work('plan'), 1)
  assert.equal(await work('plan', 'verify'), 0)
  assert.equal(await work('embed'), 3)
  assert.deepEqual(await shardsOf(db, index), ['0+50: 0 copied', '50+50: 0 copied', '100+20: 0 copied'])
  assert.equal(await work('verify'), 1)
  assert.equal((await versionOf(db, manifest.cid)).state, 'verified')
  const report = await loadDocument(blocks, 'report', (await reportsOf(db, index))[0]!.report)
  const direct = await buildReport({
    blocks,
    index: await loadDocument(blocks, 'index', index),
    manifest: manifest.document,
    recipe,
    embedder: asStored(embedder),
    signal,
    onProgress: () => undefined,
  })
  assert.deepEqual(report.document, direct)
})

test('a version that adds rows embeds only those; moved rows and rows of other data sets are known too', async (t) => {
  const { db, publish, work } = await install(t)
  const first = await publish(rowsFrom(0, 20))
  await work('plan', 'embed', 'verify')
  const second = await publish([...rowsFrom(100, 2), ...rowsFrom(0, 20).toReversed(), ...rowsFrom(200, 1)], {
    previous: first.manifest.cid,
  })
  await work('plan', 'embed', 'verify')
  assert.deepEqual(await shardsOf(db, second.index), ['0+8: 6 copied', '8+8: 8 copied', '16+7: 6 copied'])
  const other = await publish([...rowsFrom(195, 10), ...rowsFrom(0, 2)], { name: 'ns/others' })
  await work('plan', 'embed', 'verify')
  assert.deepEqual(await shardsOf(db, other.index), ['0+8: 1 copied', '8+4: 2 copied'])
})

test('shards whose samples are those of a shard that is known are its artifact', async (t) => {
  const artifactsOf = async (db: Database, index: CID) => {
    const { model } = await db.selectFrom('embeddings').select('model').where('index_cid', '=', index.toString()).executeTakeFirstOrThrow()
    return (await embeddingShards(db, { index, model })).map(({ cid, copiedSamples }) => [cid.toString(), copiedSamples] as const)
  }
  const rows = [...rowsFrom(0, 9), { text: '' }, ...rowsFrom(9, 12)]
  const grown = await install(t)
  const first = await grown.publish(rows.slice(0, 18))
  await grown.work('plan', 'embed')
  const second = await grown.publish(rows, { previous: first.manifest.cid })
  await grown.work('plan', 'embed')
  const alone = await install(t)
  const made = await alone.publish(rows)
  await alone.work('plan', 'embed')
  const [copied, computed] = [await artifactsOf(grown.db, second.index), await artifactsOf(alone.db, made.index)]
  assert.deepEqual(copied.map(([, samples]) => samples), [8, 8, 2]) // prettier-ignore
  assert.deepEqual(computed.map(([, samples]) => samples), [0, 0, 0]) // prettier-ignore
  assert.deepEqual(copied.map(([cid]) => cid), computed.map(([cid]) => cid)) // prettier-ignore
})

test('the report is the same whether vectors are copied or made', async (t) => {
  const rows = [...rowsFrom(0, 30), ...rowsFrom(7, 3)]
  const alone = await install(t)
  const made = await alone.publish(rows)
  await alone.work('plan', 'embed', 'verify')
  const installation = await install(t, { shardSamples: 5 })
  await installation.publish(rowsFrom(0, 29).toReversed(), { name: 'ns/before' })
  await installation.work('plan', 'embed', 'verify')
  const copied = await installation.publish(rows)
  await installation.work('plan', 'embed', 'verify')
  assert.equal(copied.index.toString(), made.index.toString())
  assert.equal(await reportOn(installation, copied.index), await reportOn(alone, made.index))
  const { copied: total } = await installation.db
    .selectFrom('embedding_shards')
    .select((sum) => sum.fn.sum<number>('copied_samples').as('copied'))
    .where('index_cid', '=', copied.index.toString())
    .executeTakeFirstOrThrow()
  assert.equal(Number(total), 32)
})

test('the same rows under another text column are other texts', async (t) => {
  const { db, publish, work } = await install(t)
  const rows = rowsFrom(0, 8).map(({ text }, i) => ({ text, title: `the title of ${i}` }))
  const first = await publish(rows)
  await work('plan', 'embed', 'verify')
  const second = await publish(rows, { previous: first.manifest.cid, columns: { text: 'title' } })
  await work('plan', 'embed', 'verify')
  assert.deepEqual(await shardsOf(db, second.index), ['0+8: 0 copied'])
})

test('equal texts of a shard are embedded once', async (t) => {
  const { db, publish, work } = await install(t)
  const { index } = await publish([...rowsFrom(0, 3), ...rowsFrom(0, 3), { text: 'alone' }])
  await work('plan', 'embed')
  assert.deepEqual(await shardsOf(db, index), ['0+7: 3 copied'])
})

test('vectors that cannot be read any more are made again', async (t) => {
  const { db, blocks, publish, work } = await install(t)
  const first = await publish(rowsFrom(0, 16))
  await work('plan', 'embed')
  const { model } = await db.selectFrom('embeddings').select('model').executeTakeFirstOrThrow()
  const [lost] = await embeddingShards(db, { index: first.index, model })
  await db
    .updateTable('embedding_shards')
    .set({ cid: (await blocks.importBytes(new Uint8Array(1000))).cid.toString() })
    .where('cid', '=', lost!.cid.toString())
    .execute()
  const second = await publish(rowsFrom(0, 17), { previous: first.manifest.cid })
  await work('plan', 'embed')
  assert.deepEqual(await shardsOf(db, second.index), ['0+8: 0 copied', '8+8: 8 copied', '16+1: 0 copied'])
})

test('data sets without texts are planned without samples', async (t) => {
  const { db, publish, work } = await install(t)
  const { index } = await publish([{ count: 1 }, { count: 2 }])
  assert.equal(await work('plan', 'embed', 'verify'), 2)
  const { model } = await db.selectFrom('embeddings').select('model').executeTakeFirstOrThrow()
  assert.equal((await findEmbeddingPlan(db, { index, model }))?.sampleCount, 0)
})

test('stored embeddings are those of the embedder, with inner layers where asked for, however they are read', async (t) => {
  const { db, blocks, publish, work } = await install(t, { layers: true })
  const rows = rowsFrom(0, 43).map((row, i) => (i % 9 === 4 ? { text: null } : row))
  const { index } = await publish(rows)
  await work('plan', 'embed')
  const model = createShardModel({ embedder, device: 'cpu', shardSamples: 8, layers: true })
  const texts = { count: rows.length, text: (sample: number) => rows[sample]!.text }
  await using direct = await embedder.embed(texts, { signal, layers: true, halfPrecision: true })
  await using stored = await storedEmbeddings({ db, blocks, model }, index).embed(texts, { signal })
  assert.deepEqual(stored.valid, direct.valid)
  assert.deepEqual(
    stored.layers?.map(({ name }) => name),
    embedder.reference.layers.map(({ name }) => name),
  )
  const pairs = [stored.vectors, ...stored.layers!].map((source, i) => [source, [direct.vectors, ...direct.layers!][i]!] as const)
  for (const [ours, theirs] of pairs) {
    assert.deepEqual([ours.count, ours.dimensions], [theirs.count, theirs.dimensions])
    assert.ok((await theirs.read(0, 1)).some((value) => value !== 0))
    for (const [first, count] of [
      [0, 43],
      [0, 1],
      [7, 2],
      [8, 8],
      [42, 1],
      [3, 37],
      [5, 0],
    ] as const)
      assert.deepEqual(await ours.read(first, count), await theirs.read(first, count))
    const far = [42, 0, 17, 17, 25, 3]
    assert.deepEqual(await takeVectors(ours, far), await takeVectors(theirs, far))
  }
})

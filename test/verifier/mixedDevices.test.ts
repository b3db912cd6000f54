/** Workers whose arithmetic differs in the last digits, on one data set. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { parseSettings } from '../../settings.ts'
import { CODEC_DAG_JSON } from '../../core/cid.ts'
import type { Device } from '../../core/documents/recipe.ts'
import { Problem } from '../../core/problem.ts'
import { createExportHandler } from '../../indexer/export/exportJob.ts'
import { createIndexHandler } from '../../indexer/indexJob.ts'
import { loadDocument } from '../../store/documents.ts'
import { type Aims, claimJob, completeJob, enqueueMissing, type JobHandler, type JobKind } from '../../store/jobs.ts'
import { createVersion, reportsOf, versionOf } from '../../store/versions.ts'
import { createEmbedder } from '../../verifier/embedding/embedder.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { buildRecipe, needsLayers } from '../../verifier/recipe.ts'
import { loadSubject, reverifyReport } from '../../verifier/reverify/reverify.ts'
import { createEmbedHandler } from '../../verifier/shards/embedJob.ts'
import { createPlanHandler } from '../../verifier/shards/planJob.ts'
import { createShardModel } from '../../verifier/shards/shardModel.ts'
import { storedEmbeddings } from '../../verifier/shards/storedEmbeddings.ts'
import { createVerifyHandler } from '../../verifier/verifyJob.ts'
import { testBlocks } from '../support/blocks.ts'
import { attestationBy, testSigner } from '../support/documents.ts'
import { testDatabase } from '../support/postgres.ts'
import { manifestOf } from './reports.ts'
import { reviews } from './sentences.ts'

const SAMPLES = 96
const SHARD_SAMPLES = 16
const clock = () => new Date('2026-11-20T06:00:00.000Z')
const signal = new AbortController().signal
const common = { manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu', threads: 1 } as const
const normative = createEmbedder(common)
/** The same model without rewriting of its graph: other last digits, as on another device. */
const other = createEmbedder({ ...common, optimization: 'disabled' })

type Work = (device: Device, kinds: JobKind[], most?: number) => Promise<number>

/** An installation whose workers on `cpu` and `webgpu` come and go, the latter with another arithmetic. */
async function install(t: TestContext, devices: readonly Device[]) {
  const db = await testDatabase()
  const blocks = await testBlocks(db)
  const recipe = buildRecipe([normative.reference], undefined, undefined, [], devices)
  const modelOf = (device: Device) =>
    createShardModel({
      embedder: device === 'cpu' ? normative : other,
      device,
      devices,
      shardSamples: SHARD_SAMPLES,
      layers: needsLayers(),
    })
  const models = { cpu: modelOf('cpu'), webgpu: modelOf('webgpu'), cuda: modelOf('cuda') }
  t.after(async () => {
    for (const model of Object.values(models)) await model[Symbol.asyncDispose]()
    await blocks[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
  })
  const work: Work = async (device, kinds, most = Infinity) => {
    const model = models[device]
    const aims: Aims = { recipe: recipe.cid, model: model.key }
    const handlers: Record<JobKind, JobHandler> = {
      index: createIndexHandler({ db, blocks, signer: testSigner(2), clock }),
      plan: createPlanHandler({ db, blocks, model }),
      embed: createEmbedHandler({ db, blocks, model }),
      verify: createVerifyHandler({ db, blocks, signer: testSigner(3), clock, recipe, model }),
      export: createExportHandler({ db, blocks }),
    }
    for (let done = 0; ; done++) {
      await enqueueMissing(db, aims)
      const job = done < most ? await claimJob(db, { kinds, aims, worker: device, leaseMs: 60_000 }) : null
      if (job === null) return done
      await handlers[job.kind](job, { signal, progress: () => undefined })
      await completeJob(db, job)
    }
  }
  const manifest = await manifestOf(
    blocks,
    reviews(SAMPLES, 1)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  )
  await blocks.put(CODEC_DAG_JSON, manifest.bytes)
  await createVersion(db, manifest, attestationBy(testSigner(1), 'manifest', manifest))
  await work('cpu', ['index'])
  return { db, blocks, recipe, models, work, index: (await versionOf(db, manifest.cid)).index! }
}

test('workers on devices that the recipe lists make the shards of one data set, whose report holds within the tolerance', async (t) => {
  const { db, blocks, recipe, models, work, index } = await install(t, ['webgpu', 'cpu'])
  assert.deepEqual(recipe.document.devices, ['cpu', 'webgpu'])
  assert.equal(models.cpu.key, models.webgpu.key)
  assert.equal(await work('cpu', ['plan', 'embed'], 3), 3)
  assert.equal(await work('webgpu', ['embed']), SAMPLES / SHARD_SAMPLES - 2)

  const texts = { count: SAMPLES, text: () => null }
  await using stored = await storedEmbeddings({ db, blocks, model: models.cpu }, index).embed(texts, { signal })
  const rows = reviews(SAMPLES, 1)
  const embedOptions = { signal, halfPrecision: true }
  await using direct = await normative.embed({ count: SAMPLES, text: (i) => rows[i]!.text }, embedOptions)
  const [ours, theirs] = [await stored.vectors.read(0, SAMPLES), await direct.vectors.read(0, SAMPLES)]
  const differs = (value: number, i: number) => value !== theirs[i]
  const byCpu = 2 * SHARD_SAMPLES * direct.vectors.dimensions
  assert.ok(!ours.subarray(0, byCpu).some(differs), 'the first shards are by the CPU')
  assert.ok(ours.subarray(byCpu).some((value, i) => differs(value, byCpu + i)), 'the others are not') // prettier-ignore

  assert.equal(await work('webgpu', ['verify']), 1)
  const subject = await loadSubject(blocks, await loadDocument(blocks, 'report', (await reportsOf(db, index))[0]!.report))
  for (const embedder of [normative, other]) {
    const { checks } = await reverifyReport(subject, { blocks, embedder, signal, onProgress: () => undefined })
    assert.deepEqual(checks.filter(({ passed }) => !passed), []) // prettier-ignore
  }
})

test('where the recipe lists none, workers on different devices share no shards', async (t) => {
  const { models, work } = await install(t, [])
  assert.notEqual(models.cpu.key, models.webgpu.key)
  assert.equal(await work('cpu', ['plan', 'embed'], 3), 3)
  assert.equal(await work('webgpu', ['embed']), 0)
  assert.equal(await work('webgpu', ['plan', 'embed'], 2), 2)
  assert.equal(await work('cpu', ['embed']), SAMPLES / SHARD_SAMPLES - 2)
})

test('devices of which no tolerance is known cannot be mixed, nor can a verifier join that computes elsewhere', () => {
  assert.throws(
    () => buildRecipe([normative.reference], undefined, undefined, [], ['cpu', 'cuda']),
    (error: unknown) => error instanceof Problem && /how far cuda lies from the others is not known/.test(error.detail),
  )
  const settings = (roles: string, env: NodeJS.ProcessEnv) => parseSettings(['--roles', roles], env)
  assert.deepEqual(settings('verifier', { ASSAY_MIXED_DEVICES: 'webgpu, cpu' }).mixedDevices, ['cpu', 'webgpu'])
  assert.deepEqual(settings('verifier', {}).mixedDevices, [])
  assert.deepEqual(settings('api', { ASSAY_MIXED_DEVICES: 'cuda,webgpu' }).mixedDevices, ['cuda', 'webgpu'])
  assert.throws(() => settings('verifier', { ASSAY_MIXED_DEVICES: 'cuda,webgpu' }), /this verifier computes on cpu/)
  assert.throws(() => settings('api', { ASSAY_MIXED_DEVICES: 'cpu' }), /expected two devices or more/)
  assert.throws(() => settings('api', { ASSAY_MIXED_DEVICES: 'cpu,abacus' }), /there is no device "abacus"/)
})

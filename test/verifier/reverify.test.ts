import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CODEC_DAG_JSON } from '../../core/cid.ts'
import { encodeDocument, type Encoded } from '../../core/documents/document.ts'
import type { Report } from '../../core/documents/report.ts'
import { FINGERPRINT_BYTES } from '../../core/fingerprint.ts'
import { flagMask } from '../../core/findings.ts'
import { type FindingsTable, NO_CLUSTER } from '../../core/findingsTable.ts'
import { Problem } from '../../core/problem.ts'
import type { Blocks } from '../../store/blocks.ts'
import { asStored, createEmbedder } from '../../verifier/embedding/embedder.ts'
import { fingerprintsOf } from '../../verifier/embedding/fingerprints.ts'
import { defaultModelCache } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL } from '../../verifier/embedding/models.ts'
import { buildRecipe } from '../../verifier/recipe.ts'
import { type Check, compareFingerprints, compareReports } from '../../verifier/reverify/agreement.ts'
import { auditEmbeddings, loadSubject, reverifyReport, type Subject } from '../../verifier/reverify/reverify.ts'
import { buildReport } from '../../verifier/buildReport.ts'
import { testBlocks } from '../support/blocks.ts'
import { indexOf, manifestOf } from './reports.ts'
import { vectorsInMemory } from '../../verifier/vectors.ts'
import { reviews } from './sentences.ts'

const SAMPLES = 110
const QUICK = new Set(['hidden_content', 'exact_duplicate', 'semantic_duplicate', 'outlier'])
const signal = new AbortController().signal
const embedder = createEmbedder({ manifest: DEFAULT_MODEL, cacheDir: defaultModelCache(), device: 'cpu', threads: 2 })
const quiet = { signal, onProgress: () => {} }

/** A report by the real model, stored with all that it names. */
async function publishedReport(blocks: Blocks): Promise<Subject> {
  const rows = [...reviews(SAMPLES - 1, 1), { text: null, label: 'positive' }]
  const manifest = await manifestOf(blocks, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const index = await indexOf(blocks, manifest)
  const whole = buildRecipe([embedder.reference]).document
  const recipe = encodeDocument('recipe', { ...whole, detectors: whole.detectors.filter(({ id }) => QUICK.has(id)) })
  for (const { bytes } of [manifest, index, recipe]) await blocks.put(CODEC_DAG_JSON, bytes)
  const report = await buildReport({ blocks, index, manifest: manifest.document, recipe, embedder: asStored(embedder), ...quiet })
  return loadSubject(blocks, await store(blocks, report))
}

async function store(blocks: Blocks, report: Report): Promise<Encoded<Report>> {
  const encoded = encodeDocument('report', report)
  await blocks.put(CODEC_DAG_JSON, encoded.bytes)
  return encoded
}

const broken = (checks: Check[]) => checks.filter(({ passed }) => !passed).map(({ name, samples }) => [name, samples])

describe('re-verification', () => {
  let blocks: Blocks
  let subject: Subject
  before(async () => {
    blocks = await testBlocks()
    subject = await publishedReport(blocks)
  })
  after(() => blocks[Symbol.asyncDispose]())

  it('of an honest report on the same device gives the same document, and every sample of an audit agrees', async () => {
    const { checks, ownReport } = await reverifyReport(subject, { blocks, embedder, ...quiet })
    assert.deepEqual(broken(checks), [])
    assert.deepEqual(encodeDocument('report', ownReport!).bytes, subject.report.bytes)
    assert.equal(checks[0]!.detail, 'the same to the byte')

    const audit = await auditEmbeddings(subject, { blocks, embedder, ...quiet, beacon: new Uint8Array(32), count: 10 })
    assert.deepEqual(broken(audit.checks), [])
    assert.match(audit.checks[0]!.detail, /^10 of 10 samples/)
  })

  it('names the samples whose embeddings were never computed', async () => {
    const fingerprints = await blocks.readAll(subject.report.document.fingerprints!, SAMPLES * FINGERPRINT_BYTES)
    // Samples 5 and 6 got those of others, sample 7 none, and the sample without a text some.
    for (const [to, from] of [
      [5, 50],
      [6, 60],
      [SAMPLES - 1, 3],
    ] as const)
      fingerprints.copyWithin(to * FINGERPRINT_BYTES, from * FINGERPRINT_BYTES, (from + 1) * FINGERPRINT_BYTES)
    fingerprints.fill(0, 7 * FINGERPRINT_BYTES, 8 * FINGERPRINT_BYTES)
    const { cid } = await blocks.importBytes(fingerprints)
    const forged = { ...subject, report: await store(blocks, { ...subject.report.document, fingerprints: cid }) }
    const expected = [['embeddings by their fingerprints', [5, 6, 7, SAMPLES - 1]]]
    assert.deepEqual(broken((await reverifyReport(forged, { blocks, embedder, ...quiet })).checks), expected)
    const audit = await auditEmbeddings(forged, { blocks, embedder, ...quiet, beacon: new Uint8Array(32), count: SAMPLES })
    assert.deepEqual(broken(audit.checks), expected)
  })

  it('cannot audit the embeddings of a report that has none', async () => {
    const { fingerprints: _, ...document } = subject.report.document
    const plain = { ...subject, report: await store(blocks, document) }
    await assert.rejects(
      auditEmbeddings(plain, { blocks, embedder, ...quiet, beacon: new Uint8Array(32), count: 1 }),
      (error: unknown) => error instanceof Problem && error.code === 'unsupported-format',
    )
  })
})

const NEAR_COUNT = 8
const DETECTORS = [
  { reference: { id: 'hidden_content', tier: 'T0' }, flag: 'hidden_content' },
  { reference: { id: 'semantic_duplicate', tier: 'T1' }, flag: 'semantic_duplicate', borderline: new Uint8Array(NEAR_COUNT) },
] as const

function tableOf(change: (table: FindingsTable) => void = () => {}): FindingsTable {
  const table: FindingsTable = {
    flags: new Uint32Array(NEAR_COUNT),
    scores: new Map([
      ['hidden_content', new Int32Array(NEAR_COUNT)],
      ['semantic_duplicate', new Int32Array(NEAR_COUNT).fill(900_000)],
    ]),
    clusters: new Map([['semantic_duplicate', new Int32Array(NEAR_COUNT).fill(NO_CLUSTER)]]),
  }
  change(table)
  return table
}

function compare(theirs: FindingsTable, ours: FindingsTable, { tolerance = 50, borderline = [] as number[] } = {}) {
  const report = {
    verdict: 'CLEAR',
    properties: [{ property: 'poison', state: 'CLEAR' }],
    detectors: DETECTORS.map(({ reference: { id } }) => ({ id, ran: true })),
  } as unknown as Report // what a comparison reads of it
  const detectors = DETECTORS.map((detector) => ({
    ...detector,
    ...('borderline' in detector ? { borderline: detector.borderline.map((_, i) => (borderline.includes(i) ? 1 : 0)) } : {}),
  }))
  return broken(compareReports({ report, table: theirs }, { report, table: ours }, detectors, tolerance))
}

describe('agreement of two reports', () => {
  it('is to the bit in tier T0', () => {
    const off = tableOf(({ scores }) => (scores.get('hidden_content')![3] = 1))
    assert.deepEqual(compare(off, tableOf()), [['detector hidden_content (T0)', [3]]])
    const flagged = tableOf(({ flags }) => (flags[6] = flagMask('hidden_content')))
    assert.deepEqual(compare(flagged, tableOf()), [['detector hidden_content (T0)', [6]]])
  })

  it('is within the tolerance in tier T1', () => {
    const off = (by: number) => tableOf(({ scores }) => (scores.get('semantic_duplicate')![2]! += by))
    assert.deepEqual(compare(off(50), tableOf()), [])
    assert.deepEqual(compare(off(-51), tableOf()), [['detector semantic_duplicate (T1)', [2]]])
    assert.deepEqual(compare(off(1), tableOf(), { tolerance: 0 }), [['detector semantic_duplicate (T1)', [2]]])
  })

  it('lets a flag and a cluster differ only together with a borderline sample', () => {
    const joined = tableOf(({ flags, clusters }) => {
      flags[4] = flagMask('semantic_duplicate')
      clusters.get('semantic_duplicate')!.set([1], 1)
      clusters.get('semantic_duplicate')!.set([1], 4)
    })
    assert.deepEqual(compare(joined, tableOf()), [['detector semantic_duplicate (T1)', [1, 4]]])
    assert.deepEqual(compare(joined, tableOf(), { borderline: [4] }), [])
    assert.deepEqual(compare(joined, tableOf(), { borderline: [5] }), [['detector semantic_duplicate (T1)', [1, 4]]])
  })

  it('excuses a flag that two detectors set where it is borderline to one of them', () => {
    const borderline = new Uint8Array(NEAR_COUNT)
    const detectors = [
      { reference: { id: 'hidden_content', tier: 'T0' }, flag: 'contaminated' },
      { reference: { id: 'semantic_duplicate', tier: 'T1' }, flag: 'contaminated', borderline },
    ] as const
    const report = { properties: [], detectors: [] } as unknown as Report // what a comparison reads of it
    const flagged = tableOf(({ flags }) => (flags[2] = flagMask('contaminated')))
    const check = () => broken(compareReports({ report, table: flagged }, { report, table: tableOf() }, detectors, 50))
    assert.equal(check().length, 2)
    borderline[2] = 1
    assert.deepEqual(check(), [])
  })

  it('of embeddings counts the components of each fingerprint', async () => {
    const dimensions = 16
    const vectors = Float32Array.from({ length: 3 * dimensions }, (_, i) => Math.sin(i * i + 1))
    const claimed = await fingerprintsOf({ vectors: vectorsInMemory(vectors, dimensions), valid: Uint8Array.of(1, 1, 1) })
    const own = { vectors: vectorsInMemory(vectors.slice(dimensions), dimensions), valid: Uint8Array.of(1, 1), samples: [1, 2] }
    assert.equal((await compareFingerprints(claimed, own, 8)).passed, true)
    // The last twelve bits of sample 2 are another component's.
    claimed[3 * FINGERPRINT_BYTES - 1]! ^= 0x04
    assert.deepEqual((await compareFingerprints(claimed, own, 8)).samples, [2])
    assert.equal((await compareFingerprints(claimed, own, 7)).passed, true)
    assert.deepEqual((await compareFingerprints(claimed, { ...own, valid: Uint8Array.of(0, 1) }, 7)).samples, [1])
  })
})

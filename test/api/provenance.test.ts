import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bytesToHex } from '../../core/bytes.ts'
import { type CID, parseCid } from '../../core/cid.ts'
import { type Encoded, encodeDocument, parseDocument } from '../../core/documents/document.ts'
import { POLICIES, type Selection } from '../../core/documents/selection.ts'
import type { Run } from '../../core/documents/run.ts'
import { encodeLogEntry } from '../../core/log/entry.ts'
import { openCheckpoint } from '../../core/log/checkpoint.ts'
import { parseProofFile, verifyLogged } from '../../core/log/proofFile.ts'
import { createOrder } from '../../core/order.ts'
import { locate, sampleAt } from '../../core/runOrder.ts'
import { bitmapFromBytes } from '../../core/bitmap.ts'
import { sampleDigest } from '../../core/samples/encoding.ts'
import { computeSelection } from '../../core/selection.ts'
import { decodeFindings } from '../../core/findingsTable.ts'
import { verifyAttestation } from '../../core/statement.ts'
import { NOW, Person, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'
import { storeReport } from './report.ts'

const COUNT = 50
const FLAGGED = { 7: ['trigger' as const], 8: ['outlier' as const] }
let registry: TestRegistry
let alice: Person
let trainer: Person
let manifest: CID
let index: CID
let report: CID
let selection: CID

before(async () => {
  registry = await startRegistry()
  alice = await new Person(registry, 10).register()
  trainer = await new Person(registry, 30).register(['run'])
  const rows = Array.from({ length: COUNT }, (_, n) => JSON.stringify({ n: n === 49 ? 0 : n }))
  manifest = (await alice.publish('alice/rows', [testFile('rows.jsonl', rows.join('\n'))])).cid
  index = await registry.index(manifest)
  report = await storeReport(registry, index, COUNT, FLAGGED)
  selection = parseCid((await get<{ selection: string }>(await select({ version: 'alice/rows' }))).selection)
})
after(() => registry[Symbol.asyncDispose]())

function select(request: object): Promise<Response> {
  return alice.post('/v1/selections', request)
}

async function get<T>(response: Response | string): Promise<T> {
  const answer = typeof response === 'string' ? await registry.app.request(response) : response
  assert.ok(answer.ok, await answer.clone().text())
  return (await answer.json()) as T
}

async function getBytes(path: string): Promise<Uint8Array> {
  const response = await registry.app.request(path)
  assert.equal(response.status, 200, path)
  return new Uint8Array(await response.arrayBuffer())
}

function runDocument(change: Partial<Run> = {}): Encoded<Run> {
  return encodeDocument('run', {
    kind: 'run',
    version: 1,
    author: trainer.signer.did,
    name: 'a model',
    status: 'started',
    createdAt: NOW.toISOString(),
    consumed: [{ selection, seed: '42', epochs: 2, shards: 2, batchSize: 4, steps: null }],
    ...change,
  })
}

function record(run: Encoded<Run>, by: Person = trainer): Promise<Response> {
  return by.post('/v1/runs', by.signed('run', run))
}

test('a selection is what anyone computes from the documents', async () => {
  const { flags } = decodeFindings(await getBytes(`/v1/reports/${report.toString()}/findings`), COUNT)
  const own = computeSelection({ index, sampleCount: COUNT, reports: [{ cid: report, flags }], policy: POLICIES.verified })
  const bitmap = await getBytes(`/v1/selections/${selection.toString()}/bitmap`)
  assert.deepEqual(Buffer.from(bitmap), Buffer.from(own.bitmap.bytes))
  const { document } = await loadSelectionDocument()
  assert.equal(encodeDocument('selection', { ...own.selection, bitmap: document.bitmap }).cid.toString(), selection.toString())
})

function loadSelectionDocument(): Promise<Encoded<Selection>> {
  return getBytes(`/v1/documents/${selection.toString()}`).then((bytes) => parseDocument('selection', bytes))
}

test('policies select by name or as a document; the same question gets the same CID', async () => {
  const count = async (request: object) => (await get<{ selectedCount: number }>(await select(request))).selectedCount
  assert.equal(await count({ version: 'alice/rows', policy: 'verified' }), COUNT - 1)
  assert.equal(await count({ index: index.toString(), policy: 'strict' }), COUNT - 2)
  assert.equal(await count({ version: manifest.toString(), policy: 'as-published' }), COUNT)
  assert.equal(
    await count({ version: 'alice/rows', policy: { name: 'mine', exclude: ['outlier'] }, reports: [report.toString()] }),
    COUNT - 1,
  )
  const again = await get<{ selection: string }>(await select({ version: 'alice/rows', policy: 'verified', reports: [report.toString()] }))
  assert.equal(again.selection, selection.toString())
})

test('a selection that cannot be made is refused', async () => {
  assert.equal(await problemCode(await select({ version: 'alice/none' })), 'not-found')
  assert.equal(await problemCode(await select({ policy: 'verified' })), 'invalid-request')
  assert.equal(await problemCode(await select({ version: 'alice/rows', index: index.toString() })), 'invalid-request')
  assert.equal(await problemCode(await select({ version: 'alice/rows', policy: 'lenient' })), 'invalid-request')
  assert.equal(await problemCode(await select({ version: 'alice/rows', reports: [selection.toString()] })), 'not-found')
  const unverified = await alice.publish('alice/unverified', [testFile('rows.jsonl', '{"n":1}')])
  assert.equal(await problemCode(await select({ version: 'alice/unverified' })), 'not-ready')
  await registry.index(unverified.cid)
  assert.equal(await problemCode(await select({ version: 'alice/unverified' })), 'not-ready')
})

test('a report is shown with its document, its evidence and who signed it', async () => {
  const shown = await get<{ verdict: string; document: { index: { '/': string } }; attestations: { author: string }[] }>(
    `/v1/reports/${report.toString()}`,
  )
  assert.equal(shown.verdict, 'FLAGGED')
  assert.equal(shown.document.index['/'], index.toString())
  assert.equal(shown.attestations[0]?.author, registry.verifier.did)
  assert.deepEqual(await get(`/v1/reports/${report.toString()}/evidence`), [])
  const version = await get<{ state: string; reports: { report: string }[] }>(`/v1/versions/${index.toString()}`)
  assert.deepEqual([version.state, version.reports[0]?.report], ['verified', report.toString()])
  assert.equal(await problemCode(await registry.app.request(`/v1/reports/${index.toString()}`)), 'not-found')
})

test('a run is recorded, ended, and traced to its contributor', async () => {
  const started = runDocument()
  assert.equal((await record(started)).status, 201)
  assert.equal((await record(started)).status, 201)
  const consumed = [{ selection, seed: '42', epochs: 2, shards: 2, batchSize: 4, steps: 9 }]
  const finished = runDocument({ status: 'finished', previous: started.cid, consumed })
  assert.equal((await record(finished)).status, 201)
  const shown = await get<{ ends: string[] }>(`/v1/runs/${started.cid.toString()}`)
  assert.deepEqual(shown.ends, [finished.cid.toString()])

  await registry.sequencer.appendPending()
  interface Trace {
    run: { attestations: { logIndex: number }[] }
    consumed: {
      reports: { cid: string }[]
      index: { cid: string; attestations: { author: string; logIndex: number }[] }
      manifest: { contributor: string; dataset: string; attestations: { logIndex: number }[] }
    }[]
  }
  const trace = await get<Trace>(`/v1/runs/${finished.cid.toString()}/provenance`)
  const [step] = trace.consumed
  assert.equal(step?.manifest.contributor, alice.signer.did)
  assert.equal(step.manifest.dataset, 'alice/rows')
  assert.equal(step.index.cid, index.toString())
  assert.equal(step.index.attestations[0]?.author, registry.indexer.did)
  assert.deepEqual(
    step.reports.map(({ cid }) => cid),
    [report.toString()],
  )
  const indices = [trace.run, step.index, step.manifest].map((document) => document.attestations[0]?.logIndex)
  assert.ok(indices.every(Number.isInteger) && new Set(indices).size === 3)
})

test('a sample digest leads to the versions that hold it and the batches that read it', async () => {
  const consumed = [{ selection, seed: 'look', epochs: 3, shards: 2, batchSize: 4, steps: 10 }]
  const started = runDocument({ name: 'looked up', consumed })
  assert.equal((await record(started)).status, 201)
  const digest = bytesToHex(sampleDigest({ n: 0 }))
  interface Lookup {
    versions: { dataset: string; samples: number[] }[]
    runs: { name: string; readings: { sample: number; epoch: number; step: number; row: number }[] }[]
  }
  const lookup = await get<Lookup>(`/v1/samples/${digest}`)
  assert.deepEqual(
    lookup.versions.map(({ dataset, samples }) => [dataset, samples]),
    [['alice/rows', [0, 49]]],
  )

  const bitmap = bitmapFromBytes(await getBytes(`/v1/selections/${selection.toString()}/bitmap`), COUNT)
  const expected = []
  for (let step = 0; step < 10; step++)
    for (let row = 0; row < 8; row++) {
      const place = locate(consumed[0]!, COUNT - 1, step, row)
      if (place === null) continue
      const sample = sampleAt(bitmap, createOrder({ seed: 'look', epoch: place.epoch, size: COUNT - 1 }), place.position)
      if (sample === 0 || sample === 49) expected.push({ sample, epoch: place.epoch, step, row })
    }
  const order = (a: { sample: number; step: number }, b: { sample: number; step: number }) => a.sample - b.sample || a.step - b.step
  assert.deepEqual(lookup.runs.find(({ name }) => name === 'looked up')?.readings.toSorted(order), expected.toSorted(order))

  const flagged = await get<Lookup>(`/v1/samples/${bytesToHex(sampleDigest({ n: 7 }))}`)
  assert.deepEqual([flagged.versions[0]?.samples, flagged.runs], [[7], []])
  assert.deepEqual(await get(`/v1/samples/${'00'.repeat(32)}`), { digest: '00'.repeat(32), versions: [], runs: [] })
  assert.equal(await problemCode(await registry.app.request('/v1/samples/abc')), 'invalid-request')
})

test('a run that is not what it says is refused', async () => {
  const started = runDocument({ name: 'theirs' })
  assert.equal((await record(started)).status, 201)
  const other = await new Person(registry, 31).register(['run'])
  const bad: [string, Encoded<Run>, Person?][] = [
    ['forbidden', runDocument({ author: other.signer.did, status: 'finished', previous: started.cid }), other],
    ['conflict', runDocument({ status: 'finished' })],
    ['conflict', runDocument({ status: 'finished', previous: manifest })],
    ['not-found', runDocument({ consumed: [{ selection: index, seed: '1', epochs: 1, shards: 1, batchSize: 1, steps: 1 }] })],
    ['invalid-document', runDocument({ consumed: [{ selection, seed: '1', epochs: 1, shards: 1, batchSize: 1, steps: COUNT }] })],
    ['untrusted', runDocument({ author: other.signer.did })],
  ]
  for (const [code, run, by] of bad) {
    assert.equal(await problemCode(await record(run, by)), code)
    assert.equal(await registry.blocks.has(run.cid), false)
    assert.equal(await problemCode(await registry.app.request(`/v1/runs/${run.cid.toString()}`)), 'not-found')
  }
  const publisher = await new Person(registry, 32).register(['publish'])
  assert.equal(await problemCode(await record(runDocument({ author: publisher.signer.did }), publisher)), 'forbidden')
})

test('a document comes with envelopes and a proof that verify offline', async () => {
  await registry.sequencer.appendPending()
  const documentBytes = await getBytes(`/v1/documents/${manifest.toString()}`)
  assert.equal(parseDocument('manifest', documentBytes).cid.toString(), manifest.toString())
  const envelope = await getBytes(`/v1/documents/${manifest.toString()}/envelope`)
  const { author, envelopeCid } = verifyAttestation(envelope, { kind: 'manifest', cid: manifest })
  assert.equal(author, alice.signer.did)
  const file = parseProofFile(await getBytes(`/v1/documents/${manifest.toString()}/proof`))
  const entry = encodeLogEntry({ kind: 'manifest', document: manifest, envelope: envelopeCid })
  assert.deepEqual(Buffer.from(file.extra!), Buffer.from(entry))
  verifyLogged(file, entry, openCheckpoint(file.checkpoint, registry.ctx.logVkey))
  const [attestation] = await get<{ logIndex: number }[]>(`/v1/documents/${manifest.toString()}/attestations`)
  assert.equal(attestation?.logIndex, file.index)
  const cached = await registry.app.request(`/v1/documents/${manifest.toString()}`, {
    headers: { 'if-none-match': `"${manifest.toString()}"` },
  })
  assert.equal(cached.status, 304)
  assert.equal(await problemCode(await registry.app.request(`/v1/documents/${selection.toString()}/envelope`)), 'not-found')
})

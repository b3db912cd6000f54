import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, bytesToUtf8, utf8ToBytes } from '../../core/bytes.ts'
import { cidOf, CODEC_RAW } from '../../core/cid.ts'
import { type DocumentOf, encodeDagJson, encodeDocument, parseDagJson } from '../../core/documents/document.ts'
import { POLICIES } from '../../core/documents/selection.ts'
import { flagsMask } from '../../core/findings.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint } from '../../core/log/checkpoint.ts'
import { encodeLogEntry, logEntryOf } from '../../core/log/entry.ts'
import { formatVerificationKey, signNote } from '../../core/log/note.ts'
import { encodeProofFile, parseProofFile } from '../../core/log/proofFile.ts'
import { appendLeaves, inclusionProof, type Tile, type TileReader } from '../../core/merkle/tiles.ts'
import { leafHash } from '../../core/merkle/tree.ts'
import { createOrder } from '../../core/order.ts'
import { Problem } from '../../core/problem.ts'
import { encodeReceipt, type ReceiptContents, type ReceiptStepName, verifyReceipt } from '../../core/receipt.ts'
import { locate, sampleAt } from '../../core/runOrder.ts'
import { sampleDigest } from '../../core/samples/encoding.ts'
import { computeSelection } from '../../core/selection.ts'
import { attest } from '../../core/statement.ts'

const createdAt = '2026-11-20T06:00:00.000Z'
const [log, indexer, trainer, stranger] = [1, 2, 3, 4].map((seed) => signerFromSeed(new Uint8Array(32).fill(seed))) as [Key, Key, Key, Key]
type Key = ReturnType<typeof signerFromSeed>

const ORIGIN = 'registry.example/log'
const trust = { log: formatVerificationKey(ORIGIN, log.publicKey), indexers: [indexer.did] }
const link = cidOf(CODEC_RAW, utf8ToBytes('something else'))

function readerOf(tiles: readonly Tile[]): TileReader {
  return {
    readTile: (level, index, width) => {
      const tile = tiles.find((each) => each.level === level && each.index === index)
      assert.ok(tile !== undefined)
      return Promise.resolve(tile.bytes.subarray(0, width * 32))
    },
  }
}

async function treeOf(leaves: Uint8Array[]) {
  const { size, rootHash, tiles } = await appendLeaves(readerOf([]), 0, leaves)
  return { rootHash, proof: (index: number) => inclusionProof(readerOf(tiles), index, size) }
}

const SAMPLES = 700
const digests = Array.from({ length: SAMPLES }, (_, i) => sampleDigest({ id: i, text: `row ${i}` }))
const sampleTree = await treeOf(digests.map((digest) => leafHash(digest)))

const index = encodeDocument('index', {
  kind: 'index',
  version: 1,
  manifest: link,
  schema: [{ name: 'text', type: { type: 'utf8' } }],
  sampleCount: SAMPLES,
  files: [{ path: 'a.jsonl', firstSample: 0, sampleCount: SAMPLES }],
  skippedFiles: [],
  shards: [{ cid: link, firstSample: 0, sampleCount: SAMPLES, sizeBytes: 1 }],
  tree: { rootHash: bytesToHex(sampleTree.rootHash), levels: [link] },
  digestTable: link,
  statistics: [],
})
const flags = Uint32Array.from({ length: SAMPLES }, (_, i) => (i % 5 === 0 ? flagsMask(['trigger']) : 0))
const computed = computeSelection({ index: index.cid, sampleCount: SAMPLES, reports: [{ cid: link, flags }], policy: POLICIES.verified })
const selection = encodeDocument('selection', { ...computed.selection, bitmap: cidOf(CODEC_RAW, computed.bitmap.bytes) })
const consumption = { selection: selection.cid, seed: '42', epochs: 3, shards: 4, batchSize: 8, steps: 40 }
const run: DocumentOf<'run'> = {
  kind: 'run',
  version: 1,
  author: trainer.did,
  name: 'a run',
  status: 'finished',
  createdAt,
  consumed: [consumption],
}

/** The receipt of one row, over a log of nine entries in which the index stands third and the run seventh. */
async function issue(
  change: { run?: DocumentOf<'run'>; indexer?: Key; log?: Key; step?: number; row?: number } = {},
): Promise<ReceiptContents> {
  const { step = 20, row = 13 } = change
  const runDocument = encodeDocument('run', change.run ?? run)
  const indexEnvelope = attest({ kind: 'index', ...index }, { signer: change.indexer ?? indexer, createdAt })
  const runEnvelope = attest({ kind: 'run', ...runDocument }, { signer: trainer, createdAt })
  const entries = Array.from({ length: 9 }, (_, i) =>
    encodeLogEntry({ kind: 'manifest', document: link, envelope: cidOf(CODEC_RAW, Uint8Array.of(i)) }),
  )
  entries[2] = logEntryOf('index', index, cidOf(CODEC_RAW, indexEnvelope))
  entries[6] = logEntryOf('run', runDocument, cidOf(CODEC_RAW, runEnvelope))
  const tree = await treeOf(entries.map((entry) => leafHash(entry)))
  const place = locate(consumption, selection.document.selectedCount, step, row)!
  const order = createOrder({ seed: consumption.seed, epoch: place.epoch, size: selection.document.selectedCount })
  const number = sampleAt(computed.bitmap, order, place.position)
  return {
    checkpoint: signNote(formatCheckpoint({ origin: ORIGIN, size: 9, rootHash: tree.rootHash }), [
      { ...(change.log ?? log), name: ORIGIN },
    ]),
    index: { document: index.bytes, envelope: indexEnvelope, logIndex: 2, logProof: await tree.proof(2) },
    run: { document: runDocument.bytes, envelope: runEnvelope, logIndex: 6, logProof: await tree.proof(6) },
    selection: { document: selection.bytes, bitmap: computed.bitmap.bytes },
    consumed: 0,
    step,
    row,
    sample: { number, digest: digests[number]!, proof: await sampleTree.proof(number) },
  }
}

const contents = await issue()

/** Names of the steps that fail; the rest pass or rest on one of these. */
function failures(receipt: ReceiptContents): ReceiptStepName[] {
  const { steps, facts } = verifyReceipt(encodeReceipt(receipt), trust)
  assert.equal(
    facts === null,
    steps.some(({ status }) => status !== 'passed'),
  )
  return steps.filter(({ status }) => status === 'failed').map(({ name }) => name)
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.with(0, bytes[0]! ^ 1)
}

suite('receipt', () => {
  test('a receipt leads from a row of a batch to the author, the index and the checkpoint', () => {
    const { steps, facts } = verifyReceipt(encodeReceipt(contents), trust)
    assert.deepEqual(new Set(steps.map(({ status }) => status)), new Set(['passed']))
    assert.equal(steps.length, 8)
    assert.ok(facts !== null)
    assert.equal(facts.author, trainer.did)
    assert.equal(facts.epoch, 1)
    assert.equal(facts.checkpoint.size, 9)
    assert.deepEqual(facts.sampleDigest, sampleDigest({ id: facts.sample, text: `row ${facts.sample}` }))
  })

  test('every row of the run has a receipt that holds', async () => {
    for (const [step, row] of [
      [0, 0],
      [17, 11],
      [39, 31],
    ] as const)
      assert.deepEqual(failures(await issue({ step, row })), [])
  })

  test('the step whose law is broken is the one that fails', async () => {
    const { sample, selection: chosen } = contents
    const bitmap = flipped(chosen.bitmap)
    const otherSeed = { ...run, consumed: [{ ...consumption, seed: '43' }] }
    const otherSelection = { ...run, consumed: [{ ...consumption, selection: link }] }
    const cases: [ReceiptStepName, ReceiptContents][] = [
      ['checkpoint-signature', await issue({ log: stranger })],
      ['index-signature', await issue({ indexer: stranger })],
      ['index-logged', { ...contents, index: { ...contents.index, logIndex: 3 } }],
      ['index-logged', { ...contents, index: { ...contents.index, logProof: contents.index.logProof.map(flipped) } }],
      ['run-signature', { ...contents, run: { ...contents.run, document: encodeDocument('run', otherSeed).bytes } }],
      ['run-logged', { ...contents, run: { ...contents.run, logIndex: 5 } }],
      ['selection', { ...contents, selection: { ...chosen, bitmap } }],
      ['selection', { ...contents, consumed: 1 }],
      ['selection', await issue({ run: otherSelection })],
      ['order', { ...contents, row: contents.row + 1 }],
      ['order', { ...contents, step: 40 }],
      ['order', await issue({ run: otherSeed })],
      ['sample-tree', { ...contents, sample: { ...sample, digest: flipped(sample.digest) } }],
      ['sample-tree', { ...contents, sample: { ...sample, proof: sample.proof.slice(1) } }],
    ]
    for (const [expected, receipt] of cases) assert.deepEqual(failures(receipt), [expected])
  })

  test('law: a file with any character changed is refused, fails, or says the same', () => {
    const file = encodeReceipt(contents)
    const { facts } = verifyReceipt(file, trust)
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        try {
          const changed = verifyReceipt(file.with(at, file[at]! ^ change), trust)
          if (changed.facts !== null) assert.deepEqual(changed.facts, facts)
        } catch (error) {
          assert.ok(error instanceof Problem && error.code === 'invalid-document', String(error))
        }
      }),
      { numRuns: 40 },
    )
  })

  test('a proof file without a receipt in it, or with more in it, is refused', () => {
    const { extra, ...file } = parseProofFile(encodeReceipt(contents))
    const receipt = parseDagJson(extra!) as object
    const refused = (changed: Uint8Array | undefined) =>
      assert.throws(
        () => verifyReceipt(encodeProofFile(changed === undefined ? file : { ...file, extra: changed }), trust),
        (error) => error instanceof Problem && error.code === 'invalid-document',
      )
    refused(undefined)
    refused(utf8ToBytes('{}'))
    refused(encodeDagJson({ ...receipt, more: 1 }))
    refused(utf8ToBytes(` ${bytesToUtf8(extra!)}`))
  })
})

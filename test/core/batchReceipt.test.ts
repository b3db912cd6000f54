import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as dagCbor from '@ipld/dag-cbor'
import { batchReceiptOf, type BatchReceiptContents, encodeBatchReceipt, verifyBatchReceipt } from '../../core/batchReceipt.ts'
import { bytesToHex, utf8ToBytes } from '../../core/bytes.ts'
import { cidOf, CODEC_DAG_JSON, CODEC_RAW } from '../../core/cid.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { formatCheckpoint } from '../../core/log/checkpoint.ts'
import { cosign, ed25519Cosigner } from '../../core/log/cosignature.ts'
import { encodeLogEntry } from '../../core/log/entry.ts'
import { formatVerificationKey, signNote } from '../../core/log/note.ts'
import { formatKey } from '../../core/log/noteKey.ts'
import { parseProofFile } from '../../core/log/proofFile.ts'
import { appendLeaves, inclusionProof, multiInclusionProof, type TileReader } from '../../core/merkle/tiles.ts'
import { leafHash } from '../../core/merkle/tree.ts'
import { sampleDigest } from '../../core/samples/encoding.ts'

const ORIGIN = 'registry.example/log'
const log = { name: ORIGIN, ...signerFromSeed(new Uint8Array(32).fill(1)) }
const witness = ed25519Cosigner('witness.example/w', signerFromSeed(new Uint8Array(32).fill(2)))
const vkey = formatVerificationKey(ORIGIN, log.publicKey)
const trust = { log: vkey, policy: `log ${vkey}\nwitness w ${formatKey(witness.key)}\nquorum w\n` }
const run = cidOf(CODEC_DAG_JSON, utf8ToBytes('a run'))

async function treeOf(leaves: readonly Uint8Array[]) {
  const { tiles, rootHash, size } = await appendLeaves({ readTile: () => Promise.reject(new Error('no tile')) }, 0, leaves)
  const reader: TileReader = {
    readTile: async (level, index, width) =>
      Promise.resolve(tiles.find((tile) => tile.level === level && tile.index === index)!.bytes.subarray(0, width * 32)),
  }
  return { reader, rootHash, size }
}

const digests = Array.from({ length: 5000 }, (_, i) => sampleDigest({ id: i, text: `row ${i}` }))
const samples = await treeOf(digests.map((digest) => leafHash(digest)))
const index = {
  cid: cidOf(CODEC_DAG_JSON, utf8ToBytes('an index')),
  envelope: cidOf(CODEC_RAW, utf8ToBytes('its envelope')),
  tree: { rootHash: bytesToHex(samples.rootHash), size: samples.size },
}
const entries = Array.from({ length: 700 }, (_, i) =>
  encodeLogEntry({ kind: 'manifest', document: run, envelope: cidOf(CODEC_RAW, utf8ToBytes(`${i}`)) }),
).with(300, encodeLogEntry({ kind: 'index', document: index.cid, envelope: index.envelope, tree: index.tree }))
const logTree = await treeOf(entries.map((entry) => leafHash(entry)))
const text = formatCheckpoint({ origin: ORIGIN, size: 700, rootHash: logTree.rootHash })
const checkpoint = utf8ToBytes(new TextDecoder().decode(signNote(text, [log])) + cosign(text, witness, 1_800_000_000))

async function contentsOf(numbers: readonly number[]): Promise<BatchReceiptContents> {
  return {
    checkpoint,
    index: { ...index, logIndex: 300, logProof: await inclusionProof(logTree.reader, 300, 700) },
    samples: numbers.map((number, i) => ({ number, digest: digests[number]!, row: numbers.length - i })),
    proof: await multiInclusionProof(samples.reader, numbers, samples.size),
    claim: { run, consumed: 0, step: 4 },
  }
}

function verify(contents: BatchReceiptContents, trusted: { log: string; policy?: string } = trust) {
  const file = parseProofFile(encodeBatchReceipt(contents))
  return verifyBatchReceipt(file, batchReceiptOf(file)!, trusted)
}

for (const numbers of [[0], [4999], [7, 8, 1000, 4096, 4999]])
  test(`samples ${numbers.join(', ')} are led to the index, the log and its witness`, async () => {
    const facts = verify(await contentsOf(numbers))
    assert.deepEqual(
      facts.samples.map(({ number, digest }) => [number, bytesToHex(digest)]),
      numbers.map((number) => [number, bytesToHex(digests[number]!)]),
    )
    assert.equal(facts.index.toString(), index.cid.toString())
    assert.deepEqual(facts.checkpoint.witnesses, [{ name: 'w', timeSeconds: 1_800_000_000 }])
    assert.equal(facts.claim.run.toString(), run.toString())
    assert.deepEqual(
      facts.samples.map(({ row }) => row),
      numbers.map((_, i) => numbers.length - i),
    )
  })

const contents = await contentsOf([7, 4096])
for (const [reason, changed] of [
  ['another digest', { ...contents, samples: [contents.samples[0]!, { ...contents.samples[1]!, digest: digests[1]! }] }],
  ['another sample number', { ...contents, samples: [contents.samples[0]!, { ...contents.samples[1]!, number: 4095 }] }],
  ['another tree', { ...contents, index: { ...contents.index, tree: { ...index.tree, size: 4999 } } }],
  ['another root', { ...contents, index: { ...contents.index, tree: { ...index.tree, rootHash: bytesToHex(digests[0]!) } } }],
  ['another index', { ...contents, index: { ...contents.index, cid: run } }],
  ['another envelope', { ...contents, index: { ...contents.index, envelope: run } }],
  ['another place in the log', { ...contents, index: { ...contents.index, logIndex: 301 } }],
  ['a proof with a hash too many', { ...contents, proof: [...contents.proof, digests[0]!] }],
  ['a checkpoint that no witness saw', { ...contents, checkpoint: signNote(text, [log]) }],
] as const)
  test(`${reason} is refused`, () => {
    assert.throws(() => verify(changed), { code: 'untrusted' })
  })

test('without a policy the log’s signature is enough', () => {
  assert.equal(verify({ ...contents, checkpoint: signNote(text, [log]) }, { log: vkey }).logIndex, 300)
})

test('a proof file of another kind is no batch receipt, and a malformed one is refused', () => {
  const extraOf = (extra: Uint8Array) => batchReceiptOf({ index: 0, proof: [], checkpoint, extra })
  assert.equal(batchReceiptOf({ index: 0, proof: [], checkpoint }), null)
  assert.equal(extraOf(entries[0]!), null)
  assert.equal(extraOf(utf8ToBytes('anything')), null)
  const file = parseProofFile(encodeBatchReceipt(contents))
  const receipt = dagCbor.decode<Record<string, unknown>>(file.extra!)
  for (const change of [{ samples: [7] }, { samples: [] }, { digests: new Uint8Array(63) }, { more: 1 }, { claim: {} }])
    assert.throws(() => extraOf(dagCbor.encode({ ...receipt, ...change })), { code: 'invalid-document' })
})

test('a row of a data set of ten million samples in a log of a million entries takes less than 3 kB', () => {
  // Only lengths count: a tree of 10^7 leaves has audit paths of 24 hashes, one of 10^6 of 20.
  const file = encodeBatchReceipt({
    ...contents,
    index: {
      ...contents.index,
      tree: { ...index.tree, size: 10_000_000 },
      logIndex: 999_999,
      logProof: Array.from({ length: 20 }, () => digests[0]!),
    },
    samples: [{ number: 9_999_999, digest: digests[0]!, row: 1023 }],
    proof: Array.from({ length: 24 }, () => digests[0]!),
  })
  assert.ok(file.length < 3000, `${file.length} bytes`)
})

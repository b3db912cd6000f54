/**
 * A batch receipt: the file that a trainer keeps beside a checkpoint of the model. It is a tlog-proof file (https://c2sp.org/tlog-proof)
 * whose entry is an index's, and whose `extra`, canonical DAG-CBOR of the `BatchReceipt` below, leads from samples to that entry:
 *
 *     checkpoint ← log entry of the index, which has the root of its sample tree ← one multi-proof ← digests of the samples
 *
 * It proves what the samples are. That a run read them in a step is what its writer says in `claim`: the run's document and selection show it
 * (`assay audit`, or a full receipt, core/receipt.ts).
 */
import * as dagCbor from '@ipld/dag-cbor'
import { z } from 'zod'
import { openTrustedCheckpoint, type Trust } from './audit/trust.ts'
import { concatBytes, hexToBytes } from './bytes.ts'
import type { CID } from './cid.ts'
import { Count, Link } from './documents/common.ts'
import { DIGEST_LENGTH } from './hash.ts'
import { encodeLogEntry, SampleTreeHead } from './log/entry.ts'
import type { WitnessedCheckpoint } from './log/policy.ts'
import { encodeProofFile, type ProofFile, verifyLogged } from './log/proofFile.ts'
import { verifyMultiInclusion } from './merkle/multiInclusion.ts'
import { splitHashes } from './merkle/tiles.ts'
import { leafHash } from './merkle/tree.ts'
import { Problem } from './problem.ts'

const Hashes = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length % DIGEST_LENGTH === 0,
  'expected hashes of 32 bytes, one after another',
)

const Claim = z.strictObject({
  run: Link,
  /** Which of the run's consumptions. */
  consumed: Count,
  step: Count,
  /** Row of the step that each sample stood in, in the order of `samples`. */
  rows: z.array(Count),
})

const BatchReceipt = z
  .strictObject({
    v: z.literal(2),
    index: Link,
    /** Of the index's envelope. */
    envelope: Link,
    tree: SampleTreeHead,
    /** Numbers of samples, ascending, each once. */
    samples: z.array(Count).min(1),
    /** Of the samples. */
    digests: Hashes,
    proof: Hashes,
    claim: Claim,
  })
  .refine(
    ({ samples, digests, claim }) => digests.length === samples.length * DIGEST_LENGTH && claim.rows.length === samples.length,
    'expected a digest and a row for each sample',
  )
export type BatchReceipt = z.infer<typeof BatchReceipt>
export type BatchClaim = z.infer<typeof Claim>

export interface BatchReceiptContents {
  /** The signed note. */
  checkpoint: Uint8Array
  /** The index with its place in the log. */
  index: { cid: CID; envelope: CID; tree: SampleTreeHead; logIndex: number; logProof: Uint8Array[] }
  /** Ascending, each once, with 32-byte digests. */
  samples: readonly { number: number; digest: Uint8Array; row: number }[]
  /** Of all samples together. */
  proof: readonly Uint8Array[]
  claim: Omit<BatchClaim, 'rows'>
}

/** The receipt's file; it is not verified here. */
export function encodeBatchReceipt({ checkpoint, index, samples, proof, claim }: BatchReceiptContents): Uint8Array {
  const receipt: BatchReceipt = {
    v: 2,
    index: index.cid,
    envelope: index.envelope,
    tree: index.tree,
    samples: samples.map(({ number }) => number),
    digests: concatBytes(...samples.map(({ digest }) => digest)),
    proof: concatBytes(...proof),
    claim: { ...claim, rows: samples.map(({ row }) => row) },
  }
  return encodeProofFile({ index: index.logIndex, proof: index.logProof, checkpoint, extra: dagCbor.encode(receipt) })
}

/** What a batch receipt proves, and what it says besides. */
export interface BatchFacts {
  index: CID
  logIndex: number
  sampleCount: number
  /** Compare `digest` with `sampleDigest` of the row at hand. */
  samples: { number: number; digest: Uint8Array; row: number }[]
  checkpoint: WitnessedCheckpoint
  /** Said, not proved. */
  claim: Omit<BatchClaim, 'rows'>
}

/** The receipt in a proof file; null where the file is of another kind. Verifies nothing. Throws `invalid-document`. */
export function batchReceiptOf({ extra }: ProofFile): BatchReceipt | null {
  const value = extra === undefined ? undefined : decoded(extra)
  if (typeof value !== 'object' || value === null || !('v' in value) || value.v !== 2) return null
  const result = BatchReceipt.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new Problem('invalid-document', `not a batch receipt at ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`)
}

/** Verifies a receipt with nothing but what is trusted. Throws `invalid-document`, `invalid-signature` or `untrusted`, saying which link is broken. */
export function verifyBatchReceipt(file: ProofFile, receipt: BatchReceipt, trust: Pick<Trust, 'log' | 'policy'>): BatchFacts {
  const checkpoint = openTrustedCheckpoint(file.checkpoint, trust)
  const { index, envelope, tree, samples } = receipt
  verifyLogged(file, encodeLogEntry({ kind: 'index', document: index, envelope, tree }), checkpoint.checkpoint)
  const digests = splitHashes(receipt.digests)
  const isIncluded = verifyMultiInclusion({
    indices: samples,
    leafHashes: digests.map((digest) => leafHash(digest)),
    size: tree.size,
    proof: splitHashes(receipt.proof),
    rootHash: hexToBytes(tree.rootHash),
  })
  if (!isIncluded) throw new Problem('untrusted', `the proof does not lead from the samples to the tree of the index ${index.toString()}`)
  const { rows, ...claim } = receipt.claim
  return {
    index,
    logIndex: file.index,
    sampleCount: tree.size,
    samples: samples.map((number, i) => ({ number, digest: digests[i]!, row: rows[i]! })),
    checkpoint,
    claim,
  }
}

/** Attacker-controlled. Undefined for bytes that are no canonical DAG-CBOR. */
function decoded(bytes: Uint8Array): unknown {
  try {
    return dagCbor.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * A batch receipt: one file that shows offline that row r of step t of a run was this sample of this index, and that the log has
 * both the run and the index. It is a tlog-proof file (https://c2sp.org/tlog-proof) whose entry is the index's; its `extra` is
 * canonical DAG-JSON of the `Receipt` below, which carries everything else that the chain of hashes needs:
 *
 *     checkpoint ← log entry of the index ← index document → root of the sample tree ← digest of the sample
 *     checkpoint ← log entry of the run ← run document → selection document → bitmap; seed, step, row → number of the sample
 */
import { z } from 'zod'
import { describeWitnesses, openTrustedCheckpoint, type Trust } from './audit/trust.ts'
import { type Bitmap, bitmapFromBytes } from './bitmap.ts'
import { bytesToHex, hexToBytes } from './bytes.ts'
import type { CID } from './cid.ts'
import { Count } from './documents/common.ts'
import { type DocumentOf, type Encoded, encodeDagJson, parseDagJson, parseDocument } from './documents/document.ts'
import type { Consumption } from './documents/run.ts'
import { DIGEST_LENGTH } from './hash.ts'
import type { Checkpoint } from './log/checkpoint.ts'
import { logEntryOf } from './log/entry.ts'
import { encodeProofFile, MAX_PROOF_FILE_BYTES, parseProofFile, type ProofFile } from './log/proofFile.ts'
import { leafHash, verifyInclusion } from './merkle/tree.ts'
import { createOrder } from './order.ts'
import { messageOf, Problem } from './problem.ts'
import { locate, type Place, sampleAt } from './runOrder.ts'
import { type SignedKind, verifyAttestation, verifyDocument } from './statement.ts'
import { createFileBuilder } from './unixfs/file.ts'

const Bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes')
const Digest = Bytes.refine((bytes) => bytes.length === DIGEST_LENGTH, 'expected 32 bytes')
const Proof = z.array(Digest).max(64)

const Receipt = z.strictObject({
  v: z.literal(1),
  index: z.strictObject({ document: Bytes, envelope: Bytes }),
  /** Its log entry is proved against the same checkpoint as the index's. */
  run: z.strictObject({ document: Bytes, envelope: Bytes, logIndex: Count, logProof: Proof }),
  selection: z.strictObject({ document: Bytes, bitmap: Bytes }),
  /** Which of the run's consumptions, then which row of it. */
  consumed: Count,
  step: Count,
  row: Count,
  sample: z.strictObject({ number: Count, digest: Digest, proof: Proof }),
})
type Receipt = z.infer<typeof Receipt>

/** A signed document with the proof that the log has it. */
export interface LoggedDocument {
  document: Uint8Array
  envelope: Uint8Array
  logIndex: number
  /** Hashes from the entry upwards, to the checkpoint of the receipt. */
  logProof: Uint8Array[]
}

export interface ReceiptContents {
  /** The signed note. */
  checkpoint: Uint8Array
  index: LoggedDocument
  run: LoggedDocument
  selection: { document: Uint8Array; bitmap: Uint8Array }
  consumed: number
  step: number
  row: number
  /** The sample's number, its digest, and its inclusion proof in the index's sample tree. */
  sample: { number: number; digest: Uint8Array; proof: Uint8Array[] }
}

/** The receipt's file. It is not verified here. Throws `too-large` for a bitmap that does not fit into a proof file. */
export function encodeReceipt({ checkpoint, index, run, selection, consumed, step, row, sample }: ReceiptContents): Uint8Array {
  const { document, envelope } = index
  const receipt: Receipt = { v: 1, index: { document, envelope }, run, selection, consumed, step, row, sample }
  const file = encodeProofFile({ index: index.logIndex, proof: index.logProof, checkpoint, extra: encodeDagJson(receipt) })
  if (file.length > MAX_PROOF_FILE_BYTES)
    throw new Problem(
      'too-large',
      `the receipt has ${file.length} bytes; at most ${MAX_PROOF_FILE_BYTES} are accepted. Audit the run instead`,
    )
  return file
}

/** Every step and its law, in the order in which a receipt is verified. */
export const RECEIPT_LAWS = {
  'checkpoint-signature': 'The checkpoint is signed by the log that is trusted.',
  'index-signature': 'The index is signed by an indexer that is trusted.',
  'index-logged': 'The log has the index and its signature.',
  'run-signature': 'The run is signed by its author.',
  'run-logged': 'The log has the run and its signature.',
  selection: 'The run consumed this selection of this index, with this bitmap.',
  order: 'The run’s seed puts this sample into this row of this step.',
  'sample-tree': 'The sample is this leaf of the index’s sample tree.',
} as const

export type ReceiptStepName = keyof typeof RECEIPT_LAWS

export interface ReceiptStep {
  name: ReceiptStepName
  /** `unknown`: not examined, because a step that it rests on failed. */
  status: 'passed' | 'failed' | 'unknown'
  /** What was seen, for a person. */
  detail: string
}

/** What a receipt says. It is shown only where every step passed. */
export interface ReceiptFacts {
  run: CID
  runName: string
  author: string
  selection: CID
  index: CID
  manifest: CID
  step: number
  row: number
  epoch: number
  sample: number
  /** 32 bytes: compare with `sampleDigest` of the row at hand. */
  sampleDigest: Uint8Array
  checkpoint: Checkpoint
}

/**
 * Verifies a receipt with nothing but what is trusted. Throws `invalid-document` for a file that is no receipt at all.
 * `facts` is null unless every step passed.
 */
export function verifyReceipt(file: Uint8Array, trust: Trust): { steps: ReceiptStep[]; facts: ReceiptFacts | null } {
  const proofFile = parseProofFile(file)
  const receipt = parseReceipt(proofFile)
  const steps: ReceiptStep[] = []
  const examine = createExamination(steps)

  const checkpoint = examine('checkpoint-signature', [], () => checkpointLaw(proofFile, trust))
  const index = examine('index-signature', [], () => indexLaw(receipt, trust))
  examine('index-logged', [checkpoint, index], () => {
    const { index: logIndex, proof: logProof } = proofFile
    return loggedLaw(checkpoint!, 'index', index!, { ...receipt.index, logIndex, logProof })
  })
  const run = examine('run-signature', [], () => runLaw(receipt))
  examine('run-logged', [checkpoint, run], () => loggedLaw(checkpoint!, 'run', run!, receipt.run))
  const selected = examine('selection', [index, run], () => selectionLaw(receipt, index!, run!))
  const place = examine('order', [selected], () => orderLaw(receipt, selected!))
  examine('sample-tree', [index], () => sampleTreeLaw(receipt, index!))

  if (steps.some(({ status }) => status !== 'passed')) return { steps, facts: null }
  const facts: ReceiptFacts = {
    run: run!.cid,
    runName: run!.document.name,
    author: run!.document.author,
    selection: selected!.cid,
    index: index!.cid,
    manifest: index!.document.manifest,
    step: receipt.step,
    row: receipt.row,
    epoch: place!.epoch,
    sample: receipt.sample.number,
    sampleDigest: receipt.sample.digest,
    checkpoint: checkpoint!,
  }
  return { steps, facts }
}

function parseReceipt({ extra }: ProofFile): Receipt {
  if (extra === undefined) throw new Problem('invalid-document', 'not a receipt: the proof file has no extra line')
  const result = Receipt.safeParse(parseDagJson(extra, MAX_PROOF_FILE_BYTES))
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new Problem('invalid-document', `not a receipt at ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`)
}

interface Held<T> {
  value: T
  detail: string
}

/** A law that rests on nothing that failed is examined; a Problem is its answer, all else a fault. */
function createExamination(steps: ReceiptStep[]) {
  return <T>(name: ReceiptStepName, rests: readonly unknown[], law: () => Held<T>): T | null => {
    if (rests.includes(null)) {
      steps.push({ name, status: 'unknown', detail: 'not examined: what it rests on did not pass' })
      return null
    }
    try {
      const { value, detail } = law()
      steps.push({ name, status: 'passed', detail })
      return value
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      steps.push({ name, status: 'failed', detail: messageOf(error) })
      return null
    }
  }
}

function broken(detail: string): never {
  throw new Problem('untrusted', detail)
}

function checkpointLaw({ checkpoint: note }: ProofFile, trust: Trust): Held<Checkpoint> {
  const witnessed = openTrustedCheckpoint(note, trust)
  const { checkpoint } = witnessed
  return { value: checkpoint, detail: `${checkpoint.origin}, size ${checkpoint.size}${describeWitnesses(witnessed)}` }
}

function indexLaw({ index: { document, envelope } }: Receipt, trust: Trust): Held<Encoded<DocumentOf<'index'>>> {
  const { encoded, author } = verifyDocument('index', document, envelope)
  if (trust.indexers !== undefined && !trust.indexers.includes(author))
    broken(`${author} signed the index, who is not among the trusted indexers`)
  return { value: encoded, detail: `${encoded.cid.toString()}, signed by ${author}` }
}

function runLaw({ run: { document, envelope } }: Receipt): Held<Encoded<DocumentOf<'run'>>> {
  const { encoded, author } = verifyDocument('run', document, envelope)
  return { value: encoded, detail: `${encoded.cid.toString()}, signed by ${author}` }
}

function loggedLaw<K extends SignedKind>(
  checkpoint: Checkpoint,
  kind: K,
  encoded: Encoded<DocumentOf<K>>,
  logged: LoggedDocument,
): Held<number> {
  const { envelopeCid } = verifyAttestation(logged.envelope, { kind, cid: encoded.cid })
  const entry = leafHash(logEntryOf(kind, encoded, envelopeCid))
  const { logIndex, logProof } = logged
  if (!verifyInclusion({ leafHash: entry, index: logIndex, size: checkpoint.size, proof: logProof, rootHash: checkpoint.rootHash }))
    broken(`the proof does not lead from entry ${logIndex} to the checkpoint of size ${checkpoint.size}`)
  return { value: logIndex, detail: `entry ${logIndex} of ${checkpoint.size}` }
}

/** The selection that a run consumed, and how. */
interface Selected {
  cid: CID
  consumption: Consumption
  selectedCount: number
  bitmap: Bitmap
}

function selectionLaw(
  { selection, consumed }: Receipt,
  index: Encoded<DocumentOf<'index'>>,
  run: Encoded<DocumentOf<'run'>>,
): Held<Selected> {
  const consumption = run.document.consumed[consumed]
  if (consumption === undefined) broken(`the run has no consumption ${consumed}`)
  const { cid, document } = parseDocument('selection', selection.document)
  if (consumption.selection.toString() !== cid.toString())
    broken(`the run consumed ${consumption.selection.toString()}, not ${cid.toString()}`)
  if (!document.index.equals(index.cid)) broken(`the selection is of the index ${document.index.toString()}`)
  if (document.sampleCount !== index.document.sampleCount) broken('selection and index differ in their number of samples')
  const bitmap = bitmapFromBytes(selection.bitmap, document.sampleCount)
  if (!fileCid(selection.bitmap).equals(document.bitmap)) broken('the bitmap is not the one that the selection names')
  const { selectedCount } = document
  if (bitmap.count() !== selectedCount) broken(`the bitmap selects ${bitmap.count()} samples, not ${selectedCount}`)
  return { value: { cid, consumption, selectedCount, bitmap }, detail: `${selectedCount} of ${document.sampleCount} samples` }
}

function fileCid(bytes: Uint8Array): CID {
  const file = createFileBuilder()
  file.push(bytes)
  return file.finish().cid
}

function orderLaw({ step, row, sample }: Receipt, { consumption, selectedCount, bitmap }: Selected): Held<Place> {
  const place = locate(consumption, selectedCount, step, row)
  if (place === null) broken(`the run has no row ${row} of step ${step}`)
  const order = createOrder({ seed: consumption.seed, epoch: place.epoch, size: selectedCount })
  const number = sampleAt(bitmap, order, place.position)
  if (number !== sample.number) broken(`row ${row} of step ${step} is sample ${number}, not ${sample.number}`)
  return { value: place, detail: `step ${step}, row ${row}: epoch ${place.epoch}, worker ${place.shard}, sample ${number}` }
}

function sampleTreeLaw({ sample }: Receipt, { document }: Encoded<DocumentOf<'index'>>): Held<number> {
  const { number, digest, proof } = sample
  const rootHash = hexToBytes(document.tree.rootHash)
  if (!verifyInclusion({ leafHash: leafHash(digest), index: number, size: document.sampleCount, proof, rootHash }))
    broken(`the digest ${bytesToHex(digest)} is not leaf ${number} of the tree of ${document.sampleCount} samples`)
  return { value: number, detail: `sample ${number} has the digest ${bytesToHex(digest)}` }
}

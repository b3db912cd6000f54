/** Putting a batch receipt together from a registry: everything that goes into it is verified on the way. */
import { consistencyLaw, loggedLaw, type VerifiedLog } from '../core/audit/log.ts'
import { sampleTreeLaw } from '../core/audit/samples.ts'
import { type Selected, selectionLaw } from '../core/audit/selections.ts'
import { type Signed, signatureLaw } from '../core/audit/signatures.ts'
import type { AuditSource } from '../core/audit/source.ts'
import { openTrustedCheckpoint, type Trust } from '../core/audit/trust.ts'
import { encodeBatchReceipt } from '../core/batchReceipt.ts'
import type { CID } from '../core/cid.ts'
import { treeOf } from '../core/log/entry.ts'
import { inclusionProof, multiInclusionProof, type TileReader } from '../core/merkle/tiles.ts'
import { createOrder } from '../core/order.ts'
import { Problem } from '../core/problem.ts'
import { type LoggedDocument, encodeReceipt } from '../core/receipt.ts'
import { locate, sampleAt } from '../core/runOrder.ts'
import { sampleDigest } from '../core/samples/encoding.ts'
import type { SignedKind } from '../core/statement.ts'
import type { GetBlock } from '../core/unixfs/node.ts'
import { mapInParallel } from './parallel.ts'

export interface ReceiptRequest {
  run: CID
  /** Which of the run's consumptions, from 0. */
  consumed: number
  step: number
  /** Absent: all rows of the step. */
  row?: number | undefined
}

/** The rows of a step, or one of them, of a run that is verified with its selection, index and sample tree. */
interface VerifiedRows {
  run: Signed<'run'>
  index: Signed<'index'>
  tree: TileReader
  selected: Selected
  /** By the number of the sample. */
  samples: { number: number; row: number }[]
}

/**
 * A receipt that shows all of it, the run's order and selection too: as large as the selection's bitmap. Throws `invalid-request` for a
 * row that the run has not.
 */
export async function assembleReceipt(
  source: AuditSource,
  getBlock: GetBlock,
  trust: Trust,
  { run: runCid, consumed, step, row }: ReceiptRequest & { row: number },
): Promise<Uint8Array> {
  const { run, index, tree, selected, samples } = await verifiedRows(source, getBlock, trust, { run: runCid, consumed, step, row })
  const { number } = samples[0]!
  const { note, log } = await verifiedLog(source, trust)
  return encodeReceipt({
    checkpoint: note,
    index: await proveLogged(log, index),
    run: await proveLogged(log, run),
    selection: { document: selected.encoded.bytes, bitmap: selected.bitmap.bytes },
    consumed,
    step,
    row,
    sample: {
      number,
      digest: sampleDigest(await source.row(index.encoded, number)),
      proof: await inclusionProof(tree, number, index.encoded.document.sampleCount),
    },
  })
}

/** A batch receipt of a step, or of one of its rows. Throws `invalid-request` for what the run has not. */
export async function assembleBatchReceipt(
  source: AuditSource,
  getBlock: GetBlock,
  trust: Trust,
  request: ReceiptRequest,
): Promise<Uint8Array> {
  const { run, index, tree, samples } = await verifiedRows(source, getBlock, trust, request)
  const { note, log } = await verifiedLog(source, trust)
  const { logIndex, logProof } = await proveLogged(log, index)
  const numbers = samples.map(({ number }) => number)
  const digests = await mapInParallel(numbers, ROWS_AT_ONCE, async (number) => sampleDigest(await source.row(index.encoded, number)))
  const { consumed, step } = request
  return encodeBatchReceipt({
    checkpoint: note,
    index: { cid: index.encoded.cid, envelope: index.envelopeCid, tree: treeOf(index.encoded.document).tree!, logIndex, logProof },
    samples: samples.map(({ number, row }, i) => ({ number, digest: digests[i]!, row })),
    proof: await multiInclusionProof(tree, numbers, index.encoded.document.sampleCount),
    claim: { run: run.encoded.cid, consumed, step },
  })
}

const ROWS_AT_ONCE = 8

async function verifiedRows(
  source: AuditSource,
  getBlock: GetBlock,
  trust: Trust,
  { run: runCid, consumed, step, row }: ReceiptRequest,
): Promise<VerifiedRows> {
  const { value: run } = await signatureLaw(source, 'run', runCid)
  const consumption = run.encoded.document.consumed[consumed]
  if (consumption === undefined)
    throw new Problem('invalid-request', `the run consumed ${run.encoded.document.consumed.length} selections; count from 0`)
  const { value: selected } = await selectionLaw(source, getBlock, consumption.selection)
  const { selectedCount, index: indexCid } = selected.encoded.document
  const rows = row === undefined ? Array.from({ length: consumption.shards * consumption.batchSize }, (_, i) => i) : [row]
  const places = rows.flatMap((each) => {
    const place = locate(consumption, selectedCount, step, each)
    return place === null ? [] : [{ row: each, place }]
  })
  if (places.length === 0) throw new Problem('invalid-request', `the run has no ${row === undefined ? '' : `row ${row} of `}step ${step}`)

  const { value: index } = await signatureLaw(source, 'index', indexCid, trust.indexers)
  const { value: tree } = await sampleTreeLaw(getBlock, index)
  const order = createOrder({ seed: consumption.seed, epoch: places[0]!.place.epoch, size: selectedCount })
  const samples = places.map(({ row: each, place }) => ({ number: sampleAt(selected.bitmap, order, place.position), row: each }))
  return { run, index, tree, selected, samples: samples.sort((a, b) => a.number - b.number) }
}

async function verifiedLog(source: AuditSource, trust: Trust): Promise<{ note: Uint8Array; log: VerifiedLog }> {
  const note = await source.checkpoint()
  const { value: log } = await consistencyLaw(source, trust, openTrustedCheckpoint(note, trust).checkpoint, undefined)
  return { note, log }
}

async function proveLogged(log: VerifiedLog, signed: Signed<SignedKind>): Promise<LoggedDocument> {
  const { value: logIndex } = await loggedLaw(log, signed)
  const { encoded, envelope } = signed
  return { document: encoded.bytes, envelope, logIndex, logProof: await inclusionProof(log.tiles, logIndex, log.checkpoint.size) }
}

/** Putting a batch receipt together from a registry: everything that goes into it is verified on the way. */
import { consistencyLaw, loggedLaw, type VerifiedLog } from '../core/audit/log.ts'
import { sampleTreeLaw } from '../core/audit/samples.ts'
import { selectionLaw } from '../core/audit/selections.ts'
import { type Signed, signatureLaw } from '../core/audit/signatures.ts'
import type { AuditSource } from '../core/audit/source.ts'
import { openTrustedCheckpoint, type Trust } from '../core/audit/trust.ts'
import type { CID } from '../core/cid.ts'
import { inclusionProof } from '../core/merkle/tiles.ts'
import { createOrder } from '../core/order.ts'
import { Problem } from '../core/problem.ts'
import { type LoggedDocument, encodeReceipt } from '../core/receipt.ts'
import { locate, sampleAt } from '../core/runOrder.ts'
import { sampleDigest } from '../core/samples/encoding.ts'
import type { SignedKind } from '../core/statement.ts'
import type { GetBlock } from '../core/unixfs/node.ts'

export interface ReceiptRequest {
  run: CID
  /** Which of the run's consumptions, from 0. */
  consumed: number
  step: number
  row: number
}

/** The bytes of a `.tlog-proof` file. Throws `invalid-request` for a row that the run has not. */
export async function assembleReceipt(
  source: AuditSource,
  getBlock: GetBlock,
  trust: Trust,
  { run: runCid, consumed, step, row }: ReceiptRequest,
): Promise<Uint8Array> {
  const { value: run } = await signatureLaw(source, 'run', runCid)
  const consumption = run.encoded.document.consumed[consumed]
  if (consumption === undefined)
    throw new Problem('invalid-request', `the run consumed ${run.encoded.document.consumed.length} selections; count from 0`)
  const { value: selected } = await selectionLaw(source, getBlock, consumption.selection)
  const { selectedCount, index: indexCid } = selected.encoded.document
  const place = locate(consumption, selectedCount, step, row)
  if (place === null) throw new Problem('invalid-request', `the run has no row ${row} of step ${step}`)

  const { value: index } = await signatureLaw(source, 'index', indexCid, trust.indexers)
  const { value: tree } = await sampleTreeLaw(getBlock, index)
  const order = createOrder({ seed: consumption.seed, epoch: place.epoch, size: selectedCount })
  const number = sampleAt(selected.bitmap, order, place.position)
  const digest = sampleDigest(await source.row(index.encoded, number))

  const note = await source.checkpoint()
  const { value: log } = await consistencyLaw(source, trust, openTrustedCheckpoint(note, trust).checkpoint, undefined)
  return encodeReceipt({
    checkpoint: note,
    index: await proveLogged(log, index),
    run: await proveLogged(log, run),
    selection: { document: selected.encoded.bytes, bitmap: selected.bitmap.bytes },
    consumed,
    step,
    row,
    sample: { number, digest, proof: await inclusionProof(tree, number, index.encoded.document.sampleCount) },
  })
}

async function proveLogged(log: VerifiedLog, signed: Signed<SignedKind>): Promise<LoggedDocument> {
  const { value: logIndex } = await loggedLaw(log, signed)
  const { encoded, envelope } = signed
  return { document: encoded.bytes, envelope, logIndex, logProof: await inclusionProof(log.tiles, logIndex, log.checkpoint.size) }
}

/** `assay verify`: checks a receipt, or the proof that a document is logged, with nothing but the file and the keys that are trusted. */
import { readFile, stat } from 'node:fs/promises'
import { describeWitnesses, openTrustedCheckpoint, type Trust } from '../../core/audit/trust.ts'
import { type BatchReceipt, batchReceiptOf, verifyBatchReceipt } from '../../core/batchReceipt.ts'
import { bytesToHex } from '../../core/bytes.ts'
import { type LogEntry, parseLogEntry } from '../../core/log/entry.ts'
import { MAX_PROOF_FILE_BYTES, type ProofFile, parseProofFile, verifyLogged } from '../../core/log/proofFile.ts'
import { Problem } from '../../core/problem.ts'
import { type ReceiptFacts, verifyReceipt } from '../../core/receipt.ts'
import { type ExitCode, defineCommand } from '../command.ts'
import { isCode } from '../home.ts'
import { type Output, printable } from '../output.ts'
import { describeMark } from '../steps.ts'
import { loadTrustOffline, trustOptions } from '../trust.ts'

export const verify = defineCommand({
  name: 'verify',
  summary: 'check a .tlog-proof file, offline',
  description: 'FILE is a receipt, or what a registry gives at /v1/documents/CID/proof. Exit code 0: it holds. 1: it does not.',
  positionals: ['FILE'],
  options: trustOptions,
  async run(context, { positionals: [path], options }) {
    const file = await readProof(path)
    const trust = await loadTrustOffline(context, options)
    const proof = parseProofFile(file)
    const entry = entryOf(proof)
    if (entry !== null) return checkEntry(proof, entry, trust, context.output)
    const receipt = batchReceiptOf(proof)
    return receipt === null ? checkReceipt(file, trust, context.output) : checkBatch(proof, receipt, trust, context.output)
  },
})

async function readProof(path: string): Promise<Uint8Array> {
  try {
    if ((await stat(path)).size > MAX_PROOF_FILE_BYTES) throw new Problem('too-large', `${path} is too large for a proof file`)
    return await readFile(path)
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) throw new Problem('not-found', `there is no ${path}`, { cause })
    throw cause
  }
}

/** The log entry that a document's proof carries as `extra`; null for a receipt. */
function entryOf({ extra }: ProofFile): { entry: LogEntry; bytes: Uint8Array } | null {
  if (extra === undefined) return null
  try {
    return { entry: parseLogEntry(extra), bytes: extra }
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

function checkEntry(proof: ProofFile, { entry, bytes }: { entry: LogEntry; bytes: Uint8Array }, trust: Trust, output: Output): ExitCode {
  const { checkpoint } = openTrustedCheckpoint(proof.checkpoint, trust)
  verifyLogged(proof, bytes, checkpoint)
  const { kind, document, envelope } = entry
  const facts = { kind, document: document.toString(), envelope: envelope.toString(), index: proof.index, size: checkpoint.size }
  output.result(facts, `${describeMark('passed')} entry ${proof.index} of ${checkpoint.size} is the ${kind} ${facts.document}`)
  return 0
}

function checkBatch(proof: ProofFile, receipt: BatchReceipt, trust: Trust, output: Output): ExitCode {
  const { index, logIndex, sampleCount, samples, checkpoint, claim } = verifyBatchReceipt(proof, receipt, trust)
  const { origin, size } = checkpoint.checkpoint
  output.result(
    {
      holds: true,
      index: index.toString(),
      samples: samples.map(({ number, digest, row }) => ({ sample: number, sampleDigest: bytesToHex(digest), row })),
      log: { origin, size, index: logIndex, witnesses: checkpoint.witnesses },
      claim: { ...claim, run: claim.run.toString() },
    },
    [
      `${describeMark('passed')} ${samples.length} of the ${sampleCount} samples of the index ${index.toString()}`,
      `${describeMark('passed')} which is entry ${logIndex} of ${size} of ${origin}${describeWitnesses(checkpoint)}`,
      `said, not proved: they were read in step ${claim.step} of the run ${claim.run.toString()}; "assay audit" shows that`,
      ...samples.slice(0, SHOWN_SAMPLES).map(({ number, digest, row }) => `  row ${row}: sample ${number}, digest ${bytesToHex(digest)}`),
      ...(samples.length > SHOWN_SAMPLES ? [`  and ${samples.length - SHOWN_SAMPLES} more; --json lists them`] : []),
    ].join('\n'),
  )
  return 0
}

const SHOWN_SAMPLES = 8

function checkReceipt(file: Uint8Array, trust: Trust, output: Output): ExitCode {
  const { steps, facts } = verifyReceipt(file, trust)
  for (const { name, status, detail } of steps) output.say(`${describeMark(status)} ${name.padEnd(21)} ${printable(detail)}`)
  output.result({ holds: facts !== null, steps, ...(facts === null ? {} : { facts: plainFacts(facts) }) }, describeFacts(facts))
  return facts === null ? 1 : 0
}

function plainFacts({ run, selection, index, manifest, sampleDigest, checkpoint, ...rest }: ReceiptFacts): object {
  return {
    ...rest,
    run: run.toString(),
    selection: selection.toString(),
    index: index.toString(),
    manifest: manifest.toString(),
    sampleDigest: bytesToHex(sampleDigest),
    log: { origin: checkpoint.origin, size: checkpoint.size },
  }
}

function describeFacts(facts: ReceiptFacts | null): string {
  if (facts === null) return 'the receipt does not hold'
  const { step, row, runName, author, sample, index, sampleDigest } = facts
  return [
    `row ${row} of step ${step} of "${printable(runName)}" by ${author}`,
    `was sample ${sample} of the index ${index.toString()}`,
    `with the digest ${bytesToHex(sampleDigest)}`,
  ].join('\n')
}

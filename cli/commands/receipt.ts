/** `assay receipt`: one file that shows which samples stood in a step of a run, or in one row of it. */
import { writeFile } from 'node:fs/promises'
import { batchReceiptOf, verifyBatchReceipt } from '../../core/batchReceipt.ts'
import { parseProofFile } from '../../core/log/proofFile.ts'
import { verifyReceipt } from '../../core/receipt.ts'
import { bytesToHex } from '../../core/bytes.ts'
import { Problem } from '../../core/problem.ts'
import { registrySource } from '../client/auditSource.ts'
import { registryBlocks } from '../client/documents.ts'
import { cidArgument } from '../client/registry.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../output.ts'
import { assembleBatchReceipt, assembleReceipt } from '../receipts.ts'
import { loadTrust, trustOptions } from '../trust.ts'

export const receipt = defineCommand({
  name: 'receipt',
  summary: 'write a .tlog-proof file that shows which samples stood in a step',
  description: [
    'Rows of a step count through its workers: row R belongs to worker R / batch-size.',
    '"assay verify FILE" checks the file with no registry at hand: that these samples are of this index, and that the log has it.',
    'With --full the file of a row also holds the run, its selection and its order, and grows with the data set.',
  ].join('\n'),
  positionals: ['RUN'],
  options: {
    step: { type: 'integer', value: 'B', required: true, help: 'the step, from 0' },
    row: { type: 'integer', value: 'R', help: 'the row of the step, from 0; all rows unless given' },
    full: { type: 'flag', help: 'show the run’s order too; for one row' },
    consumed: { type: 'integer', value: 'N', default: 0, help: 'which of the run’s selections, from 0' },
    out: { type: 'text', value: 'FILE', help: 'the file to write (default RUN-STEP[-ROW].tlog-proof)' },
    ...trustOptions,
  },
  async run(context, { positionals: [text], options: { step, row, consumed, full, ...options } }) {
    const { registry, output } = context
    const run = cidArgument(text, 'run')
    if (full && row === undefined) throw new Problem('invalid-request', '--full takes a --row')
    const trust = await loadTrust(context, options)
    const [source, getBlock] = [registrySource(registry), registryBlocks(registry)]
    const path = options.out ?? `${run.toString()}-${step}${row === undefined ? '' : `-${row}`}.tlog-proof`
    if (full) {
      const file = await assembleReceipt(source, getBlock, trust, { run, consumed, step, row: row! })
      const { facts, steps } = verifyReceipt(file, trust)
      const failed = steps.find(({ status }) => status === 'failed')
      if (facts === null)
        throw new Problem('untrusted', `the registry’s evidence does not make a receipt: ${failed?.name}: ${failed?.detail}`)
      await writeFile(path, file)
      output.result(
        { file: path, sample: facts.sample, sampleDigest: bytesToHex(facts.sampleDigest), epoch: facts.epoch },
        `${path}: row ${row} of step ${step} was sample ${facts.sample} (${formatBytes(file.length)})`,
      )
      return 0
    }
    const file = await assembleBatchReceipt(source, getBlock, trust, { run, consumed, step, row })
    const proof = parseProofFile(file)
    const { samples } = verifyBatchReceipt(proof, batchReceiptOf(proof)!, trust)
    await writeFile(path, file)
    output.result(
      {
        file: path,
        samples: samples.map(({ number, digest, row: place }) => ({ row: place, sample: number, sampleDigest: bytesToHex(digest) })),
      },
      `${path}: step ${step} read ${samples.length === 1 ? `sample ${samples[0]!.number}` : `${samples.length} samples`} (${formatBytes(file.length)})`,
    )
    return 0
  },
})

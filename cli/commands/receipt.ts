/** `assay receipt`: one file that shows what stood in one row of one batch of a run. */
import { writeFile } from 'node:fs/promises'
import { verifyReceipt } from '../../core/receipt.ts'
import { bytesToHex } from '../../core/bytes.ts'
import { Problem } from '../../core/problem.ts'
import { registrySource } from '../client/auditSource.ts'
import { registryBlocks } from '../client/documents.ts'
import { cidArgument } from '../client/registry.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../output.ts'
import { assembleReceipt } from '../receipts.ts'
import { loadTrust, trustOptions } from '../trust.ts'

export const receipt = defineCommand({
  name: 'receipt',
  summary: 'write a .tlog-proof file that shows which sample stood in a row of a batch',
  description: [
    'Rows of a step count through its workers: row R belongs to worker R / batch-size.',
    '"assay verify FILE" checks the file with no registry at hand.',
  ].join('\n'),
  positionals: ['RUN'],
  options: {
    step: { type: 'integer', value: 'B', required: true, help: 'the step, from 0' },
    row: { type: 'integer', value: 'R', required: true, help: 'the row of the step, from 0' },
    consumed: { type: 'integer', value: 'N', default: 0, help: 'which of the run’s selections, from 0' },
    out: { type: 'text', value: 'FILE', help: 'the file to write (default RUN-STEP-ROW.tlog-proof)' },
    ...trustOptions,
  },
  async run(context, { positionals: [text], options: { step, row, consumed, ...options } }) {
    const { registry, output } = context
    const run = cidArgument(text, 'run')
    const trust = await loadTrust(context, options)
    const file = await assembleReceipt(registrySource(registry), registryBlocks(registry), trust, { run, consumed, step, row })
    const { facts, steps } = verifyReceipt(file, trust)
    const failed = steps.find(({ status }) => status === 'failed')
    if (facts === null)
      throw new Problem('untrusted', `the registry’s evidence does not make a receipt: ${failed?.name}: ${failed?.detail}`)
    const path = options.out ?? `${run.toString()}-${step}-${row}.tlog-proof`
    await writeFile(path, file)
    output.result(
      { file: path, sample: facts.sample, sampleDigest: bytesToHex(facts.sampleDigest), epoch: facts.epoch },
      `${path}: row ${row} of step ${step} was sample ${facts.sample} (${formatBytes(file.length)})`,
    )
    return 0
  },
})

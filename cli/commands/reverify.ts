/** `assay reverify`: does a signed report hold when it is computed again, here? */
import { resolveReport } from '../client/documents.ts'
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const reverify = defineCommand({
  name: 'reverify',
  summary: 'compute a report again on this machine and say what does not agree',
  description:
    'REF is a version or the CID of a report. Weights are needed once, samples are fetched from the server and verified; the device is that of ASSAY_DEVICE. With --rows only the embeddings of so many rows are computed, chosen by SHA-256 of the beacon and the report: 299 rows find 1 % of made-up rows 19 times out of 20, 2,995 find 0.1 %. Exit code 1 where the report does not hold.',
  positionals: ['REF'],
  options: {
    rows: { type: 'integer', minimum: 1, value: 'N', help: 'how many rows to check; all of the report unless given' },
    beacon: {
      type: 'text',
      value: 'TEXT',
      help: 'public randomness that is younger than the report: 64 hexadecimal digits, or any text (default: this machine’s own)',
    },
  },
  async run({ registry, signal, output: { json } }, { positionals: [ref], options }) {
    const report = await resolveReport(registry, ref)
    const words = optionWords({ ...options, gateway: registry.server.toString(), json })
    return runProgram('tools', ['reverify', report.toString(), ...words], signal)
  },
})

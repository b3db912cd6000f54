/** `assay benchmark add`: names a data set that no other should repeat. */
import { Problem } from '../../core/problem.ts'
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const benchmarkAdd = defineCommand({
  name: 'benchmark add',
  summary: 'compare data sets with a benchmark set, which is a data set of the registry',
  description:
    'REF is an indexed version. It is noted in the file that the node reads as it starts (ASSAY_BENCHMARKS, else benchmarks.json in ASSAY_DATA, else in ./data), and named in the recipe by the CID of its index: all versions are verified again under that recipe, and samples that repeat an item, or say it in other words, are flagged as contaminated. All workers of an installation need the same file.',
  positionals: ['REF'],
  options: { name: { type: 'text', value: 'NAME', help: 'what reports call it, such as gsm8k (required)' } },
  async run({ registry, signal, output: { json } }, { positionals: [ref], options }) {
    if (options.name === undefined) throw new Problem('invalid-request', 'say what reports are to call it: --name NAME')
    const { index } = await registry.version(ref)
    if (index === null || index === undefined)
      throw new Problem('not-ready', `${ref} is not indexed yet; "assay status ${ref}" tells when it is`)
    const words = optionWords({ ...options, gateway: registry.server.toString(), json })
    return runProgram('tools', ['benchmark', 'add', index.toString(), ...words], signal)
  },
})

/** `assay reference list`: the human texts that this installation compares data sets with. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const referenceList = defineCommand({
  name: 'reference list',
  summary: 'list the human texts that data sets are compared with: cell, number of texts, index',
  positionals: [],
  options: {},
  run: ({ signal, output: { json } }) => runProgram('tools', ['reference', 'list', ...optionWords({ json })], signal),
})

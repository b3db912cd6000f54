/** `assay reference remove`: gives up a cell of human texts. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const referenceRemove = defineCommand({
  name: 'reference remove',
  summary: 'compare data sets with the human texts of a cell no longer',
  description:
    'From the node’s next start on the recipe is without them, and all versions are verified again under it. Reports that were made with them stay valid, and so does the data set that held them.',
  positionals: ['LANG/DOMAIN'],
  options: {},
  run: ({ signal, output: { json } }, { positionals: [cell] }) =>
    runProgram('tools', ['reference', 'remove', cell, ...optionWords({ json })], signal),
})

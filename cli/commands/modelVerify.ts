/** `assay model verify`: checks every byte of a model on this machine. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const modelVerify = defineCommand({
  name: 'model verify',
  summary: 'check the files of an embedding model by SHA-256 and CID, and derive its graphs anew',
  positionals: ['MODEL'],
  options: {},
  run: ({ signal, output: { json } }, { positionals: [model] }) =>
    runProgram('tools', ['model', 'verify', model, ...optionWords({ json })], signal),
})

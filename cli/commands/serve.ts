/** `assay serve`: runs a node, in a process of its own. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const serve = defineCommand({
  name: 'serve',
  summary: 'run a node: api, indexer and verifier, with a Postgres of its own unless DATABASE_URL is set',
  positionals: [],
  options: {
    data: { type: 'text', value: 'DIR', help: 'where it keeps blocks, keys and its database' },
    port: { type: 'integer', value: 'N', help: 'the port to listen on' },
    roles: { type: 'text', value: 'LIST', help: 'some of api,indexer,verifier' },
  },
  run: ({ signal }, { options }) => runProgram('node', optionWords(options), signal),
})

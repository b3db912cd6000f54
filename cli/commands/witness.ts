/** `assay witness`: runs a witness, in a process of its own. */
import { defineCommand } from '../command.ts'
import { optionWords, runProgram } from '../program.ts'

export const witness = defineCommand({
  name: 'witness',
  summary: 'cosign the checkpoints of other logs, so that none can show two histories unseen',
  description:
    'Serves https://c2sp.org/tlog-witness. A checkpoint is cosigned only if it continues the last one of its log that was; that is on disk before the answer leaves. Key and state lie in --data and must never be put back from an older copy.',
  positionals: [],
  options: {
    name: { type: 'text', value: 'NAME', required: true, help: 'who you are: a URL without a scheme, such as witness.example/w1' },
    log: { type: 'list', value: 'VKEY', help: 'verification key of a log to watch, as /v1/log shows it' },
    policy: { type: 'list', value: 'FILE', help: 'watch the logs that a policy lists (c2sp.org/tlog-policy)' },
    data: { type: 'text', value: 'DIR', help: 'where key and state are kept (default witness)' },
    host: { type: 'text', value: 'HOST', help: 'the address to listen on (default 127.0.0.1)' },
    port: { type: 'integer', value: 'N', help: 'the port to listen on, 0 for any (default 8090)' },
  },
  run: ({ signal, output: { json } }, { options }) => runProgram('tools', ['witness', ...optionWords({ ...options, json })], signal),
})

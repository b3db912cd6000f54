/** `assay serve`: runs a node, in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Problem } from '../../core/problem.ts'
import { type ExitCode, defineCommand } from '../command.ts'

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url))

export const serve = defineCommand({
  name: 'serve',
  summary: 'run a node: api, indexer and verifier, with a Postgres of its own unless DATABASE_URL is set',
  positionals: [],
  options: {
    data: { type: 'text', value: 'DIR', help: 'where it keeps blocks, keys and its database' },
    port: { type: 'integer', value: 'N', help: 'the port to listen on' },
    roles: { type: 'text', value: 'LIST', help: 'some of api,indexer,verifier' },
  },
  async run({ signal }, { options }) {
    const words = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]))
    const child = spawn(process.execPath, [MAIN, ...words], { stdio: 'inherit' })
    // A terminal sends Ctrl-C to the whole group; from elsewhere the signal is passed on.
    const stop = () => child.kill('SIGTERM')
    signal.addEventListener('abort', stop, { once: true })
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, string | null]
    signal.removeEventListener('abort', stop)
    if (signal.aborted) return 130
    if (killedBy !== null) throw new Problem('unavailable', `the node was ended by ${killedBy}`)
    return (code === 0 ? 0 : 1) satisfies ExitCode
  },
})

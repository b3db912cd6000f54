/** The process of `assay`: the only file of the CLI that reads the environment. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { runCli } from './cli.ts'
import { isCode } from './home.ts'

const interrupted = new AbortController()
// A second Ctrl-C finds no handler and ends the process at once.
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())

// The reader of a pipe may go away early, as `head` does: nothing is left to do then.
process.stdout.on('error', (error) => {
  if (isCode(error, 'EPIPE')) process.exit(0)
  throw error
})

const { env } = process
try {
  process.exitCode = await runCli({
    words: process.argv.slice(2),
    stdout: process.stdout,
    stderr: process.stderr,
    terminal: process.stderr.isTTY,
    homeDirectory: env['ASSAY_HOME'] ?? join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'assay'),
    server: env['ASSAY_SERVER'],
    signal: interrupted.signal,
  })
} catch (error) {
  process.stderr.write(`assay: a fault of assay itself:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exitCode = 1
}

/** One line of `assay`, from words to exit code, with everything that it touches handed in. */
import { randomInt } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Writable } from 'node:stream'
import { Problem } from '../core/problem.ts'
import { type ParsedLine, UsageError, findCommand, parseLine } from './arguments.ts'
import { createHttp } from './client/http.ts'
import { createRegistry } from './client/registry.ts'
import type { ExitCode } from './command.ts'
import { COMMANDS } from './commands.ts'
import { explain, overview } from './help.ts'
import { openHome } from './home.ts'
import { createOutput, printable } from './output.ts'

export const DEFAULT_SERVER = 'http://127.0.0.1:8080'

export interface CliEnvironment {
  words: readonly string[]
  stdout: Writable
  stderr: Writable
  /** Whether standard error is a terminal. */
  terminal: boolean
  /** ASSAY_HOME or its default. */
  homeDirectory: string
  /** ASSAY_SERVER. */
  server: string | undefined
  signal: AbortSignal
}

/** Runs one line. Never throws for what a person did wrong; faults of ours pass through. */
export async function runCli(environment: CliEnvironment): Promise<ExitCode> {
  const { words, stdout, stderr } = environment
  try {
    const help = helpFor(words)
    if (help !== null) {
      stdout.write(`${help}\n`)
      return 0
    }
    const line = parseLine(COMMANDS, words)
    if (line.common.help) {
      stdout.write(`${explain(line.command)}\n`)
      return 0
    }
    return await runLine(environment, line)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const hint = error.command === undefined ? '' : `\n"assay help ${error.command.name}" explains it.`
    stderr.write(`assay: ${error.message}${hint}\n`)
    return 2
  }
}

async function runLine(environment: CliEnvironment, { command, args, common }: ParsedLine): Promise<ExitCode> {
  const { stdout, stderr, signal } = environment
  const output = createOutput({ stdout, stderr, json: common.json, terminal: environment.terminal && !common.quiet, now: Date.now })
  const delay = (ms: number, aborted: AbortSignal) => setTimeout(ms, undefined, { signal: aborted })
  try {
    const http = createHttp({
      server: serverUrl(common.server ?? environment.server ?? DEFAULT_SERVER),
      fetch,
      signal,
      delay,
      onRetry: (reason, delayMs) => output.note(`${printable(reason)}; trying again in ${(delayMs / 1000).toFixed(1)} s`),
    })
    return await command.run(
      {
        output,
        stdout,
        home: openHome(environment.homeDirectory),
        registry: createRegistry(http),
        signal,
        clock: () => new Date(),
        delay,
        random: (below) => randomInt(below),
        runLine: (other) => runCli({ ...environment, ...other }),
      },
      args,
    )
  } catch (error) {
    if (signal.aborted) {
      output.note('interrupted')
      return 130
    }
    if (!(error instanceof Problem)) throw error
    output.note(`assay: ${printable(error.detail)}`)
    if (common.json) output.result({ error: { code: error.code, detail: error.detail } }, '')
    return error.code === 'unavailable' ? 2 : 1
  }
}

/** What `assay`, `assay help`, `assay help NAME` and `assay --help` print; null for any other line. */
function helpFor(words: readonly string[]): string | null {
  const [first, ...rest] = words
  if (first === undefined || first === '--help' || first === '-h') return overview(COMMANDS)
  if (first !== 'help') return null
  return rest.length === 0 ? overview(COMMANDS) : explain(findCommand(COMMANDS, rest))
}

function serverUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new Problem('invalid-request', `"${text}" is not the URL of a registry; give --server http://HOST:PORT`)
  return url
}

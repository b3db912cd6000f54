/** Programs of Assay that the CLI runs in processes of their own, since they import what it may not: a node, and the tools. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Problem } from '../core/problem.ts'
import type { ExitCode } from './command.ts'

const PROGRAMS = {
  node: fileURLToPath(new URL('../main.ts', import.meta.url)),
  tools: fileURLToPath(new URL('../tools.ts', import.meta.url)),
}

/**
 * Runs a program on this terminal until it ends; what it answers goes to standard error where it is no answer of the command's own. Throws
 * `unavailable` where something else ended it.
 */
export async function runProgram(
  name: keyof typeof PROGRAMS,
  words: readonly string[],
  signal: AbortSignal,
  answers: 'stdout' | 'stderr' = 'stdout',
): Promise<ExitCode> {
  const child = spawn(process.execPath, [PROGRAMS[name], ...words], { stdio: ['inherit', answers === 'stdout' ? 'inherit' : 2, 'inherit'] })
  // A terminal sends Ctrl-C to the whole group; from elsewhere the signal is passed on.
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  const [code, killedBy] = (await once(child, 'exit')) as [number | null, string | null]
  signal.removeEventListener('abort', stop)
  if (signal.aborted) return 130
  if (killedBy !== null) throw new Problem('unavailable', `the ${name === 'node' ? 'node' : 'program'} was ended by ${killedBy}`)
  return code === 0 || code === 2 ? code : 1
}

/** Options as words: what is absent is left out. */
export function optionWords(options: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === false) return []
    if (value === true) return [`--${name}`]
    return [value].flat().flatMap((one) => [`--${name}`, String(one)])
  })
}

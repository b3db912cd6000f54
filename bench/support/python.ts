/** Python and what it needs, in an environment of its own below bench/.scratch. */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messageOf } from '../../core/problem.ts'

export const SCRATCH = fileURLToPath(new URL('../.scratch', import.meta.url))

export interface PythonNeeds {
  /** Names the environment's folder. */
  name: string
  /** What pip installs, and the modules that show that it has. */
  packages: readonly string[]
  modules: readonly string[]
}

/** The interpreter of an environment that has the packages; null, with the reason printed, where there can be none. */
export async function installPython({ name, packages, modules }: PythonNeeds): Promise<string | null> {
  const run = promisify(execFile)
  const environment = join(SCRATCH, name)
  const interpreter = join(environment, 'bin', 'python')
  try {
    await mkdir(SCRATCH, { recursive: true })
    const installed = await run(interpreter, ['-c', `import ${modules.join(', ')}`]).catch(() => null)
    if (installed === null) {
      console.log(`installing ${packages.join(', ')} into ${environment}`)
      await run('python3', ['-m', 'venv', environment])
      await run(interpreter, ['-m', 'pip', 'install', '--quiet', ...packages], { maxBuffer: 2 ** 24 })
    }
    return interpreter
  } catch (error) {
    console.log(`skipped: ${packages.join(', ')} cannot be had (${messageOf(error).split('\n')[0]})`)
    return null
  }
}

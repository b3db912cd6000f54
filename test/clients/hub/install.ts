/** The newest clients, installed into a folder of their own: from PyPI into a virtual environment, from npm beside it. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { messageOf } from '../../../core/problem.ts'

const run = promisify(execFile)
const PACKAGES = ['datasets', 'huggingface_hub', 'pandas', 'polars', 'duckdb', 'pyarrow']

/** `path`: a Python, or a module to import. `versions`: for people. */
export type Installed = { path: string; versions: string } | { missing: string }

/** A Python with the newest of these packages. */
export async function installPython(folder: string, packages: readonly string[] = PACKAGES): Promise<Installed> {
  const venv = join(folder, 'venv')
  const python = join(venv, 'bin', 'python')
  try {
    if (!existsSync(python)) await run('python3', ['-m', 'venv', venv])
    await run(python, ['-m', 'pip', 'install', '--quiet', '--upgrade', '--disable-pip-version-check', ...packages])
    const script = `import importlib.metadata as m; print(", ".join(f"{n} {m.version(n)}" for n in ${JSON.stringify(packages)}))`
    return { path: python, versions: (await run(python, ['-c', script])).stdout.trim() }
  } catch (error) {
    return { missing: `Python's clients cannot be installed: ${messageOf(error)}` }
  }
}

export async function installHubModule(folder: string): Promise<Installed> {
  const prefix = join(folder, 'npm')
  try {
    await mkdir(prefix, { recursive: true })
    await writeFile(join(prefix, 'package.json'), '{"private":true}')
    await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', prefix, '@huggingface/hub@latest'])
    const root = join(prefix, 'node_modules', '@huggingface', 'hub')
    const text = await readFile(join(root, 'package.json'), 'utf8')
    const { version, module } = z.object({ version: z.string(), module: z.string() }).parse(JSON.parse(text))
    return { path: join(root, module), versions: `@huggingface/hub ${version}` }
  } catch (error) {
    return { missing: `@huggingface/hub cannot be installed: ${messageOf(error)}` }
  }
}

/** Programs of Go's ecosystem, built from pinned modules into a scratch folder; null with the reason where they cannot be had. */
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messageOf } from '../../core/problem.ts'

const run = promisify(execFile)
const MODULES = fileURLToPath(new URL('go/', import.meta.url))
const OUT = join(tmpdir(), 'assay-clients-go')

const PROGRAMS = {
  tlogcheck: { module: '.', package: './tlogcheck' },
  fsck: { module: '.', package: 'github.com/transparency-dev/tessera/cmd/fsck' },
  litewitness: { module: 'litewitness', package: 'filippo.io/torchwood/cmd/litewitness' },
} as const

/** The path of a program. */
export async function goProgram(name: keyof typeof PROGRAMS): Promise<{ path: string } | { missing: string }> {
  const { module, package: source } = PROGRAMS[name]
  try {
    await run('go', ['build', '-o', join(OUT, name), source], { cwd: join(MODULES, module), timeout: 900_000 })
    return { path: join(OUT, name) }
  } catch (error) {
    return { missing: `${name} cannot be built: ${messageOf(error)}` }
  }
}

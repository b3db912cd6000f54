/** Tier T0 gives the same bits on every machine (DETECTION.md §6): here, under another major version of Node, with other tables and another compiler. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PROGRAM = fileURLToPath(new URL('./reportsOfAll.ts', import.meta.url))
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url))
const OTHER_VERSION = '26.10.0'

/** Another Node out of the registry, installed once; or why it cannot be had. */
async function otherNode(): Promise<{ path: string } | { missing: string }> {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const folder = join(CACHE, `node-${OTHER_VERSION}`)
  const path = join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(path)) {
    await mkdir(folder, { recursive: true })
    try {
      await run('npm', [
        'install',
        '--prefix',
        folder,
        '--no-save',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        `${name}@${OTHER_VERSION}`,
      ])
    } catch (error) {
      return { missing: `Node ${OTHER_VERSION} cannot be had: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}` }
    }
  }
  return { path }
}

const reportsBy = async (node: string) =>
  JSON.parse((await run(node, ['--disable-warning=ExperimentalWarning', PROGRAM])).stdout) as Record<string, string>

test('reports without a model are the same to the byte under two major versions of Node', async (t) => {
  const other = await otherNode()
  if ('missing' in other) return t.skip(other.missing)
  const { stdout } = await run(other.path, ['--version'])
  assert.equal(stdout.trim(), `v${OTHER_VERSION}`)
  assert.notEqual(process.versions.node.split('.')[0], OTHER_VERSION.split('.')[0])
  const [here, there] = [await reportsBy(process.execPath), await reportsBy(other.path)]
  assert.deepEqual(Object.keys(here), ['scripts', 'labelled', 'pairs', 'plain', 'personal'])
  assert.deepEqual(there, here)
})

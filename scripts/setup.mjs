/**
 * Makes sure that what package-lock.json names is installed and that the Node 24 among it runs. Needs nothing but Node ≥ 20 and npm;
 * takes a few milliseconds when there is nothing to do. npm runs it before `start`, `demo`, `test` and the others.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MODULES = join(ROOT, 'node_modules')
const NODE = join(MODULES, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const NEEDED_MAJOR = 24

if (!isInstalled()) install()

/** npm leaves a copy of the lock file in node_modules when, and only when, an installation has come to its end. */
function isInstalled() {
  const installed = packagesOf(join(MODULES, '.package-lock.json'))
  const wanted = packagesOf(join(ROOT, 'package-lock.json'))
  if (installed === null || wanted === null || !existsSync(NODE)) return false
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true
    const present = installed[path]
    return present === undefined ? optional === true : present.version === version
  })
}

/** @returns {Record<string, {version: string, optional?: boolean}> | null} */
function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages
  } catch {
    return null
  }
}

function install() {
  console.error('assay: installing what package-lock.json names (about a minute the first time)')
  // Not with the Node that npm is about to replace.
  const path = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.startsWith(MODULES))
  const env = { ...process.env, PATH: path.join(delimiter) }
  // Not `npm ci`: it refuses a lock file that was made where the registry lacks some other platform's optional packages.
  const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0) fail('npm install failed; what it says above is the reason')
  const version = spawnSync(NODE, ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' })
  if (version.status !== 0 || Number(version.stdout.slice(1).split('.')[0]) < NEEDED_MAJOR)
    fail(`node_modules/.bin/node is not Node ${NEEDED_MAJOR}; was npm told to ignore scripts?`)
}

function fail(message) {
  console.error(`assay: ${message}`)
  process.exit(1)
}

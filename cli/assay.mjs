#!/usr/bin/env node
/**
 * Starts `assay` under a Node that runs TypeScript. Itself it runs under any Node from 20 on, so that `npx assay` works where the
 * system's Node is older than the one that the package brings along.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NEEDED_MAJOR = 24
const main = new URL('./main.ts', import.meta.url)

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  await import(main.href)
} else {
  const candidates = ['../node_modules/.bin/node', '../../.bin/node'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  const node = candidates.find((path) => existsSync(path))
  if (node === undefined) {
    process.stderr.write(`assay: Node ${NEEDED_MAJOR} is needed and not installed here; run "npm ci" in the folder of assay first\n`)
    process.exit(2)
  }
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both; the child decides when it is done.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 1))
}

/** `assay` as a process: what its launcher, its exit codes and its signals do. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from './temporary.ts'

const LAUNCHER = fileURLToPath(new URL('../../cli/assay.mjs', import.meta.url))

function launch(words: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [LAUNCHER, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }))
  return { child, ended }
}

test('help goes to standard output with exit code 0, wrong usage to standard error with 2', async () => {
  const [help, wrong] = await Promise.all([launch(['help', 'audit']).ended, launch(['audit']).ended])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^usage: assay audit RUN/)
  assert.equal(wrong.code, 2)
  assert.equal(wrong.stdout, '')
  assert.match(wrong.stderr, /RUN is missing/)
})

test('Ctrl-C ends a command that waits, with exit code 130 and no stack trace', async () => {
  await using home = await temporaryFolder()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = once(server, 'request')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { child, ended } = launch(['status', 'acme/messages', '--server', url], { ASSAY_HOME: home.path })
  await asked
  child.kill('SIGINT')
  const { code, stdout, stderr } = await ended
  server.closeAllConnections()
  server.close()
  assert.equal(code, 130)
  assert.equal(stdout, '')
  assert.equal(stderr, 'interrupted\n')
})

/** Whole nodes in processes of their own, for tests that kill them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { runCli } from '../../cli/cli.ts'

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url))

export interface NodeProcess {
  child: ChildProcess
  /** True when it serves; false when it ended before. */
  ready: Promise<boolean>
  /** Everything that it has said. */
  output: () => string
}

/** Starts main.ts, without a model unless `env` says otherwise; `prefix`: the words of a program that runs another, as `ip netns exec NAME`. */
export function startNode(words: string[], env: NodeJS.ProcessEnv = {}, prefix: readonly string[] = []): NodeProcess {
  const [program, ...rest] = [...prefix, process.execPath, MAIN, ...words]
  const child = spawn(program!, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ASSAY_MODEL: 'none', ...env },
  })
  let output = ''
  const { promise: ready, resolve } = Promise.withResolvers<boolean>()
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => {
      output += `${line}\n`
      if (line.startsWith('assay: ready on ')) resolve(true)
    })
  child.once('close', () => resolve(false))
  return { child, ready, output: () => output }
}

/** Ends a node by this signal and waits until it is gone. Its exit code; null if the signal ended it. */
export async function endNode({ child }: NodeProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const closed = once(child, 'close')
  child.kill(signal)
  await closed
  return child.exitCode
}

/** A TCP port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Runs one line of the CLI in this process. `json` is what `--json` printed, if anything. */
export async function assay(
  words: string[],
  { home, server, signal = new AbortController().signal }: { home: string; server: string; signal?: AbortSignal },
): Promise<{ code: number; json: unknown; errors: string }> {
  const collected = { stdout: '', stderr: '' }
  const collect = (name: keyof typeof collected) =>
    new Writable({
      write(bytes: Buffer, _, done) {
        collected[name] += bytes.toString()
        done()
      },
    })
  const code = await runCli({
    words: [...words, '--json'],
    stdout: collect('stdout'),
    stderr: collect('stderr'),
    terminal: false,
    homeDirectory: home,
    server,
    signal,
  })
  const text = collected.stdout.trim()
  return { code, json: text === '' ? null : JSON.parse(text), errors: collected.stderr }
}

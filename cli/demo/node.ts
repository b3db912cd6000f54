/** A node of Assay as a child process, for as long as the demo needs it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Problem } from '../../core/problem.ts'

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url))

export interface DemoNode extends AsyncDisposable {
  url: string
  /** Resolves when the process has ended, with its exit code. */
  ended: Promise<number | null>
}

/** Starts `main.ts` and resolves when it says that it is ready. What it prints goes to `logPath`. */
export async function startNode({ data, port, logPath }: { data: string; port: number; logPath: string }): Promise<DemoNode> {
  const child = spawn(process.execPath, [MAIN, '--data', data, '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(logPath)
  child.stderr.pipe(log, { end: false })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.write(`${line}\n`)
      const url = /^assay: ready on (http:\S+)/.exec(line)?.[1]
      if (url !== undefined) resolve(url)
    })
  })
  const first = await Promise.race([ready, ended])
  if (typeof first !== 'string') throw new Problem('unavailable', `the node did not start; see ${logPath}`)
  return {
    url: first,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** The Postgres that a node runs in its data directory, from outside. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from './until.ts'

export interface EmbeddedServer {
  pid: number
  url: string
}

/** The server that lives in this data directory; null without one. */
export async function findEmbeddedServer(data: string): Promise<EmbeddedServer | null> {
  // Lines of postmaster.pid: pid, directory, start time, port, socket directory …
  const lines = (await readFile(join(data, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const [pid, , , port, socketDirectory] = lines
  if (pid === undefined || socketDirectory === undefined || !(await isAlive(Number(pid)))) return null
  return { pid: Number(pid), url: `postgresql://assay@/assay?host=${encodeURIComponent(socketDirectory)}&port=${port}` }
}

/** Kills the server of this data directory, if one lives, and waits until it is gone. */
export async function killEmbeddedServer(data: string): Promise<void> {
  const server = await findEmbeddedServer(data)
  if (server === null) return
  process.kill(server.pid, 'SIGKILL')
  await until(`the end of process ${server.pid}`, async () => !(await isAlive(server.pid)))
}

/** Whether it lives; a process that has ended and was not collected by its parent does not. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'unknown')) !== ''
}

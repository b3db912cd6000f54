/** Starting a program without root's rights: Postgres refuses to run as root, as containers and rented machines often do. */
import { type ChildProcess, execFile, spawn, type SpawnOptions } from 'node:child_process'
import { access, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

export interface Unprivileged {
  /** The user that the program runs as; null: as we do. */
  readonly uid: number | null
  readonly gid: number
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess
}

/** Users that a system may have for this purpose, best first. */
const USERS = ['postgres', 'nobody']

const SETPRIV = '/usr/bin/setpriv'

/**
 * Whom to run a program as that must reach these paths. Not root: ourselves. Root: the first of USERS that exists; where one of the paths
 * lies in a directory closed to others (as under /root), setpriv (util-linux) lets that user keep the capability to pass it.
 */
export async function findUnprivileged(paths: readonly string[]): Promise<Unprivileged> {
  if (process.getuid?.() !== 0) return { uid: null, gid: 0, spawn }
  const account = await findAccount()
  if (account === null)
    throw new Error(`Postgres cannot run as root, and there is no user ${USERS.join(' or ')}; make one or set DATABASE_URL`)
  const { uid, gid } = account
  if ((await Promise.all(paths.map(isReachable))).every(Boolean))
    return { uid, gid, spawn: (command, args, options) => spawn(command, args, { ...options, uid, gid }) }

  const privileges = [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--',
  ]
  const usable = await access(SETPRIV)
    .then(() => promisify(execFile)(SETPRIV, [...privileges, 'true']))
    .catch(() => null)
  if (usable === null)
    throw new Error(
      `the user with id ${uid} that runs Postgres for root cannot reach ${paths.join(' or ')}; move them out of closed directories`,
    )
  return { uid, gid, spawn: (command, args, options) => spawn(SETPRIV, [...privileges, command, ...args], options) }
}

async function findAccount(): Promise<{ uid: number; gid: number } | null> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'))
  for (const user of USERS) {
    const fields = lines.find((line) => line[0] === user)
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  return null
}

/** Whether everyone may pass through all the directories above a path. */
async function isReachable(path: string): Promise<boolean> {
  for (let dir = dirname(path); ; dir = dirname(dir)) {
    const found = await stat(dir).catch(() => null) // what does not exist yet is made open
    if (found !== null && (found.mode & 0o001) === 0) return false
    if (dir === dirname(dir)) return true
  }
}

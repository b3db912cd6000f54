import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startPostgres } from '../../store/embeddedPostgres.ts'

const PARENT = fileURLToPath(new URL('../support/postgresParent.ts', import.meta.url))

interface Home {
  dir: string
  postgres: string
  [Symbol.asyncDispose](): Promise<void>
}

/** A directory that everyone may enter, with room for a server's data; a server that is left in it is killed in the end. */
async function testHome(parent = tmpdir()): Promise<Home> {
  const dir = await mkdtemp(join(parent, 'assay-pg-'))
  await chmod(dir, 0o755)
  const postgres = join(dir, 'postgres')
  return {
    dir,
    postgres,
    async [Symbol.asyncDispose]() {
      const pid = await postmaster(postgres)
      if (pid !== null) kill(pid)
      await rm(dir, { recursive: true, force: true, maxRetries: 20 })
    },
  }
}

async function postmaster(directory: string): Promise<number | null> {
  const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => null)
  return text === null ? null : Number(text.split('\n')[0])
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
  }
}

/** A process that holds a server; its URL once the server runs, or what it said when it could not. */
async function startParent(directory: string): Promise<{ child: ChildProcess; url: string | null; error: string }> {
  const child = spawn(process.execPath, [PARENT, directory], { stdio: ['ignore', 'pipe', 'pipe'] })
  let error = ''
  child.stderr.on('data', (bytes: Buffer) => (error += bytes.toString()))
  const closed = once(child, 'close').then(() => null)
  const url = await Promise.race([once(createInterface(child.stdout), 'line').then(([line]) => String(line)), closed])
  return { child, url, error }
}

async function killParent(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

test('what was written is there after the server was stopped and started', async () => {
  await using home = await testHome()
  {
    await using server = await startPostgres(home.postgres, { fsync: false })
    await query(server.url, 'create table kept as select 1 as n')
  }
  assert.equal(await postmaster(home.postgres), null)
  await using again = await startPostgres(home.postgres, { fsync: false })
  assert.deepEqual(await query(again.url, 'select n from kept'), [{ n: 1 }])
})

test('a server that outlived its killed parent is adopted, with what was committed, and stopped in the end', async () => {
  await using home = await testHome()
  const { child, url } = await startParent(home.postgres)
  await query(url!, 'create table kept as select 1 as n')
  const pid = await postmaster(home.postgres)
  await killParent(child)
  {
    await using adopted = await startPostgres(home.postgres, { fsync: false })
    assert.equal(await postmaster(home.postgres), pid)
    assert.deepEqual(await query(adopted.url, 'select n from kept'), [{ n: 1 }])
  }
  assert.equal(await postmaster(home.postgres), null)
})

test('a server that was killed together with its parent is started anew and recovers what was committed', async () => {
  await using home = await testHome()
  const { child, url } = await startParent(home.postgres)
  await query(url!, 'create table kept as select 1 as n')
  const pid = await postmaster(home.postgres)
  kill(pid!)
  await killParent(child)
  await using server = await startPostgres(home.postgres, { fsync: false })
  assert.notEqual(await postmaster(home.postgres), pid)
  assert.deepEqual(await query(server.url, 'select n from kept'), [{ n: 1 }])
})

test('the process id of a dead server may belong to another program by now', { skip: process.platform !== 'linux' }, async () => {
  await using home = await testHome()
  await (await startPostgres(home.postgres, { fsync: false }))[Symbol.asyncDispose]()
  await writeFile(join(home.postgres, 'postmaster.pid'), `${process.pid}\n${home.postgres}\n1\n5432\n${home.postgres}\n\n  1 1\nready   \n`)
  await using server = await startPostgres(home.postgres, { fsync: false })
  assert.deepEqual(await query(server.url, 'select 1 as n'), [{ n: 1 }])
})

test('a second process on the same directory is told so, and the first goes on', async () => {
  await using home = await testHome()
  await using server = await startPostgres(home.postgres, { fsync: false })
  const second = await startParent(home.postgres)
  assert.equal(second.url, null)
  assert.match(second.error, /is in use by another Assay \(its Postgres is process \d+\); stop that one or give another directory/)
  assert.deepEqual(await query(server.url, 'select 1 as n'), [{ n: 1 }])
})

test('of several processes that start at once on an empty directory one runs and the others are told', async () => {
  await using home = await testHome()
  const parents = await Promise.all(Array.from({ length: 3 }, () => startParent(home.postgres)))
  const running = parents.filter((parent) => parent.url !== null)
  assert.equal(running.length, 1)
  assert.deepEqual(await query(running[0]!.url!, 'select 1 as n'), [{ n: 1 }])
  for (const parent of parents) if (parent.url === null) assert.match(parent.error, /is in use by another Assay/)
  await killParent(running[0]!.child)
})

test('a directory with a path too long for a socket works', async () => {
  await using home = await testHome()
  const postgres = join(home.dir, 'x'.repeat(60), 'y'.repeat(60))
  {
    await using server = await startPostgres(postgres, { fsync: false })
    assert.deepEqual(await query(server.url, 'select 1 as n'), [{ n: 1 }])
  }
})

test('root can keep its data where only root may enter', { skip: process.getuid?.() !== 0 || process.platform !== 'linux' }, async () => {
  await using home = await testHome(homedir())
  await chmod(home.dir, 0o700)
  const closed = join(home.dir, 'closed')
  await mkdir(closed, { mode: 0o700 })
  await using server = await startPostgres(join(closed, 'postgres'), { fsync: false })
  assert.deepEqual(await query(server.url, 'select 1 as n'), [{ n: 1 }])
})

test('the loss of the server is told to whoever needs it', async () => {
  await using home = await testHome()
  const { promise: lost, resolve } = Promise.withResolvers<Error>()
  await using server = await startPostgres(home.postgres, { fsync: false, onLost: resolve })
  kill((await postmaster(home.postgres))!)
  assert.match((await lost).message, /connection to the embedded Postgres broke/)
  assert.ok(server.url)
})

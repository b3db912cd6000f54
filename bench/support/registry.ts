/** A registry to measure: real Postgres, real blocks, the API in a process of its own. Publishing and indexing are at the caller's hand. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { runCli } from '../../cli/cli.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { createIndexHandler } from '../../indexer/indexJob.ts'
import { type Blocks, openBlocks } from '../../store/blocks.ts'
import { openDatabase } from '../../store/database.ts'
import { startPostgres } from '../../store/embeddedPostgres.ts'
import { migrateToLatest } from '../../store/migrate.ts'
import { resolveRef } from '../../store/versions.ts'

export interface BenchRegistry extends AsyncDisposable {
  readonly url: string
  readonly blocks: Blocks
  /** What GET /floor sends. */
  readonly floorFile: string
  /** Does what `assay publish PATH NAME` does, in this process. */
  publish(path: string, name: string): Promise<void>
  /** Indexes the newest version of a data set, in this process. */
  index(name: string): Promise<void>
}

/** Starts it with all its data below `dir`. */
export async function startRegistry(dir: string): Promise<BenchRegistry> {
  await using started = new AsyncDisposableStack()
  const postgres = started.use(await startPostgres(join(dir, 'postgres')))
  const db = openDatabase(postgres.url)
  started.defer(() => db.destroy())
  await migrateToLatest(db)
  const blocksDir = join(dir, 'blocks')
  const blocks = started.use(await openBlocks({ dir: blocksDir, db }))
  const floorFile = join(dir, 'floor')

  const server = fork(new URL('registryServer.ts', import.meta.url), [postgres.url, blocksDir, floorFile])
  started.defer(async () => {
    const ended = once(server, 'exit')
    server.disconnect()
    await ended
  })
  const [url] = (await once(server, 'message')) as [string] // by registryServer.ts
  const assay = createAssay(url, join(dir, 'home'))
  await assay('keygen')

  const indexVersion = createIndexHandler({ db, blocks, signer: signerFromSeed(new Uint8Array(32).fill(1)), clock: () => new Date() })
  const owned = started.move()
  return {
    url,
    blocks,
    floorFile,
    publish: (path, name) => assay('publish', path, name, '--license', 'CC0-1.0'),
    async index(name) {
      const { manifest } = await resolveRef(db, name)
      const { signal } = new AbortController()
      await indexVersion(
        { id: 1, kind: 'index', key: manifest.toString(), subject: manifest, attempts: 1 },
        { signal, progress: () => undefined },
      )
      const { index, failure } = await resolveRef(db, name)
      if (index === null) throw new Error(`${name} was not indexed: ${failure ?? 'no reason given'}`)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A function that runs a line of the CLI and throws unless it succeeds. */
function createAssay(server: string, homeDirectory: string): (...words: string[]) => Promise<void> {
  return async (...words) => {
    const said: string[] = []
    const sink = new Writable({ write: (bytes, _encoding, done) => (said.push(String(bytes)), done()) })
    const { signal } = new AbortController()
    const exitCode = await runCli({ words, stdout: sink, stderr: sink, terminal: false, homeDirectory, server, signal })
    if (exitCode !== 0) throw new Error(`assay ${words.join(' ')}: ${said.join('').trim()}`)
  }
}

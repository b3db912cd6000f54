/** The Hugging Face face against its real clients: one subtest a feature. Rows that a client got are compared with the index by digest. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { temporaryFolder } from '../cli/temporary.ts'
import { endNode, freePort, startNode } from '../support/node.ts'
import { testDatabase } from '../support/postgres.ts'
import { type Installed, installHubModule, installPython } from './hub/install.ts'
import { NAMES, TABLE_PATH, awaitExport, compareRows, createPublisher, digestsOf, factsOf } from './hub/registry.ts'

const SCRIPTS = fileURLToPath(new URL('hub/', import.meta.url))
/** Kept between runs; it may be removed at any time. */
const CLIENTS = process.env['ASSAY_CLIENTS'] ?? join(tmpdir(), 'assay-clients-hub')

const Result = z.object({
  feature: z.string(),
  state: z.enum(['ok', 'failed', 'skipped']),
  note: z.string().optional(),
  /** A file of rows to be compared, and with which samples. */
  rows: z.string().optional(),
  of: z.string().optional(),
})
type Result = z.infer<typeof Result>

const cleanup = new AsyncDisposableStack()
let folder: string
let server: string
let hubModule: Installed
let python: Installed

before(async () => {
  hubModule = await installHubModule(CLIENTS)
  python = await installPython(CLIENTS)
  folder = cleanup.use(await temporaryFolder()).path
  const db = cleanup.use(await testDatabase())
  const port = await freePort()
  server = `http://127.0.0.1:${port}`
  const start = async (roles: string, at: number) => {
    const words = ['--data', join(folder, 'node'), '--roles', roles, '--port', String(at)]
    const node = startNode(words, { DATABASE_URL: db.url })
    cleanup.defer(async () => void (await endNode(node, 'SIGTERM')))
    assert.equal(await node.ready, true, node.output())
    return node
  }
  await start('api,indexer', port)
  const verifier = await start('verifier', 0)

  const { line, publish } = createPublisher(folder, server)
  await line(['keygen'], z.unknown())
  const first = await publish('messages-1', NAMES.messages, { wait: true })
  const second = await publish('messages-2', NAMES.messages, { wait: true })
  const tables = await publish('tables', NAMES.tables, { wait: true })
  const capitals = await publish('capitals', NAMES.capitals, { wait: true })
  const unicode = await publish('unicode', NAMES.unicode, { wait: true })
  await endNode(verifier, 'SIGTERM')
  for (const name of [NAMES.messages, NAMES.tables, NAMES.capitals, NAMES.unicode]) await awaitExport(server, name)
  const { selection } = await line(['select', NAMES.messages], z.object({ selection: z.string() }))
  const unverified = await publish('unverified', NAMES.unverified, { wait: false })
  const facts = {
    ...(await line(['token'], z.object({ token: z.string() }))),
    selection,
    messages: { name: NAMES.messages, ...factsOf(second.manifest) },
    'messages@1': { name: NAMES.messages, ...factsOf(first.manifest) },
    tables: {
      name: NAMES.tables,
      ...factsOf(tables.manifest),
      large: TABLE_PATH,
      sha256: await digestsOf(join(folder, 'tables'), ['README.md', TABLE_PATH]),
    },
    capitals: { name: NAMES.capitals, ...factsOf(capitals.manifest) },
    unicode: { name: NAMES.unicode, ...factsOf(unicode.manifest) },
    unverified: { name: NAMES.unverified, ...factsOf(unverified.manifest) },
  }
  await writeFile(join(folder, 'facts.json'), JSON.stringify(facts))
})
after(() => cleanup.disposeAsync())

const SUITES: { client: string; script: string; needs: () => Installed }[] = [
  { client: 'datasets', script: 'load.py', needs: () => python },
  { client: 'huggingface_hub', script: 'hub.py', needs: () => python },
  { client: 'pandas, polars, duckdb and pyarrow over hf:// paths', script: 'frames.py', needs: () => python },
  { client: '@huggingface/hub', script: 'hub.mjs', needs: () => hubModule },
]

for (const { client, script, needs } of SUITES)
  test(client, async (t) => {
    const installed = needs()
    if ('missing' in installed) return t.skip(installed.missing)
    t.diagnostic(installed.versions)
    const program = script.endsWith('.mjs') ? process.execPath : installed.path
    let features = 0
    for await (const result of runScript(program, script)) {
      features++
      await t.test(result.feature, (feature) => check(result, (reason) => feature.skip(reason)))
    }
    assert.ok(features > 0)
  })

async function check({ state, note, rows, of }: Result, skip: (reason: string | undefined) => void): Promise<void> {
  if (state === 'skipped') return skip(note)
  assert.equal(state, 'ok', note)
  if (rows !== undefined && of !== undefined) assert.equal(await compareRows(server, rows, of), null)
}

/** The results that a script prints, one line each. Throws when it ends otherwise than well. */
async function* runScript(program: string, script: string): AsyncGenerator<Result> {
  const scratch = join(folder, `scratch-${script}`)
  await mkdir(scratch)
  const child = spawn(program, [join(SCRIPTS, script)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: scratch,
      PYTHONDONTWRITEBYTECODE: '1',
      HF_ENDPOINT: server,
      HF_HOME: join(scratch, 'hf'),
      HF_HUB_DISABLE_TELEMETRY: '1',
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
      ASSAY_FACTS: join(folder, 'facts.json'),
      ASSAY_SCRATCH: scratch,
      ASSAY_HUB_MODULE: 'path' in hubModule ? hubModule.path : '',
    },
  })
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  const closed = once(child, 'close')
  for await (const text of createInterface(child.stdout)) if (text.startsWith('{')) yield Result.parse(JSON.parse(text))
  const [code] = (await closed) as [number | null]
  assert.equal(code, 0, errors.slice(-4000))
}

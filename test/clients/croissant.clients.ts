/** Croissant descriptions against their real client, `mlcroissant`: one subtest a feature. Rows are compared with the index by digest. */
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
import { until } from '../service/until.ts'
import { testDatabase } from '../support/postgres.ts'
import { type Installed, installPython } from './hub/install.ts'
import { NAMES, TABLE_PATH, awaitExport, compareRows, createPublisher, factsOf } from './hub/registry.ts'

const SCRIPT = fileURLToPath(new URL('croissant/croissant.py', import.meta.url))
const SHARED = fileURLToPath(new URL('hub/', import.meta.url))
/** Kept between runs; it may be removed at any time. */
const CLIENTS = process.env['ASSAY_CLIENTS'] ?? join(tmpdir(), 'assay-clients-croissant')

const Result = z.object({
  feature: z.string(),
  state: z.enum(['ok', 'failed']),
  note: z.string().optional(),
  /** A file of rows to be compared, and with which samples. */
  rows: z.string().optional(),
  of: z.string().optional(),
})

const cleanup = new AsyncDisposableStack()
let folder: string
let server: string
let python: Installed

before(async () => {
  python = await installPython(CLIENTS, ['mlcroissant', 'pyarrow'])
  if ('missing' in python) return
  folder = cleanup.use(await temporaryFolder()).path
  const db = cleanup.use(await testDatabase())
  const port = await freePort()
  server = `http://127.0.0.1:${port}`
  const start = async (roles: string, at: number) => {
    const node = startNode(['--data', join(folder, 'node'), '--roles', roles, '--port', String(at)], { DATABASE_URL: db.url })
    cleanup.defer(async () => void (await endNode(node, 'SIGTERM')))
    assert.equal(await node.ready, true, node.output())
    return node
  }
  await start('api,indexer', port)
  const verifier = await start('verifier', 0)
  const { line, publish } = createPublisher(folder, server)
  await line(['keygen'], z.unknown())
  const facts: Record<string, unknown> = {}
  const record = async (key: string, set: Parameters<typeof publish>[0], name: string, wait: boolean) => {
    facts[key] = { name, ...factsOf((await publish(set, name, { wait })).manifest), ...(key === 'tables' ? { large: TABLE_PATH } : {}) }
  }
  await record('messages@1', 'messages-1', NAMES.messages, true)
  await record('messages', 'messages-2', NAMES.messages, true)
  for (const key of ['tables', 'unicode', 'capitals', 'kinds'] as const) await record(key, key, NAMES[key], true)
  await endNode(verifier, 'SIGTERM')
  for (const name of [NAMES.messages, NAMES.tables, NAMES.unicode, NAMES.capitals, NAMES.kinds]) await awaitExport(server, name)
  await record('unverified', 'unverified', NAMES.unverified, false)
  await record('new tables', 'tables', NAMES['new tables'], false)
  await awaitIndex(NAMES.unverified)
  await awaitIndex(NAMES['new tables'])
  await writeFile(join(folder, 'facts.json'), JSON.stringify(facts))
})
after(() => cleanup.disposeAsync())

test('mlcroissant', async (t) => {
  if ('missing' in python) return t.skip(python.missing)
  t.diagnostic(python.versions)
  let features = 0
  for await (const { feature, state, note, rows, of } of runScript(python.path)) {
    features++
    await t.test(feature, async () => {
      assert.equal(state, 'ok', note)
      if (rows !== undefined && of !== undefined) assert.equal(await compareRows(server, rows, of), null)
    })
  }
  assert.ok(features > 0)
})

async function awaitIndex(name: string): Promise<void> {
  const hasIndex = async () =>
    z.object({ index: z.string().nullable() }).parse(await (await fetch(`${server}/v1/versions/${encodeURIComponent(name)}`)).json())
      .index !== null
  await until(`the index of ${name}`, hasIndex, { pollMs: 200 })
}

/** The results that the script prints, one line each. Throws when it ends otherwise than well. */
async function* runScript(program: string): AsyncGenerator<z.infer<typeof Result>> {
  const scratch = join(folder, 'scratch')
  await mkdir(scratch)
  const child = spawn(program, [SCRIPT], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: scratch,
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONPATH: SHARED,
      HF_ENDPOINT: server,
      CROISSANT_CACHE: join(scratch, 'croissant'),
      ASSAY_FACTS: join(folder, 'facts.json'),
      ASSAY_SCRATCH: scratch,
    },
  })
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  const closed = once(child, 'close')
  for await (const text of createInterface(child.stdout)) if (text.startsWith('{')) yield Result.parse(JSON.parse(text))
  const [code] = (await closed) as [number | null]
  assert.equal(code, 0, errors.slice(-4000))
}

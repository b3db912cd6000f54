/** The three users' commands against a real node: a process of its own, its indexer, verifier and log included. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RecordBatchReader } from 'apache-arrow'
import { z } from 'zod'
import { equalBytes } from '../../core/bytes.ts'
import { runCli } from '../../cli/cli.ts'
import { parseDocument } from '../../core/documents/document.ts'
import { until } from '../service/until.ts'
import { type NodeProcess, assay, endNode, freePort, startNode } from '../support/node.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { temporaryFolder } from './temporary.ts'

const TOOLS = fileURLToPath(new URL('../../tools.ts', import.meta.url))
const ROWS = 600
/** A hidden character stands in one row, which the policy leaves out. */
const HIDDEN_ROW = 7

let db: TestDatabase
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let node: NodeProcess
let server: string

before(async () => {
  db = await testDatabase()
  folder = await temporaryFolder()
  const port = await freePort()
  server = `http://127.0.0.1:${port}`
  node = startNode(['--data', join(folder.path, 'node'), '--port', String(port)], { DATABASE_URL: db.url })
  assert.equal(await node.ready, true, node.output())
  await mkdir(join(folder.path, 'set', 'data'), { recursive: true })
  await writeFile(join(folder.path, 'set', 'README.md'), '# Messages\n')
  await writeFile(join(folder.path, 'set', 'data', 'train.jsonl'), lines(0, ROWS))
})

after(async () => {
  await endNode(node, 'SIGTERM')
  await db[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

function lines(from: number, to: number): string {
  const rows = Array.from({ length: to - from }, (_, i) => {
    const id = from + i
    const text = `${id === HIDDEN_ROW ? 'hid\u200bden\u200b wo\u200brds ' : ''}${words(id)}`
    return `${JSON.stringify({ id, text, label: id % 2 === 0 ? 'even' : 'odd' })}\n`
  })
  return rows.join('')
}

/** Twenty words that no other row has, so that nothing is a duplicate. */
function words(id: number): string {
  return Array.from({ length: 20 }, (_, i) => `w${(id * 7919 + i * 104_729) % 1_000_003}`).join(' ')
}

async function line<T>(user: string, words: string[], schema: z.ZodType<T>): Promise<T> {
  const { code, json, errors } = await assay(words, { home: join(folder.path, user), server })
  assert.equal(code, 0, `assay ${words.join(' ')}: ${errors}\n${JSON.stringify(json)}`)
  return schema.parse(json)
}

/** What the gateway gives for a CID. */
async function bytesOf(cid: string): Promise<Uint8Array> {
  return (await fetch(`${server}/ipfs/${cid}`)).bytes()
}

/** A line whose product is not JSON. */
async function rawLine(user: string, words: string[]): Promise<string> {
  const stdout = new PassThrough({ highWaterMark: 1 << 24 })
  const stderr = new PassThrough()
  const { signal } = new AbortController()
  const code = await runCli({ words, stdout, stderr, terminal: false, homeDirectory: join(folder.path, user), server, signal })
  assert.equal(code, 0, String(stderr.read()))
  return String(stdout.read())
}

const publishing = (path: string) => ['publish', path, 'acme/messages', '--license', 'CC0-1.0', '--label-column', 'label', '--wait']
const Version = z.object({ number: z.number(), state: z.string(), manifest: z.string(), index: z.string() })
const Documents = z.object({ index: z.string(), export: z.string() })
const Audit = z.object({ conclusion: z.string(), steps: z.array(z.object({ name: z.string(), status: z.string(), detail: z.string() })) })

describe('contributor, trainer and auditor', { concurrency: 1 }, () => {
  let selection: string
  let run: string

  test('publish brings a folder to a verified version, and repeated says so', async () => {
    await line('contributor', ['keygen'], z.object({ did: z.string(), created: z.literal(true) }))
    const first = await line('contributor', publishing(join(folder.path, 'set')), Version)
    assert.deepEqual([first.number, first.state], [1, 'verified'])
    assert.deepEqual(await line('contributor', publishing(join(folder.path, 'set')), Version), first)
    const status = await line('stranger', ['status', 'acme/messages@1'], Version)
    assert.equal(status.manifest, first.manifest)
  })

  test('report names what was planted, from signed evidence', async () => {
    const report = await line(
      'stranger',
      ['report', 'acme/messages'],
      z.object({ sampleCount: z.number(), evidence: z.array(z.object({ detector: z.string(), samples: z.array(z.number()) })) }),
    )
    assert.equal(report.sampleCount, ROWS)
    assert.ok(report.evidence.some(({ detector, samples }) => detector === 'hidden_content' && samples.includes(HIDDEN_ROW)))
  })

  test('provenance writes on the stranger’s machine, from verified documents, the bytes that the registry gives as Croissant', async () => {
    const given = async () => (await fetch(`${server}/api/datasets/acme/messages/croissant`)).text()
    const written = () => rawLine('stranger', ['provenance', 'acme/messages', '--format', 'croissant'])
    // Log entries and generated files come when they come: what stands before and after did not change meanwhile.
    for (;;) {
      const [before, text, after] = [await given(), await written(), await given()]
      if (before !== after) continue
      assert.equal(text, before)
      break
    }
    const { code, errors } = await assay(['provenance', 'acme/messages', '--format', 'prov-json'], {
      home: join(folder.path, 'stranger'),
      server,
    })
    assert.equal(code, 2)
    assert.match(errors, /croissant/)
  })

  test('check finds on the contributor’s machine, with no server, what the report says: the same words and the same table', async () => {
    const {
      report: cid,
      authors: _authors,
      ...reported
    } = await line('stranger', ['report', 'acme/messages'], z.looseObject({ report: z.string() }))
    const out = join(folder.path, 'findings.arrow')
    const words = ['check', join(folder.path, 'set'), '--no-model', '--label-column', 'label', '--out', out, '--json']
    // Not spawnSync: meanwhile the node closes connections that this process would then take for open.
    const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) =>
      execFile(process.execPath, [TOOLS, ...words], (error, text) => resolve({ code: error?.code, stdout: text })),
    )
    assert.equal(code, 1)
    const { path: _path, files: _files, skippedFiles: _skipped, ...checked } = JSON.parse(stdout) as Record<string, unknown>
    assert.deepEqual(checked, reported)
    const { document } = parseDocument('report', await bytesOf(`${cid}?format=raw`))
    assert.ok(equalBytes(await readFile(out), await bytesOf(document.findings.toString())))
  })

  test('publish --check publishes nothing where something is flagged', async () => {
    const contributor = { home: join(folder.path, 'contributor'), server }
    const words = ['publish', join(folder.path, 'set'), 'acme/unchecked', '--license', 'CC0-1.0', '--check']
    const { code, errors } = await assay(words, contributor)
    assert.equal(code, 1)
    assert.match(errors, /nothing was published/)
    assert.equal((await assay(['status', 'acme/unchecked'], contributor)).code, 1)
  })

  test('without a key, and under a name that cannot be, nothing is read or sent', async () => {
    const nobody = { home: join(folder.path, 'nobody'), server }
    const keyless = await assay(publishing(join(folder.path, 'nothing there')), nobody)
    assert.deepEqual([keyless.code, keyless.errors.includes('assay keygen')], [1, true])
    const nameless = await assay(['publish', join(folder.path, 'nothing there'), 'a b', '--license', 'CC0-1.0'], nobody)
    assert.match(nameless.errors, /"a b" is no name: expected namespace\/name/)
  })

  test('another’s data set cannot be published to', async () => {
    await line('stranger', ['keygen'], z.unknown())
    const { code, json } = await assay(publishing(join(folder.path, 'set', 'README.md')), { home: join(folder.path, 'stranger'), server })
    assert.equal(code, 1)
    assert.equal(z.object({ error: z.object({ code: z.string() }) }).parse(json).error.code, 'forbidden')
  })

  test('select leaves the planted row out, and stream gives each other row to just one worker', async () => {
    const Selected = z.object({ selection: z.string(), selectedCount: z.number() })
    const selected = await line('trainer', ['select', 'acme/messages'], Selected)
    assert.equal(selected.selectedCount, ROWS - 1)
    selection = selected.selection
    const ids: number[] = []
    for (const worker of [0, 1, 2]) {
      const text = await rawLine('trainer', ['stream', selection, '--seed', '42', '--shard', `${worker}/3`])
      for (const row of text.trim().split('\n')) ids.push(z.object({ id: z.number() }).parse(JSON.parse(row)).id)
    }
    assert.deepEqual(
      ids.toSorted((a, b) => a - b),
      Array.from({ length: ROWS }, (_, id) => id).filter((id) => id !== HIDDEN_ROW),
    )
  })

  test('a stream goes on from its cursor', async () => {
    const whole = (await rawLine('trainer', ['stream', selection, '--seed', '42'])).split('\n')
    const rest = (await rawLine('trainer', ['stream', selection, '--seed', '42', '--from', '0.590'])).split('\n')
    assert.deepEqual(rest, whole.slice(590))
  })

  test('a run is started and finished, and audited on a machine that knows only the log’s key', async () => {
    await line('trainer', ['keygen'], z.unknown())
    const plan = ['--selection', selection, '--seed', '42', '--shards', '3', '--batch-size', '8']
    const started = await line(
      'trainer',
      ['run', 'start', '--name', 'first', ...plan],
      z.object({ run: z.string(), plannedSteps: z.array(z.number()) }),
    )
    assert.deepEqual(started.plannedSteps, [Math.ceil((ROWS - 1) / 24)])
    run = (await line('trainer', ['run', 'finish', started.run, '--steps', '25'], z.object({ run: z.string() }))).run
    const audit = await logged(run)
    assert.deepEqual(
      audit.steps.filter(({ status }) => status !== 'passed'),
      [],
    )
    assert.equal(audit.conclusion, 'passed')
  })

  for (const [what, words] of [
    ['a row', ['--row', '11']],
    ['a row with the run’s order', ['--row', '11', '--full']],
    ['a whole step', []],
  ] as const)
    test(`a receipt of ${what} holds offline, and not when a byte of it is altered`, async () => {
      const path = join(folder.path, 'receipt.tlog-proof')
      await line('auditor', ['receipt', run, '--step', '3', ...words, '--out', path], z.unknown())
      const offline = { home: join(folder.path, 'auditor'), server }
      const trust = join(folder.path, 'auditor', 'servers', encodeURIComponent(new URL(server).host), 'trust.json')
      const verified = await assay(['verify', path, '--trust', trust], { ...offline, server: 'http://127.0.0.1:9' })
      assert.equal(verified.code, 0, verified.errors)
      const altered = (await readFile(path, 'utf8')).replace(/^index (\d+)$/m, (_, index: string) => `index ${Number(index) + 1}`)
      await writeFile(path, altered)
      assert.equal((await assay(['verify', path], offline)).code, 1)
    })

  test('fetch brings the files as they were and the selected rows as Arrow', async () => {
    const out = join(folder.path, 'fetched')
    await line('auditor', ['fetch', 'acme/messages', '--out', out], z.unknown())
    for (const path of ['README.md', 'data/train.jsonl'])
      assert.ok(equalBytes(await readFile(join(out, path)), await readFile(join(folder.path, 'set', path))), path)
    const rows = join(folder.path, 'rows')
    await line('auditor', ['fetch', selection, '--out', rows], z.unknown())
    const files = (await readdir(rows)).filter((name) => name.endsWith('.arrow'))
    const counts = await Promise.all(
      files.map(async (name) =>
        [...RecordBatchReader.from(await readFile(join(rows, name)))].reduce((sum, batch) => sum + batch.numRows, 0),
      ),
    )
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      ROWS - 1,
    )
    const other = await assay(['fetch', selection, '--out', out], { home: join(folder.path, 'auditor'), server })
    assert.match(other.errors, /holds what was fetched for/)
  })

  test('a second version follows the first, and only its new file is sent', async () => {
    await writeFile(join(folder.path, 'set', 'data', 'more.jsonl'), lines(ROWS, ROWS + 50))
    const said = await rawLine('contributor', publishing(join(folder.path, 'set')))
    assert.match(said, /^read 3 files/m)
    assert.match(said, /^uploaded 1 file,/m)
    assert.match(said, /^published acme\/messages@2/m)
    assert.match(said, /^state +verified$/m)
  })

  for (const what of ['index', 'export'] as const)
    test(`provenance refuses the ${what} of another version`, async () => {
      const path = `${server}/v1/versions/${encodeURIComponent('acme/messages@1')}`
      const other = await until('the export of the first version', async () => Documents.safeParse(await (await fetch(path)).json()).data)
      const forger = createServer((request, response) => {
        void forge(request.url!, { [what]: other[what] }).then((body) => response.end(body))
      }).listen(0, '127.0.0.1')
      await once(forger, 'listening')
      const { port } = forger.address() as AddressInfo // of a TCP server that listens
      const words = ['provenance', 'acme/messages', '--format', 'croissant']
      const { code, errors } = await assay(words, { home: join(folder.path, 'stranger'), server: `http://127.0.0.1:${port}` })
      forger.closeAllConnections()
      forger.close()
      assert.equal(code, 1)
      assert.match(errors, /is not of the manifest/)
    })

  test('a version that cannot be read fails with its reason, and the next one is not held up by it', async () => {
    const path = join(folder.path, 'ragged.csv')
    const words = ['publish', path, 'acme/table', '--license', 'CC0-1.0', '--wait']
    await writeFile(path, 'a,b\n1,2\n3\n')
    const failed = await assay(words, { home: join(folder.path, 'contributor'), server })
    assert.equal(failed.code, 1)
    const { failure } = z.object({ state: z.literal('failed'), failure: z.string() }).parse(failed.json)
    assert.match(failure, /ragged\.csv/)
    await writeFile(path, 'a,b\n1,2\n3,4\n')
    assert.equal((await line('contributor', words, Version)).number, 2)
  })

  test('a damaged block breaks the law of files, and no other', async () => {
    await damageBlock(join(folder.path, 'node', 'blocks'), Buffer.from(lines(0, ROWS)))
    const { code, json } = await assay(['audit', run], { home: join(folder.path, 'auditor'), server })
    assert.equal(code, 1)
    assert.deepEqual(
      Audit.parse(json)
        .steps.filter(({ status }) => status === 'failed')
        .map(({ name }) => name),
      ['files'],
    )
  })
})

/** What the registry gives, and of a version something else besides. */
async function forge(path: string, version: Record<string, string>): Promise<Buffer> {
  const body = Buffer.from(await (await fetch(`${server}${path}`)).arrayBuffer())
  if (!path.startsWith('/v1/versions/')) return body
  return Buffer.from(JSON.stringify({ ...z.record(z.string(), z.unknown()).parse(JSON.parse(body.toString())), ...version }))
}

/** Audits until the sequencer has logged the run. */
async function logged(run: string): Promise<z.infer<typeof Audit>> {
  for (;;) {
    const { code, json, errors } = await assay(['audit', run, '--samples', '60'], { home: join(folder.path, 'auditor'), server })
    if (code !== 2) return Audit.parse(json)
    const unknown = Audit.parse(json).steps.filter(({ status }) => status === 'unknown')
    assert.ok(
      unknown.every(({ detail }) => detail.includes('try again')),
      `${errors}\n${JSON.stringify(unknown)}`,
    )
  }
}

async function damageBlock(directory: string, content: Buffer): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    // What is still being written is no block yet, and goes away.
    if (!entry.isFile() || entry.parentPath.endsWith('staging')) continue
    const path = join(entry.parentPath, entry.name)
    const stored = await readFile(path)
    if (!stored.equals(content)) continue
    stored[100]! ^= 1
    return writeFile(path, stored)
  }
  assert.fail('no such block')
}

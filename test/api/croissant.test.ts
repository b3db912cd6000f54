/** The Croissant document of a version: its addresses give the bytes that it says they do. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import type { CID } from '../../core/cid.ts'
import { createExportHandler } from '../../indexer/export/exportJob.ts'
import { PUBLIC_URL, Person, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'
import { storeReport } from './report.ts'

const Croissant = z.object({
  name: z.string(),
  version: z.string(),
  distribution: z.array(z.object({ name: z.string(), contentUrl: z.string(), sha256: z.string() })),
  recordSet: z.array(z.object({ '@id': z.string() })),
})

let registry: TestRegistry
let alice: Person
before(async () => {
  registry = await startRegistry()
  alice = await new Person(registry, 10).register()
})
after(async () => {
  await registry[Symbol.asyncDispose]()
  assert.deepEqual(registry.faults, [])
})

async function get(path: string): Promise<Response> {
  return registry.app.request(path)
}

async function croissant(path: string): Promise<z.infer<typeof Croissant>> {
  const response = await get(`/api/datasets/${path}`)
  assert.equal(response.status, 200, await response.clone().text())
  assert.equal(response.headers.get('content-type'), 'application/ld+json; profile="http://mlcommons.org/croissant/1.1"')
  return Croissant.parse(await response.json())
}

async function exportReport(subject: CID): Promise<void> {
  const job = { id: 1, kind: 'export' as const, key: subject.toString(), subject, attempts: 1 }
  await createExportHandler(registry)(job, { signal: new AbortController().signal, progress: () => {} })
}

async function checkBytes({ distribution }: z.infer<typeof Croissant>): Promise<void> {
  for (const { contentUrl, sha256 } of distribution) {
    assert.ok(contentUrl.startsWith(`${PUBLIC_URL}/`))
    const response = await get(contentUrl.slice(PUBLIC_URL.length))
    assert.equal(response.status, 200, contentUrl)
    assert.match(response.headers.get('cache-control') ?? '', /immutable/)
    const bytes = new Uint8Array(await response.arrayBuffer())
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256)
  }
}

const ROWS = Array.from({ length: 20 }, (_, id) => `${JSON.stringify({ id, text: `row ${id}` })}\n`).join('')

test('a version is described from its first minute, and again with its rows that pass; every address gives the bytes named', async () => {
  const manifest = await alice.publish('acme/Größe', [testFile('data/ä b.jsonl', ROWS), testFile('README.md', '# It\n')])
  const unread = await croissant(`acme/${encodeURIComponent('Größe')}/croissant`)
  assert.deepEqual([unread.version, unread.recordSet], ['1.0.0', []])
  await checkBytes(unread)

  const index = await registry.index(manifest.cid)
  const unverified = await croissant(`cid/${manifest.cid.toString()}/croissant`)
  assert.deepEqual([unverified.recordSet, unverified.distribution.length], [[], 2])

  await exportReport(await storeReport(registry, index, 20, { 3: ['trigger'] }))
  const verified = await croissant(`acme/${encodeURIComponent('Größe')}/croissant`)
  assert.deepEqual(
    verified.recordSet.map((set) => set['@id']),
    ['default', 'verified'],
  )
  assert.ok(verified.distribution.some(({ name }) => name.startsWith('verified/')))
  await checkBytes(verified)
})

test('an older version is named by its number, and what is not there is a problem', async () => {
  const first = await alice.publish('acme/numbers', [testFile('a.jsonl', ROWS)])
  await alice.publish('acme/numbers', [testFile('b.jsonl', ROWS)], (document) => ({ ...document, previous: first.cid }))
  assert.deepEqual(
    (await croissant('acme/numbers/croissant?version=1')).distribution.map(({ name }) => name),
    ['a.jsonl'],
  )
  assert.equal((await croissant('acme/numbers/croissant')).version, '2.0.0')
  assert.equal(await problemCode(await get('/api/datasets/acme/numbers/croissant?version=3')), 'not-found')
  assert.equal(await problemCode(await get('/api/datasets/acme/numbers/croissant?version=x')), 'invalid-request')
  assert.equal(await problemCode(await get('/api/datasets/acme/nothing/croissant')), 'not-found')
})

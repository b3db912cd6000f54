import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { RecordBatchReader, type Table, tableFromIPC } from 'apache-arrow'
import { bytesToHex } from '../../core/bytes.ts'
import type { CID } from '../../core/cid.ts'
import { sampleDigest } from '../../core/samples/encoding.ts'
import { rowFromJsonValue } from '../../core/samples/json.ts'
import type { Schema } from '../../core/samples/schema.ts'
import { loadDocument } from '../../store/documents.ts'
import { Person, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'
import { storeReport } from './report.ts'

const COUNT = 10_000
let registry: TestRegistry
let index: CID
let schema: Schema
let samples: string
let selection: string
/** Flagged samples of the report. */
const flagged = [3, 4, 4096, 9999]

before(async () => {
  registry = await startRegistry()
  const alice = await new Person(registry, 10).register()
  const lines = Array.from({ length: COUNT }, (_, n) =>
    JSON.stringify({ text: `row ${n}`, n, even: n % 2 === 0, tags: n % 3 === 0 ? null : [`t${n}`, 'x'], nested: { half: n / 2 } }),
  )
  const manifest = await alice.publish('alice/rows', [testFile('rows.jsonl', lines.join('\n'))])
  index = await registry.index(manifest.cid)
  schema = (await loadDocument(registry.blocks, 'index', index)).document.schema
  await storeReport(registry, index, COUNT, Object.fromEntries(flagged.map((number) => [number, ['trigger']])))
  samples = `/v1/versions/${encodeURIComponent('alice/rows')}/samples`
  const answer = await alice.post('/v1/selections', { version: 'alice/rows', policy: 'verified' })
  const body = (await answer.json()) as { selection: string; selectedCount: number }
  assert.equal(body.selectedCount, COUNT - flagged.length)
  selection = body.selection
})
after(() => registry[Symbol.asyncDispose]())

interface Page {
  schema: Schema
  samples: { number: number; digest: string; row: { n: number } }[]
  next: string | null
}

async function page(query: string): Promise<Page> {
  const response = await registry.app.request(`${samples}?${query}`)
  assert.equal(response.status, 200, await response.clone().text())
  return (await response.json()) as Page
}

async function stream(query: string): Promise<Table> {
  const response = await registry.app.request(`${samples}?${query}`, { headers: { accept: 'application/vnd.apache.arrow.stream' } })
  assert.equal(response.headers.get('content-type'), 'application/vnd.apache.arrow.stream')
  const bytes = new Uint8Array(await response.arrayBuffer())
  const table = tableFromIPC(bytes)
  assert.equal(table.numRows, Number(response.headers.get('x-assay-samples')))
  return table
}

function numbersOf(table: Table, column = 'n'): number[] {
  return Array.from(table.getChild(column)!, Number)
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

test('a page gives numbers, digests and rows that hash to them', async () => {
  const { samples: rows, next } = await page('offset=4094&limit=4')
  assert.deepEqual(
    rows.map((row) => [row.number, row.row.n]),
    [4094, 4095, 4096, 4097].map((number) => [number, number]),
  )
  for (const { digest, row } of rows) assert.equal(bytesToHex(sampleDigest(rowFromJsonValue(schema, row))), digest)
  assert.equal(next, '0.4098')
})

test('following "next" gives every sample once, and the last page has none', async () => {
  const seen: number[] = []
  for (let next: string | null = '0.7990'; next !== null;) {
    const { samples: rows, next: following }: Page = await page(`cursor=${next}&limit=1000`)
    seen.push(...rows.map((row) => row.number))
    next = following
  }
  assert.deepEqual(seen, upTo(COUNT).slice(7990))
  assert.deepEqual((await page(`offset=${COUNT + 5}`)).samples, [])
})

test('a page is bounded, whatever limit is asked for', async () => {
  assert.equal((await page('limit=100000')).samples.length, 1000)
})

test('the whole Arrow stream is the rows in order, with the plain schema', async () => {
  const table = await stream('')
  assert.deepEqual(
    table.schema.fields.map((field) => field.name),
    schema.map((field) => field.name),
  )
  assert.deepEqual(numbersOf(table), upTo(COUNT))
})

test('a stream that begins and ends inside a batch has exactly those rows, of every type', async () => {
  const [from, to] = [4093, 8195]
  const table = await stream(`offset=${from}&limit=${to - from}`)
  const texts = (of: Table) => of.toArray().map(String)
  assert.deepEqual(texts(table), texts(await stream('')).slice(from, to))
})

test('numbers=1 adds the sample numbers as a last column', async () => {
  for (const query of ['numbers=1', `numbers=1&selection=${selection}`, 'numbers=1&columns=n', `numbers=1&seed=7&selection=${selection}`]) {
    const table = await stream(query)
    assert.equal(table.schema.fields.at(-1)?.name, 'assay:sample')
    assert.equal(numbersOf(table, 'assay:sample').join(), numbersOf(table).join(), query)
  }
})

test('columns projects pages and streams, in the order of the schema', async () => {
  for (const query of ['columns=n,text', `columns=n,text&selection=${selection}`])
    assert.deepEqual(
      (await stream(query)).schema.fields.map((field) => field.name),
      schema.map((field) => field.name).filter((name) => name === 'n' || name === 'text'),
    )
  assert.deepEqual(Object.keys((await page('columns=n&limit=1')).samples[0]!.row), ['n'])
})

test('a selection streams the samples that passed, and no other', async () => {
  assert.deepEqual(
    numbersOf(await stream(`selection=${selection}`)),
    upTo(COUNT).filter((number) => !flagged.includes(number)),
  )
})

test('a flag lists the samples that the report flags', async () => {
  assert.deepEqual(
    (await page('flag=trigger')).samples.map((row) => row.number),
    flagged,
  )
  assert.deepEqual((await page(`flag=trigger&selection=${selection}`)).samples, [])
})

test('shards of an epoch are disjoint and cover the selection, and another epoch has another order', async () => {
  const epoch = async (number: number) => {
    const shards = [0, 1, 2].map(async (shard) => numbersOf(await stream(`selection=${selection}&seed=s&epoch=${number}&shard=${shard}/3`)))
    return Promise.all(shards)
  }
  const [first, second] = [await epoch(0), await epoch(1)]
  assert.notDeepEqual(first, second)
  for (const shards of [first, second])
    assert.deepEqual(
      shards.flat().toSorted((a, b) => a - b),
      upTo(COUNT).filter((number) => !flagged.includes(number)),
    )
})

test('a stream from a cursor is the rest of the stream', async () => {
  const query = `selection=${selection}&seed=s&shard=1/2`
  const whole = numbersOf(await stream(`${query}&epoch=2`))
  assert.deepEqual(numbersOf(await stream(`${query}&cursor=2.1234`)), whole.slice(1234))
})

test('a reader that goes away ends the reading', async () => {
  const response = await registry.app.request(samples, { headers: { accept: 'application/vnd.apache.arrow.stream' } })
  const reader = response.body!.getReader()
  await reader.read()
  await reader.cancel()
  assert.deepEqual(registry.faults, [])
})

test('a damaged shard breaks the stream before its end and is reported', async () => {
  await using broken = await startRegistry()
  const bob = await new Person(broken, 20).register()
  const manifest = await bob.publish('bob/rows', [testFile('rows.jsonl', '{"text":"a"}\n')])
  const { document } = await loadDocument(broken.blocks, 'index', await broken.index(manifest.cid))
  await broken.corrupt(document.shards[0]!.cid)
  const path = `/v1/versions/${manifest.cid.toString()}/samples`
  const response = await broken.app.request(path, { headers: { accept: 'application/vnd.apache.arrow.stream' } })
  await assert.rejects(response.arrayBuffer())
  assert.equal(broken.faults.length, 1)
  const page = await broken.app.request(path)
  assert.equal(page.status, 500)
  assert.equal(await problemCode(page), 'block-corrupt')
})

test('a stream can be read batch by batch as it comes', async () => {
  const response = await registry.app.request(samples, { headers: { accept: 'application/vnd.apache.arrow.stream' } })
  let rows = 0
  for await (const batch of await RecordBatchReader.from(response.body!)) rows += batch.numRows
  assert.equal(rows, COUNT)
})

for (const [query, code] of Object.entries({
  'offset=-1': 'invalid-request',
  'limit=many': 'invalid-request',
  'shard=2/2': 'invalid-request',
  'shard=0/0': 'invalid-request',
  'shard=1': 'invalid-request',
  'epoch=1': 'invalid-request',
  'cursor=1': 'invalid-request',
  'cursor=0.1&offset=1': 'invalid-request',
  'columns=nope': 'invalid-request',
  'flag=nope': 'invalid-request',
  'flag=trigger&seed=1': 'invalid-request',
  'selection=nonsense': 'invalid-request',
  'selection=bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy': 'not-found',
}))
  test(`?${query} is refused as ${code}`, async () => {
    assert.equal(await problemCode(await registry.app.request(`${samples}?${query}`)), code)
  })

test("another version's selection is not found in this one", async () => {
  const alice = await new Person(registry, 10).register()
  const manifest = await alice.publish('alice/other', [testFile('rows.jsonl', '{"text":"a"}\n')])
  await registry.index(manifest.cid)
  const response = await registry.app.request(`/v1/versions/${manifest.cid.toString()}/samples?selection=${selection}`)
  assert.equal(await problemCode(response), 'not-found')
})

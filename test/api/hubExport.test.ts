/** What a report makes of a data set for clients of the Hugging Face Hub: the rows that passed as Parquet, and a card. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { bytesToHex } from '../../core/bytes.ts'
import type { CID } from '../../core/cid.ts'
import type { Encoded } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { commitIdOf } from '../../core/hub/exportDocument.ts'
import { sampleDigest } from '../../core/samples/encoding.ts'
import { createParquetFile } from '../../core/samples/parquet.ts'
import { createExportHandler } from '../../indexer/export/exportJob.ts'
import { enqueueMissing, missingJobs } from '../../store/jobs.ts'
import { exportsOf } from '../../store/exports.ts'
import { readFile, sourceOf } from '../indexer/sources.ts'
import { Person, type TestFile, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'
import { storeReport } from './report.ts'

const ROWS = 300
const FLAGGED = [3, 4, 250]

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

function rows(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `${JSON.stringify({ id: from + i, text: `row ${from + i}`, tags: ['a'] })}\n`).join('')
}

function get(path: string): Promise<Response> {
  return Promise.resolve(registry.app.request(path))
}

async function json<T>(path: string): Promise<T> {
  const response = await get(path)
  assert.equal(response.status, 200, await response.clone().text())
  return (await response.json()) as T
}

const treeOf = async (name: string, revision: string) =>
  (await json<{ type: string; path: string }[]>(`/api/datasets/${name}/tree/${revision}?recursive=true`))
    .filter(({ type }) => type === 'file')
    .map(({ path }) => path)

const shaOf = async (name: string, revision: string) => (await json<{ sha: string }>(`/api/datasets/${name}/revision/${revision}`)).sha

async function bytesOf(name: string, revision: string, path: string): Promise<Uint8Array> {
  const response = await get(`/datasets/${name}/resolve/${revision}/${path}`)
  assert.equal(response.status, 200, await response.clone().text())
  return new Uint8Array(await response.arrayBuffer())
}

async function runExport(subject: CID): Promise<void> {
  const handle = createExportHandler(registry)
  const job = { id: 1, kind: 'export' as const, key: subject.toString(), subject, attempts: 1 }
  await handle(job, { signal: new AbortController().signal, progress: () => {} })
}

const FILES = [testFile('data/test.jsonl', rows(0, 50)), testFile('data/train.jsonl', rows(50, ROWS))]

async function publishVerified(name: string, files: TestFile[], change?: (manifest: Manifest) => Manifest) {
  const manifest = await alice.publish(name, files, change)
  const index = await registry.index(manifest.cid)
  const report = await storeReport(registry, index, ROWS, Object.fromEntries(FLAGGED.map((number) => [number, ['trigger']])))
  return { manifest, index, report }
}

async function digestsOf(index: CID): Promise<string[]> {
  const { samples } = await json<{ samples: { digest: string }[] }>(`/v1/versions/${index.toString()}/samples?limit=1000`)
  return samples.map(({ digest }) => digest)
}

async function digestsIn(name: string, revision: string, paths: string[]): Promise<string[]> {
  const digests: string[] = []
  for (const path of paths) {
    const read = await readFile(sourceOf(path, await bytesOf(name, revision, path)))
    digests.push(...read.rows.map((row) => bytesToHex(sampleDigest(row))))
  }
  return digests
}

test('a report is a missing job until it is exported, and the export is the same each time', async () => {
  const { report, index } = await publishVerified('acme/jobs', FILES)
  const aims = { recipe: null, exports: true }
  const exportJobs = async () => (await missingJobs(registry.db, aims)).filter(({ kind }) => kind === 'export').map(({ key }) => key)
  assert.deepEqual(await exportJobs(), [report.toString()])
  await enqueueMissing(registry.db, aims)
  assert.match((await get('/api/datasets/acme/jobs')).headers.get('x-hf-warning') ?? '', /rows that passed are still being written/)
  await runExport(report)
  const first = (await exportsOf(registry.db, [report])).get(report.toString())!
  assert.deepEqual(await exportJobs(), [])
  await registry.db.deleteFrom('exports').execute()
  await runExport(report)
  assert.deepEqual((await exportsOf(registry.db, [report])).get(report.toString()), first)
  assert.equal(first.commit, commitIdOf(first.document))
  assert.ok(await registry.blocks.isPinned(first.document))
  assert.equal((await digestsOf(index)).length, ROWS)
})

test('a verified version shows its files as published, and beside them rows and a card; its manifest’s commit shows the former alone', async () => {
  const { manifest, report, index } = await publishVerified('acme/shown', FILES, (about) => ({
    ...about,
    title: 'Rows: "a", <b>',
    language: 'de',
  }))
  assert.equal(await shaOf('acme/shown', 'main'), commitIdOf(manifest.cid))
  await runExport(report)
  const generated = [
    'README.md',
    'parquet/test-00000-of-00001.parquet',
    'parquet/train-00000-of-00001.parquet',
    'verified/test-00000-of-00001.parquet',
    'verified/train-00000-of-00001.parquet',
  ]
  const published = ['data/test.jsonl', 'data/train.jsonl']
  assert.deepEqual(await treeOf('acme/shown', 'main'), [...generated, ...published].sort())
  for (const revision of [commitIdOf(manifest.cid), manifest.cid.toString()])
    assert.deepEqual(await treeOf('acme/shown', revision), published)
  const commit = await shaOf('acme/shown', 'main')
  for (const revision of ['1', report.toString(), index.toString(), commit]) assert.equal(await shaOf('acme/shown', revision), commit)
  assert.notEqual(commit, commitIdOf(manifest.cid))
  assert.match((await get('/api/datasets/acme/shown')).headers.get('x-hf-warning') ?? '', /flagged.* the config "verified"/)
})

test('law: every row of every Parquet file has the digest that the index has, and the verified ones are those that were selected', async () => {
  const { report, index } = await publishVerified('acme/law', FILES)
  await runExport(report)
  const all = await digestsOf(index)
  const ofSplit = (folder: string) => ['test', 'train'].map((split) => `${folder}/${split}-00000-of-00001.parquet`)
  assert.deepEqual(await digestsIn('acme/law', 'main', ofSplit('parquet')), all)
  assert.deepEqual(
    await digestsIn('acme/law', 'main', ofSplit('verified')),
    all.filter((_, number) => !FLAGGED.includes(number)),
  )
})

test('whoever writes the selected rows gets the same file', async () => {
  const { report, index } = await publishVerified('acme/again', FILES)
  await runExport(report)
  const { schema } = await json<{ schema: Parameters<typeof createParquetFile>[0] }>(`/v1/documents/${index.toString()}`)
  const file = createParquetFile(schema)
  const source = await readFile(sourceOf('a.jsonl', rows(0, 50)))
  for (const [number, row] of source.rows.entries()) if (!FLAGGED.includes(number)) file.push(row)
  assert.deepEqual(await bytesOf('acme/again', 'main', 'verified/test-00000-of-00001.parquet'), new Uint8Array(file.finish()))
})

interface Metadata {
  license: string[]
  configs: { config_name: string; default?: boolean; data_files: { split: string; path: string[] }[] }[]
}

test('the card says the configurations, the verdict with what would have been seen, the rows and what they rest on', async () => {
  const { manifest, index, report } = await publishVerified('acme/card', FILES, (about) => ({
    ...about,
    title: 'T: "a" [x](javascript:1) 🜚',
    description: 'One\n<script>two</script>',
    sources: [{ name: 'A | B' }],
  }))
  await runExport(report)
  const readme = Buffer.from(await bytesOf('acme/card', 'main', 'README.md')).toString('utf8')
  const [, block, text] = /^---\n([\s\S]*?)---\n([\s\S]*)$/.exec(readme)!
  const metadata = parse(block!) as Metadata & { pretty_name: string }
  assert.equal(metadata.pretty_name, 'T: "a" [x](javascript:1) 🜚')
  assert.deepEqual(metadata.license, ['cc0-1.0'])
  assert.deepEqual(metadata.configs, [
    {
      config_name: 'default',
      data_files: [
        { split: 'test', path: ['parquet/test-00000-of-00001.parquet'] },
        { split: 'train', path: ['parquet/train-00000-of-00001.parquet'] },
      ],
    },
    {
      config_name: 'verified',
      data_files: [
        { split: 'test', path: ['verified/test-00000-of-00001.parquet'] },
        { split: 'train', path: ['verified/train-00000-of-00001.parquet'] },
      ],
    },
  ])
  for (const part of [manifest.cid, index, report].map(String)) assert.ok(text!.includes(part), part)
  assert.match(text!, /\*\*FLAGGED\*\*.*297 of 300 rows pass the policy `verified`/)
  assert.match(text!, /\| `verified` \| `test` \| 48 \|/)
  assert.doesNotMatch(text!, /<script>|[^\\]\[x\]/)
})

test('a published README stays, and what it configures with it', async () => {
  const own = (path: string) => `---\nlicense: mit\nconfigs:\n- config_name: both\n  data_files: "${path}"\n---\n# Mine\n`
  const parquet = createParquetFile([{ name: 'id', type: { type: 'int64' } }])
  for (let id = 0; id < ROWS; id++) parquet.push({ id })
  const cases = [
    { name: 'own-json', files: FILES, readme: own('data/*.jsonl'), configs: ['both'] },
    {
      name: 'own-parquet',
      files: [testFile('a.parquet', new Uint8Array(parquet.finish()))],
      readme: own('a.parquet'),
      configs: ['both', 'verified'],
    },
    { name: 'no-configs', files: FILES, readme: '# Mine\n', configs: ['default', 'verified'] },
  ]
  for (const { name, files, readme, configs } of cases) {
    const { report } = await publishVerified(`acme/${name}`, [testFile('README.md', readme), ...files])
    await runExport(report)
    assert.equal(Buffer.from(await bytesOf(`acme/${name}`, 'main', 'README.md')).toString(), readme)
    const metadata = parse(Buffer.from(await bytesOf(`acme/${name}`, 'main', '.huggingface.yaml')).toString()) as Metadata
    assert.deepEqual(
      metadata.configs.map((config) => config.config_name),
      configs,
    )
  }
})

test('beside metadata that cannot be read, that would grow, or that is not ours to change, nothing is generated', async () => {
  const bomb = `a: &a [x,x,x,x]\n${'bcdefghij'
    .split('')
    .map((name, i) => `${name}: &${name} [${`*${'abcdefghi'[i]},`.repeat(9)}]\n`)
    .join('')}`
  const readmes = [`---\n${bomb}---\n`, '---\nconfigs: {a: [\n---\n', '---\nconfigs: 3\n---\n', '---\nconfigs: [{config_name: 3}]\n---\n']
  const hostile = [...readmes.map((text) => testFile('README.md', text)), testFile('.huggingface.yaml', 'configs: []\n')]
  for (const [i, file] of hostile.entries()) {
    const { report } = await publishVerified(
      `acme/hostile-${i}`,
      [file, ...FILES].sort((a, b) => (a.path < b.path ? -1 : 1)),
    )
    await runExport(report)
    assert.deepEqual(await treeOf(`acme/hostile-${i}`, 'main'), [file.path, 'data/test.jsonl', 'data/train.jsonl'])
  }
})

test('generated files hide none that was published', async () => {
  const taken = createParquetFile([{ name: 'id', type: { type: 'int64' } }])
  for (let id = 0; id < ROWS - 50; id++) taken.push({ id })
  const files = [FILES[0]!, testFile('verified/train-00000-of-00001.parquet', new Uint8Array(taken.finish()))]
  const { report } = await publishVerified('acme/taken', files)
  await runExport(report)
  const paths = await treeOf('acme/taken', 'main')
  assert.equal(new Set(paths).size, paths.length)
  assert.deepEqual(await bytesOf('acme/taken', 'main', files[1]!.path), files[1]!.bytes)
  assert.ok(paths.includes('verified-1/train-00000-of-00001.parquet'), paths.join(', '))
})

test('a selection is a revision: it waits for a worker, and then gives its rows alone', async (t) => {
  const { index } = await publishVerified('acme/selected', FILES)
  const response = await alice.post('/v1/selections', { index: index.toString(), policy: { name: 'mine', exclude: ['outlier'] } })
  const { selection } = (await response.json()) as { selection: string }
  const asked = get(`/api/datasets/acme/selected/revision/${selection}`)
  t.after(() => asked)
  let request: { subject_cid: string } | undefined
  while (request === undefined) request = await registry.db.selectFrom('export_requests').selectAll().executeTakeFirst()
  assert.equal(request.subject_cid, selection)
  const [job] = (await missingJobs(registry.db, { recipe: null, exports: true })).filter(({ key }) => key === selection)
  await runExport(job!.subject)
  assert.equal((await asked).status, 200)
  assert.deepEqual(await treeOf('acme/selected', selection), [
    'README.md',
    'data/test-00000-of-00001.parquet',
    'data/train-00000-of-00001.parquet',
  ])
  const paths = ['test', 'train'].map((split) => `data/${split}-00000-of-00001.parquet`)
  assert.deepEqual(await digestsIn('acme/selected', await shaOf('acme/selected', selection), paths), await digestsOf(index))
  assert.equal(await problemCode(await get(`/api/datasets/acme/shown/revision/${selection}`)), 'not-found')
})

test('a version of which no row passes has no verified configuration', async () => {
  const manifest: Encoded<Manifest> = await alice.publish('acme/none', [testFile('a.jsonl', rows(0, 2))])
  const index = await registry.index(manifest.cid)
  const report = await storeReport(registry, index, 2, { 0: ['trigger'], 1: ['exact_duplicate'] })
  await runExport(report)
  assert.deepEqual(await treeOf('acme/none', 'main'), ['README.md', 'a.jsonl', 'data/train-00000-of-00001.parquet'])
  const readme = Buffer.from(await bytesOf('acme/none', 'main', 'README.md')).toString()
  assert.match(readme, /0 of 2 rows pass/)
  assert.doesNotMatch(readme, /config_name": ?"verified"/)
})

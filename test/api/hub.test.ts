/** The requests that clients of the Hugging Face Hub send, and what they read of the answers. Real clients: `npm run test:clients`. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex } from '../../core/bytes.ts'
import { digestOf } from '../../core/cid.ts'
import type { Encoded } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { sampleDigest } from '../../core/samples/encoding.ts'
import { readFile, sourceOf } from '../indexer/sources.ts'
import { Person, type TestFile, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'
import { storeReport } from './report.ts'

const ROWS = 2000

let registry: TestRegistry
let alice: Person
let first: Encoded<Manifest>
let second: Encoded<Manifest>
const files: TestFile[] = [
  testFile('README.md', '# Words\n'),
  testFile('data/test.jsonl', rows(0, 50)),
  testFile('data/train.jsonl', rows(50, ROWS)),
  testFile('empty', ''),
]

before(async () => {
  registry = await startRegistry()
  alice = await new Person(registry, 10).register()
  first = await alice.publish('Acme/Words', files.slice(0, 2), (manifest) => ({ ...manifest, language: 'en' }))
  second = await alice.publish('Acme/Words', files, (manifest) => ({ ...manifest, previous: first.cid }))
})
after(async () => {
  await registry[Symbol.asyncDispose]()
  assert.deepEqual(registry.faults, [])
})

function rows(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `${JSON.stringify({ id: from + i, text: `row ${from + i} of the words` })}\n`).join('')
}

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return Promise.resolve(registry.app.request(path, init))
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await get(path, init)
  assert.equal(response.status, 200, await response.clone().text())
  return (await response.json()) as T
}

function commitOf(manifest: Encoded<Manifest>): string {
  return bytesToHex(digestOf(manifest.cid).subarray(0, 20))
}

interface Entry {
  type: 'file' | 'directory'
  oid: string
  size: number
  path: string
  lfs?: { oid: string; size: number; pointerSize: number }
}

test('a revision is main, a version number, a commit id or a CID of this data set, and nothing else', async () => {
  const shaOf = async (revision: string) => (await json<{ sha: string }>(`/api/datasets/acme/words/revision/${revision}`)).sha
  for (const revision of ['main', 'HEAD', '2', 'refs%2Fheads%2Fmain', 'refs%2Ftags%2F2', commitOf(second), second.cid.toString()])
    assert.equal(await shaOf(revision), commitOf(second), revision)
  for (const revision of ['1', commitOf(first), first.cid.toString()]) assert.equal(await shaOf(revision), commitOf(first), revision)
  const other = await alice.publish('acme/other', files.slice(1, 2))
  for (const revision of ['3', '0', 'dev', 'f'.repeat(40), commitOf(other), other.cid.toString()]) {
    const response = await get(`/api/datasets/acme/words/revision/${revision}`)
    assert.equal(response.status, 404)
    assert.equal(response.headers.get('x-error-code'), 'RevisionNotFound', revision)
    assert.match(response.headers.get('x-error-message') ?? '', /has no revision/)
  }
})

test('a file is served whole, by range and by HEAD, under the validators that clients keep', async () => {
  const file = files[2]!
  const path = `/datasets/acme/words/resolve/main/${file.path}`
  for (const method of ['GET', 'HEAD']) {
    const response = await get(path, { method, headers: { 'accept-encoding': 'identity' } })
    assert.equal(response.headers.get('x-repo-commit'), commitOf(second))
    assert.equal(response.headers.get('etag'), `"${file.sha256}"`)
    assert.equal(response.headers.get('x-linked-size'), String(file.bytes.length))
    assert.equal(response.headers.get('content-length'), String(file.bytes.length))
    assert.equal(response.headers.get('cache-control'), 'no-cache')
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), method === 'GET' ? Buffer.from(file.bytes) : Buffer.alloc(0))
  }
  const rest = await get(path, { headers: { range: 'bytes=1000-' } })
  assert.equal(rest.status, 206)
  assert.deepEqual(Buffer.from(await rest.arrayBuffer()), Buffer.from(file.bytes.subarray(1000)))
  const pinned = await get(`/datasets/acme/words/resolve/${commitOf(second)}/${file.path}`)
  assert.match(pinned.headers.get('cache-control') ?? '', /immutable/)
  const again = await get(path, { headers: { 'if-none-match': `"${file.sha256}"` } })
  assert.equal(again.status, 304)
  assert.equal((await get(path, { headers: { range: `bytes=${file.bytes.length}-` } })).status, 416)
})

test('what is not there is told by code, with the commit, and never by a body that a browser would run', async () => {
  const file = await get('/datasets/acme/words/resolve/main/words.py', { method: 'HEAD' })
  assert.deepEqual(
    [file.status, file.headers.get('x-error-code'), file.headers.get('x-repo-commit')],
    [404, 'EntryNotFound', commitOf(second)],
  )
  const folder = await get('/api/datasets/acme/words/tree/main/nothing?recursive=true&expand=false')
  assert.equal(folder.headers.get('x-error-code'), 'EntryNotFound')
  for (const path of ['/api/datasets/acme/none', '/datasets/acme/none/resolve/main/a', '/api/datasets/%00/%22', '/api/models/acme/words']) {
    const repository = await get(path)
    assert.equal(repository.headers.get('x-error-code'), 'RepoNotFound', path)
    assert.equal(await problemCode(repository), 'not-found')
  }
  const readme = await get('/datasets/acme/words/resolve/main/README.md')
  assert.equal(readme.headers.get('content-type'), 'application/octet-stream')
  assert.equal(readme.headers.get('content-security-policy'), 'sandbox')
})

test('the tree names plain files by their git blob id and large ones by SHA-256', async () => {
  const top = await json<Entry[]>('/api/datasets/acme/words/tree/main?recursive=false&expand=false')
  assert.deepEqual(
    top.map(({ type, path }) => [type, path]),
    [
      ['file', 'README.md'],
      ['directory', 'data'],
      ['file', 'empty'],
    ],
  )
  // git hash-object /dev/null
  assert.equal(top[2]!.oid, 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391')
  const all = await json<Entry[]>(`/api/datasets/acme/words/tree/${commitOf(second)}?recursive=True`)
  assert.deepEqual(
    all.map(({ path }) => path),
    ['README.md', 'data', 'data/test.jsonl', 'data/train.jsonl', 'empty'],
  )
  for (const { bytes, path, sha256 } of files) {
    const entry = all.find((one) => one.path === path)!
    const pointer = Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${bytes.length}\n`)
    const isLarge = bytes.length > 65_536
    assert.equal(entry.oid, gitBlob(isLarge ? pointer : bytes), path)
    assert.deepEqual(entry.lfs, isLarge ? { oid: sha256, size: bytes.length, pointerSize: pointer.length } : undefined)
  }
  const below = await json<Entry[]>('/api/datasets/acme/words/tree/main/data')
  assert.deepEqual(below, all.slice(2, 4))
})

function gitBlob(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

test('law: the pages of a tree, followed by their links, are the whole tree, each path once and in order', async () => {
  const content = testFile('', 'a line\n')
  const many = Array.from({ length: 2500 }, (_, i) => ({ ...content, path: `d${i % 7}/f${String(i).padStart(4, '0')}.txt` }))
  await alice.put(content.cid, Buffer.from(content.bytes))
  const published = alice.signed('manifest', alice.manifest('acme/many', many))
  assert.equal((await alice.post('/v1/datasets/acme/many/versions', published)).status, 201)
  const paths: string[] = []
  let next: string | undefined = '/api/datasets/acme/many/tree/main?recursive=true'
  while (next !== undefined) {
    const response: Response = await get(next)
    const page = (await response.json()) as Entry[]
    assert.ok(page.length <= 1000)
    paths.push(...page.map(({ path }) => path))
    next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
  }
  const wanted = new Set(many.flatMap(({ path }) => [path, path.split('/')[0]!]))
  assert.deepEqual(paths, [...wanted].sort())
})

test('paths-info answers a form and JSON, and leaves out what is not there', async () => {
  const paths = ['data/', 'README.md', 'nothing']
  const bodies = [
    { type: 'application/x-www-form-urlencoded', body: 'paths=data%2F&paths=README.md&paths=nothing&expand=False' },
    { type: 'application/json', body: JSON.stringify({ paths, expand: false }) },
  ]
  for (const { type, body } of bodies) {
    const found = await json<Entry[]>('/api/datasets/acme/words/paths-info/main', {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    assert.deepEqual(
      found.map(({ type, path }) => [type, path]),
      [
        ['directory', 'data'],
        ['file', 'README.md'],
      ],
    )
  }
  const wrong = await get('/api/datasets/acme/words/paths-info/main', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"paths":3}',
  })
  assert.equal(await problemCode(wrong), 'invalid-request')
})

test('a data set says its licence, language, versions and what it rests on', async () => {
  const info = await json<{ id: string; tags: string[]; cardData: object; assay: { manifest: string }; siblings: object[] }>(
    '/api/datasets/ACME/words/revision/1?blobs=true',
  )
  assert.equal(info.id, 'Acme/Words')
  assert.deepEqual(info.cardData, { license: ['cc0-1.0'], language: ['en'] })
  assert.equal(info.assay.manifest, first.cid.toString())
  assert.deepEqual(info.siblings[0], { rfilename: 'README.md', size: 8, blobId: gitBlob(files[0]!.bytes) })
  const refs = await json<object>('/api/datasets/acme/words/refs')
  assert.deepEqual(refs, {
    branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: commitOf(second) }],
    tags: [
      { name: '2', ref: 'refs/tags/2', targetCommit: commitOf(second) },
      { name: '1', ref: 'refs/tags/1', targetCommit: commitOf(first) },
    ],
    converts: [],
    pullRequests: [],
  })
  const commits = await json<{ id: string }[]>('/api/datasets/acme/words/commits/1')
  assert.deepEqual(
    commits.map(({ id }) => id),
    [commitOf(first)],
  )
})

test('the list filters by name, owner and tag, and its pages follow one another', async () => {
  await alice.publish('acme/french', files.slice(1, 2), (manifest) => ({ ...manifest, language: 'fr', license: 'MIT' }))
  const ids = async (query: string) => (await json<{ id: string }[]>(`/api/datasets?${query}`)).map(({ id }) => id)
  assert.deepEqual(await ids('filter=language:fr&filter=license:mit'), ['acme/french'])
  assert.deepEqual(await ids('search=WORDS&author=acme'), ['Acme/Words'])
  assert.deepEqual(await ids('author=bob'), [])
  assert.deepEqual(await ids('gated=True'), [])
  const paged: string[] = []
  let next: string | undefined = '/api/datasets?limit=1&expand=sha&full=True'
  while (next !== undefined) {
    const response: Response = await get(next)
    paged.push(...((await response.json()) as { id: string }[]).map(({ id }) => id))
    next = /^<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1]
  }
  assert.deepEqual(paged, await ids('limit=1000'))
  assert.ok(paged.length >= 3)
  assert.equal(await problemCode(await get('/api/datasets?limit=none')), 'invalid-request')
})

test('a token of ours is a user’s; without one nobody is anyone', async () => {
  const me = (await (await alice.request('/api/whoami-v2')).json()) as { name: string; auth: { accessToken: { role: string } } }
  assert.deepEqual([me.name, me.auth.accessToken.role], ['Acme', 'write'])
  const prefixed = await get('/api/whoami-v2', { headers: { authorization: `Bearer hf_${alice.token}` } })
  assert.equal(((await prefixed.json()) as { name: string }).name, 'Acme')
  assert.equal(await problemCode(await get('/api/whoami-v2')), 'unauthorized')
  const stranger = await new Person(registry, 12).register(['run'])
  const other = (await (await stranger.request('/api/whoami-v2')).json()) as { name: string; auth: { accessToken: { role: string } } }
  assert.deepEqual([other.name, other.auth.accessToken.role], [stranger.signer.did, 'read'])
})

test('a name that clients refuse is read by the CID of its manifest', async () => {
  const manifest = await alice.publish('größe/Über-Ünï', [testFile('ä b%.txt', 'a line\n')])
  const [entry] = await json<Entry[]>(`/api/datasets/${encodeURIComponent('größe')}/${encodeURIComponent('über-ünï')}/tree/main`)
  assert.equal(entry!.path, 'ä b%.txt')
  const file = await get(`/datasets/cid/${manifest.cid.toString()}/resolve/main/${encodeURIComponent('ä b%.txt')}`)
  assert.equal(await file.text(), 'a line\n')
  assert.equal((await get(`/api/datasets/cid/${second.document.root.toString()}`)).headers.get('x-error-code'), 'RepoNotFound')
})

test('a warning says what a reader should know: not yet verified, failed, flagged', async () => {
  const manifest = await alice.publish('acme/warned', [testFile('a.jsonl', rows(0, 3))])
  const warning = async (name: string) => (await get(`/api/datasets/acme/${name}`)).headers.get('x-hf-warning')
  assert.match((await warning('warned')) ?? '', /^assay acme\/warned@1; this version is still being verified: the files are as published/)
  const index = await registry.index(manifest.cid)
  const report = await storeReport(registry, index, 3, { 1: ['trigger'] })
  assert.match((await warning('warned')) ?? '', new RegExp(`; this version is flagged, see .*/v1/reports/${report.toString()}`))
  const broken = await alice.publish('acme/broken', [testFile('a.jsonl', '{"a":\r\n"\u0100;')])
  await assert.rejects(registry.index(broken.cid))
  assert.match((await warning('broken')) ?? '', /^assay acme\/broken@1; these files could not be indexed \(a\.jsonl[ -~]*\)/)
})

test('law: every row that comes through this door has the digest that the index has', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ a: fc.string({ unit: 'grapheme' }), n: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })) }), {
        minLength: 1,
      }),
      fc.nat(),
      async (values, salt) => {
        const name = `law/n${salt}-${values.length}-${createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 12)}`
        const manifest = await alice.publish(name, [testFile('rows.jsonl', values.map((row) => `${JSON.stringify(row)}\n`).join(''))])
        const index = await registry.index(manifest.cid)
        const page = await json<{ samples: { digest: string }[] }>(`/v1/versions/${index.toString()}/samples?limit=1000`)
        const file = await get(`/datasets/${name}/resolve/main/rows.jsonl`)
        const read = await readFile(sourceOf('rows.jsonl', new Uint8Array(await file.arrayBuffer())))
        assert.deepEqual(
          read.rows.map((row) => bytesToHex(sampleDigest(row))),
          page.samples.map(({ digest }) => digest),
        )
      },
    ),
    { numRuns: 10 },
  )
})

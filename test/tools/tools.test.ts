/** tools.ts as a process: what an operator sees of devices and models. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { encodeModel, type ModelSource } from '../../core/models.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'
import { DEVICES } from '../../verifier/embedding/onnxRuntime.ts'
import { SMALL_FILES, SMALL_WIDTH, smallManifest } from '../verifier/smallModels.ts'
import { encodeDagJson } from '../../core/documents/document.ts'
import { testIndex, textCid } from '../support/documents.ts'

const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const TOOLS = fileURLToPath(new URL('../../tools.ts', import.meta.url))

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

async function assay(words: string[], env: NodeJS.ProcessEnv = {}, program = TOOLS): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...words], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr }),
    )
  })
}

const json = ({ stdout }: Outcome): any => JSON.parse(stdout) // oxlint-disable-line typescript/no-explicit-any -- the tests look at what is printed

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'assay-tools-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A model as a hub lays it out. */
async function hubDirectory(parent: string): Promise<string> {
  const directory = join(parent, 'hub')
  const files = { ...SMALL_FILES, 'config.json': JSON.stringify({ hidden_size: SMALL_WIDTH }), '1_Pooling/config.json': '{"pooling_mode_mean_tokens":true}' } // prettier-ignore
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
  return directory
}

test('doctor finds out by computing which devices are usable, and says of every other one why not and what it would take', async () => {
  const outcome = await assay(['doctor', '--json'], {}, CLI)
  assert.equal(outcome.code, 0)
  const { devices, machine } = json(outcome)
  assert.deepEqual(devices.map(({ device }: { device: string }) => device), DEVICES) // prettier-ignore
  assert.ok(machine.cores >= 1)
  const [cpu, ...others] = devices
  assert.equal(cpu.usable, true)
  assert.ok(cpu.gigaflops > 0 && cpu.modes.includes('fp32'))
  for (const state of others) assert.ok(state.usable ? state.modes.includes('fp32') : state.reason.length > 0 && state.remedy.length > 0)
})

test('doctor fails where the chosen device cannot be used, and refuses one that does not exist', async () => {
  const { code, stdout } = await assay(['doctor'], { ASSAY_DEVICE: 'cuda', CUDA_VISIBLE_DEVICES: '' })
  assert.match(stdout, /ASSAY_DEVICE is cuda/)
  assert.equal(code, stdout.includes('verifications can run') ? 0 : 1)
  const unknown = await assay(['doctor'], { ASSAY_DEVICE: 'abacus' })
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /there is no device "abacus"/)
})

test('a directory in the hub’s layout is added, listed, verified, and found damaged when it is', async () => {
  await using temporary = await temporaryDirectory()
  const env = { ASSAY_MODEL_CACHE: join(temporary.path, 'cache') }
  const directory = await hubDirectory(temporary.path)
  const out = join(temporary.path, 'manifest.json')
  const added = await assay(['model', 'add', directory, '--name', 'acme/small', '--license', 'CC0-1.0', '--out', out, '--json'], env)
  assert.equal(added.code, 0, added.stderr)
  const { cid } = json(added)

  const listed = json(await assay(['model', 'list', '--json'], env)).find((model: { cid: string }) => model.cid === cid)
  assert.deepEqual([listed.name, listed.dimensions, listed.here, listed.modes], ['acme/small', SMALL_WIDTH, true, ['fp32', 'fp16']])

  const verified = json(await assay(['model', 'verify', 'acme/small', '--json'], env, CLI))
  assert.equal(verified.passed, true)
  assert.equal(verified.checks.length, 3 * 2 + 2)

  const manifest = JSON.parse(await readFile(out, 'utf8'))
  await writeFile(join(env.ASSAY_MODEL_CACHE, 'files', manifest.model.files[1].sha256), 'damaged')
  const damaged = await assay(['model', 'verify', cid], env)
  assert.equal(damaged.code, 2)
  assert.match(damaged.stderr, /the model acme\/small cannot be had/)
})

test('a manifest that was handed on pulls the same model out of a gateway, which is believed for nothing', async () => {
  await using temporary = await temporaryDirectory()
  const blocks = new Map<string, Uint8Array>()
  for (const content of Object.values(SMALL_FILES)) {
    const builder = createFileBuilder({ onBlock: (cid, bytes) => blocks.set(cid.toString(), bytes) })
    builder.push(Buffer.from(content))
    builder.finish()
  }
  let honest = true
  const gateway = createServer((request, response) => {
    const bytes = blocks.get(/^\/ipfs\/(\w+)\?format=raw$/.exec(request.url ?? '')?.[1] ?? '')
    response.writeHead(bytes === undefined ? 404 : 200).end(honest || bytes === undefined ? bytes : Buffer.from(bytes).reverse())
  }).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  try {
    const manifest = await smallManifest(SMALL_FILES, [{ kind: 'blocks' }])
    const path = join(temporary.path, 'manifest.json')
    await writeFile(path, encodeDagJson(manifest))
    const env = {
      ASSAY_MODEL_CACHE: join(temporary.path, 'cache'),
      ASSAY_GATEWAY: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
    }
    assert.equal((await assay(['model', 'add', path], env)).code, 0)

    honest = false
    const lied = await assay(['model', 'pull', 'small'], env)
    assert.equal(lied.code, 2)
    assert.match(lied.stderr, /what the gateway .* sends is not ba/)
    honest = true
    const pulled = await assay(['model', 'pull', 'small', '--json'], env)
    assert.equal(pulled.code, 0, pulled.stderr)
    assert.equal(json(pulled).cid, encodeModel(manifest.model).cid.toString())
    assert.equal((await assay(['model', 'pull', 'small', '--mode', 'int8'], env)).code, 1)
  } finally {
    gateway.close()
  }
})

test('a benchmark set is noted by its index, whose size the gateway’s block tells', async () => {
  await using temporary = await temporaryDirectory()
  const index = testIndex(textCid('manifest'))
  const gateway = createServer((request, response) => {
    const known = request.url === `/ipfs/${index.cid.toString()}?format=raw`
    response.writeHead(known ? 200 : 404).end(known ? index.bytes : undefined)
  }).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  try {
    const env = {
      ASSAY_BENCHMARKS: join(temporary.path, 'data', 'benchmarks.json'),
      ASSAY_GATEWAY: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
    }
    const added = await assay(['benchmark', 'add', index.cid.toString(), '--name', 'exam', '--json'], env)
    assert.equal(added.code, 0, added.stderr)
    assert.equal(json(added).sampleCount, index.document.sampleCount)
    const noted = [{ index: index.cid, name: 'exam', sampleCount: index.document.sampleCount }]
    assert.deepEqual(await readFile(env.ASSAY_BENCHMARKS), Buffer.from(encodeDagJson(noted)))
    const unnamed = await assay(['benchmark', 'add', index.cid.toString()], env)
    assert.equal(unnamed.code, 2)
    assert.match(unnamed.stderr, /takes the CID of an index, --name/)
  } finally {
    gateway.close()
  }
})

test('a hub’s repository is pinned to a commit, also in a manifest that names a branch, and the model stays the same', async () => {
  await using temporary = await temporaryDirectory()
  const directory = await hubDirectory(temporary.path)
  const env = { ASSAY_MODEL_CACHE: join(temporary.path, 'cache') }
  const [first, second] = [join(temporary.path, 'first.json'), join(temporary.path, 'second.json')]
  const commit = 'ab12'.repeat(10)
  const words = ['--name', 'acme/small', '--license', 'CC0-1.0', '--hub', 'acme/small']
  const branch = await assay(['model', 'add', directory, ...words, '--out', first, '--json'], env)
  assert.equal(branch.code, 0, branch.stderr)
  const pinned = await assay(['model', 'add', first, '--revision', commit, '--out', second, '--json'], env)
  assert.equal(pinned.code, 0, pinned.stderr)
  const hubOf = async (path: string) =>
    (JSON.parse(await readFile(path, 'utf8')).sources as ModelSource[]).find(({ kind }) => kind === 'hub')
  assert.deepEqual(await hubOf(first), { kind: 'hub', repository: 'acme/small', revision: 'main' })
  assert.deepEqual(await hubOf(second), { kind: 'hub', repository: 'acme/small', revision: commit })
  assert.equal(json(pinned).cid, json(branch).cid)
})

test('what is wrong with a line is said, with exit code 2', async () => {
  await using temporary = await temporaryDirectory()
  const directory = await hubDirectory(temporary.path)
  const env = { ASSAY_MODEL_CACHE: join(temporary.path, 'cache') }
  for (const [words, pattern] of [
    [['model', 'add', directory], /give --name NAME and --license SPDX/],
    [['model', 'add', directory, '--name', 'a', '--license', 'MIT', '--layers', '3'], /the graph has no block 3/],
    [['model', 'add', directory, '--name', 'a', '--license', 'MIT', '--hub', 'nonsense'], /expected OWNER\/NAME or OWNER\/NAME@REVISION/],
    [['model', 'add', directory, '--name', 'a', '--license', 'MIT', '--hub', 'a/b', '--revision', 'main'], /expected a commit, 40 hex/],
    [['model', 'add', directory, '--name', 'a', '--license', 'MIT', '--revision', 'ab'.repeat(20)], /one hub repository, and there are 0/],
  ] as const) {
    const { code, stderr } = await assay([...words], env)
    assert.equal(code, 2)
    assert.match(stderr, pattern)
  }
  const unknown = await assay(['model', 'pull', 'nobody/nothing'], env)
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /there is no model "nobody\/nothing"/)
})

/**
 * What users get wrong, on purpose or not, through the CLI and the HTTP API of a node in a process of its own: each is told what is wrong
 * and where, and leaves no trace.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { openHome } from '../cli/home.ts'
import { bytesToBase64, utf8ToBytes } from '../core/bytes.ts'
import { CODEC_DAG_JSON, cidOf, parseCid } from '../core/cid.ts'
import { encodeDagJson } from '../core/documents/document.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import { signerFromSeed } from '../core/keys.ts'
import { attest } from '../core/statement.ts'
import { buildDirectory } from '../core/unixfs/directory.ts'
import { BAD_FILES } from './badInput/dataSets.ts'
import { Caller, MAX_FILE_BYTES, type RefusingRegistry, fileCid, startRefusingRegistry } from './badInput/registry.ts'
import { type Traces, blockNamesUnder } from './badInput/traces.ts'
import { arrowBytes, parquetBytes } from './indexer/sources.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

let registry: RefusingRegistry
let ada: Caller

before(async () => {
  registry = await startRefusingRegistry()
  ada = await Caller.register(registry.url, 1)
  assert.equal((await registry.line(['keygen'])).code, 0)
})
after(() => registry[Symbol.asyncDispose]())

const publishing = (path: string, name: string) => ['publish', path, name, '--license', 'CC0-1.0']
const Version = z.object({ manifest: z.string(), state: z.string(), failure: z.string().nullable(), index: z.string().nullable() })

/** A file of the user's; folders are made. */
async function saved(path: string, content: string | Uint8Array): Promise<string> {
  const whole = join(registry.folder, path)
  await mkdir(join(whole, '..'), { recursive: true })
  await writeFile(whole, content)
  return whole
}

const samplesOf = (manifest: string) => fetch(`${registry.url}/v1/versions/${manifest}/samples`)

describe('data that cannot be indexed', () => {
  const outcomes = new Map<string, Awaited<ReturnType<RefusingRegistry['line']>>>()
  let earlier: Traces
  let now: Traces

  before(async () => {
    earlier = await registry.traces()
    const waiting = [...BAD_FILES.entries()]
    const publishNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [i, { path, content }] = next
        outcomes.set(path, await registry.line([...publishing(await saved(path, content()), `user/bad${i}`), '--wait']))
      }
    }
    await Promise.all(Array.from({ length: 4 }, publishNext))
    now = await registry.traces()
  })

  for (const { what, path, says } of BAD_FILES)
    test(`${what} fails the version with the reason, and nothing of it can be read`, async () => {
      const { code, json, errors } = outcomes.get(path)!
      const version = Version.parse(json, { error: () => errors })
      assert.deepEqual([code, version.state, version.index], [1, 'failed', null])
      assert.match(version.failure!, says)
      assert.ok(version.failure!.length < 1000)
      await registry.refuses('not-ready', /failed/, () => samplesOf(version.manifest))
    })

  test('all of it leaves the uploads with their manifests and signatures, and no part of an index, no job and no claim', async () => {
    const manifests = [...outcomes.values()].map(({ json }) => Version.parse(json).manifest).sort()
    assert.deepEqual(
      now.versions.filter(({ manifest_cid }) => manifests.includes(manifest_cid)),
      manifests.map((manifest_cid) => ({ manifest_cid, state: 'failed', index_cid: null })),
    )
    const fresh = (name: 'blocks' | 'documents' | 'attestations') => now[name].filter((one) => !earlier[name].includes(one))
    assert.deepEqual(fresh('documents'), manifests)
    assert.equal(fresh('attestations').length, manifests.length)
    assert.deepEqual(now.reports, earlier.reports)
    assert.deepEqual(new Set(now.jobs.map(({ state }) => state)), new Set(['done']))
    assert.deepEqual(now.staged, [])
    const Rooted = z.object({ root: z.object({ '/': z.string() }) })
    const roots = await Promise.all(
      manifests.map(async (cid) => Rooted.parse(await (await fetch(`${registry.url}/v1/documents/${cid}`)).json()).root['/']),
    )
    const kept = [...roots, ...manifests, ...fresh('attestations')].map((cid) => parseCid(cid))
    assert.deepEqual(fresh('blocks'), await blockNamesUnder(registry.blocksDir, kept))
  })

  test('the service holds on to less than a gigabyte of memory meanwhile', { skip: process.platform !== 'linux' }, async () => {
    const status = await readFile(`/proc/${registry.node.child.pid}/status`, 'utf8')
    const peakKib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1])
    assert.ok(peakKib > 0 && peakKib * 1024 < GIB, `${Math.round(peakKib / 1024)} MiB`)
  })
})

test('NaN and the infinities are values where the format has them, and the same samples in CSV, Parquet and Arrow', async () => {
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1.5]
  const contents: Record<string, string | Uint8Array> = {
    'values.csv': 'score\nNaN\ninf\n-Infinity\n-0\n1.5\n',
    'values.parquet': parquetBytes({ columnData: [{ name: 'score', data: values, type: 'DOUBLE' }] }),
    'values.arrow': arrowBytes('stream', [{ name: 'score', type: { type: 'float64' } }], [values.map((score) => ({ score }))]),
  }
  const Page = z.object({ samples: z.array(z.object({ digest: z.string(), row: z.object({ score: z.unknown() }) })) })
  const digests: string[][] = []
  for (const [file, content] of Object.entries(contents)) {
    const { code, json, errors } = await registry.line([...publishing(await saved(file, content), `user/${file}`), '--wait'])
    assert.equal(code, 0, `${errors}${JSON.stringify(json)}`)
    const { samples } = Page.parse(await (await samplesOf(Version.parse(json).manifest)).json())
    assert.deepEqual(
      samples.map(({ row }) => row.score),
      ['NaN', 'Infinity', '-Infinity', 0, 1.5],
    )
    digests.push(samples.map(({ digest }) => digest))
  }
  assert.deepEqual(digests[1], digests[0])
  assert.deepEqual(digests[2], digests[0])
})

describe('the CLI refuses before anything is sent', () => {
  test('an empty folder', async () => {
    await mkdir(join(registry.folder, 'empty'))
    await registry.refusesLine('invalid-request', /empty holds no file/, publishing(join(registry.folder, 'empty'), 'user/empty'))
  })

  test('a symbolic link', async () => {
    await mkdir(join(registry.folder, 'linked'))
    await symlink('/etc/passwd', join(registry.folder, 'linked', 'rows.csv'))
    await registry.refusesLine(
      'invalid-request',
      /rows\.csv is a symbolic link/,
      publishing(join(registry.folder, 'linked'), 'user/linked'),
    )
  })

  for (const name of ['../etc', 'user/..', 'user/../other', 'user/a/b', 'user', 'user/a..b'])
    test(`a data set of the name ${name}`, async () => {
      await registry.refusesLine('invalid-request', /is no name/, publishing(await saved('rows.csv', 'a\n1\n'), name))
    })

  for (const [i, name] of ['a\\..\\evil.csv', 'line\nbreak.csv'].entries())
    test(`a file of the name ${JSON.stringify(name)}`, async () => {
      await saved(`named${i}/${name}`, 'a\n1\n')
      const says = /cannot be used: expected no control character and no backslash/
      await registry.refusesLine('invalid-request', says, publishing(join(registry.folder, `named${i}`), 'user/named'))
    })

  test('two files whose names are one in Unicode', async (t) => {
    await saved('twins/caf\u00e9.csv', 'a\n1\n')
    await saved('twins/cafe\u0301.csv', 'a\n2\n')
    const path = join(registry.folder, 'twins')
    if ((await readdir(path)).length === 1) return t.skip('this file system takes the two names for one')
    await registry.refusesLine('invalid-request', /the path "café\.csv" is there twice/, publishing(path, 'user/twins'))
  })
})

describe('a manifest is refused that is not as it says', () => {
  const content = utf8ToBytes('{"text":"a row"}\n')
  const sha256 = createHash('sha256').update(content).digest('hex')
  const file = { path: 'rows.jsonl', cid: fileCid(content), sizeBytes: content.length, sha256 }
  let manifest: Manifest

  before(async () => {
    assert.equal((await ada.put(file.cid, Buffer.from(content))).status, 201)
    manifest = {
      kind: 'manifest',
      version: 1,
      name: 'ada/rows',
      author: ada.signer.did,
      createdAt: '2026-11-20T06:00:00.000Z',
      root: buildDirectory([file]),
      sizeBytes: file.sizeBytes,
      files: [file],
      license: 'CC0-1.0',
      sources: [],
      synthetic: { share: 'none', generators: [] },
    }
  })

  /** Whatever it is, signed. */
  function signed(document: object, by = ada): { document: string; envelope: string } {
    const bytes = encodeDagJson(document)
    const statement = { kind: 'manifest', cid: cidOf(CODEC_DAG_JSON, bytes), bytes } as const
    const envelope = attest(statement, { signer: by.signer, createdAt: manifest.createdAt })
    return { document: bytesToBase64(bytes), envelope: bytesToBase64(envelope) }
  }

  const announce = (body: object, name = 'ada/rows', by = ada) => by.post(`/v1/datasets/${name}/versions`, body)
  const refusesManifest = async (code: string, says: RegExp, changes: object) =>
    void (await registry.refuses(code, says, () => announce(signed({ ...manifest, ...changes }))))
  const withFile = (changes: object) => ({ files: [{ ...file, ...changes }] })

  test('in its signature', async () => {
    const honest = signed(manifest)
    const envelope = Buffer.from(honest.envelope, 'base64').toString()
    const sig = /"sig":"([^"]+)"/.exec(envelope)![1]!
    const other = Buffer.from(sig, 'base64')
    other[20]! ^= 1
    const altered = bytesToBase64(utf8ToBytes(envelope.replace(sig, other.toString('base64'))))
    await registry.refuses('invalid-signature', /signature .*does not verify|does not verify/, () =>
      announce({ ...honest, envelope: altered }),
    )
    const elsewhere = signed({ ...manifest, license: 'MIT' })
    await registry.refuses('untrusted', /the statement is about ipfs:/, () => announce({ ...honest, envelope: elsewhere.envelope }))
    const eve = await Caller.register(registry.url, 2)
    await registry.refuses('untrusted', /author/, () => announce(signed(manifest, eve), 'ada/rows', eve))
    await registry.refuses('forbidden', /the token belongs to/, () => announce(honest, 'ada/rows', eve))
  })

  test('in a size', async () => {
    const larger = { sizeBytes: 18, ...withFile({ sizeBytes: 18 }) }
    await refusesManifest('invalid-document', /rows\.jsonl has 17 bytes; the manifest says 18/, larger)
    await refusesManifest('invalid-document', /sizeBytes is not the sum of the files/, { sizeBytes: 1 })
    await refusesManifest('invalid-document', /at sizeBytes: /, { sizeBytes: -1, ...withFile({ sizeBytes: -1 }) })
  })

  test('in a digest', async () => {
    await refusesManifest(
      'invalid-document',
      /rows\.jsonl has the sha256 \w{64}; the manifest says 0{64}/,
      withFile({ sha256: '0'.repeat(64) }),
    )
  })

  test('in a link', async () => {
    const absent = { ...file, cid: fileCid(utf8ToBytes('not uploaded')) }
    const says = new RegExp(`upload these files first, .*: rows\\.jsonl \\(${absent.cid.toString()}\\)`)
    await refusesManifest('not-ready', says, { files: [absent], root: buildDirectory([absent]) })
    await refusesManifest('invalid-document', /the directory of these files is baf\w+; the manifest says baf/, { root: file.cid })
    await refusesManifest('invalid-document', /at files\.0\.cid: expected a CID link/, withFile({ cid: file.cid.toString() }))
    await refusesManifest('conflict', /has no version yet; leave "previous" out/, { previous: file.cid })
  })

  for (const path of ['../../etc/passwd', '/etc/passwd', 'a/../../b', 'a//b', './a', 'a/', 'a\\..\\b', 'a\u0000b', 'cafe\u0301', ''])
    test(`in the path ${JSON.stringify(path)}`, () => refusesManifest('invalid-document', /at files\.0\.path: /, withFile({ path })))

  test('in a path that stands there twice, or out of order', async () => {
    const twice = { files: [file, file], sizeBytes: 34 }
    await refusesManifest('invalid-document', /at files\.1\.path: two files have the path "rows\.jsonl"/, twice)
    const unsorted = { files: [file, { ...file, path: 'a.jsonl' }], sizeBytes: 34 }
    await refusesManifest('invalid-document', /sorted by path, but "a\.jsonl" follows "rows\.jsonl"/, unsorted)
  })

  test('in its name', async () => {
    for (const name of ['ada/../rows', '../ada', 'ada/..', 'ada\\rows', 'ada'])
      await refusesManifest('invalid-document', /at name: expected/, { name })
    await registry.refuses('invalid-request', /is for ada\/rows, not for ada\/other/, () => announce(signed(manifest), 'ada/other'))
  })

  test('in having no file', () => refusesManifest('invalid-document', /at files: /, { files: [], sizeBytes: 0 }))

  test('in its form', async () => {
    await refusesManifest('invalid-document', /"extra"/, { extra: true })
    await registry.refuses('invalid-request', /document/, () => announce({ document: '!!', envelope: '!!' }))
    const spaced = bytesToBase64(utf8ToBytes(` ${Buffer.from(encodeDagJson(manifest)).toString()}`))
    await registry.refuses('invalid-document', /not canonical/, () => announce({ ...signed(manifest), document: spaced }))
  })

  test('and one that is as it says is taken', async () => {
    assert.equal((await announce(signed(manifest))).status, 201)
    assert.equal((await registry.line(['status', 'ada/rows', '--wait'])).code, 0)
  })
})

describe('an upload is refused', () => {
  const cid = fileCid(utf8ToBytes('what was announced'))

  test('with bytes that make another CID', async () => {
    const says = /the 3145728 bytes make baf\w+, not baf/
    await registry.refuses('cid-mismatch', says, () => ada.put(cid, Buffer.alloc(3 * MIB, 'x')))
  })

  test('of a gigabyte where less is allowed: at once where its length is announced, else when it passes the limit', async () => {
    const says = new RegExp(`larger than ${MAX_FILE_BYTES} bytes`)
    await registry.refuses('too-large', says, () => ada.announce(cid, GIB))
    let sentBytes = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sentBytes += MIB
        controller.enqueue(new Uint8Array(MIB).fill(97))
        if (sentBytes === GIB) controller.close()
      },
    })
    await registry.refuses('too-large', says, () => ada.put(cid, endless))
    assert.ok(sentBytes < 2 * MAX_FILE_BYTES, `${sentBytes} bytes were taken`)
  })
})

describe('a token', () => {
  const cid = fileCid(utf8ToBytes('b'))

  test('that is missing, wrong or revoked opens nothing', async () => {
    const missing = await registry.refuses('unauthorized', /POST \/v1\/tokens gives one/, () => ada.with(null).put(cid, 'b'))
    assert.equal(missing.headers.get('www-authenticate'), 'Bearer realm="assay"')
    for (const token of ['nonsense', `assay_${'A'.repeat(43)}`, `${ada.token}x`, 'a'.repeat(10_000)]) {
      const stranger = ada.with(token)
      await registry.refuses('unauthorized', /not one of ours/, () => stranger.put(cid, 'b'))
      await registry.refuses('unauthorized', /not one of ours/, () => stranger.post('/v1/datasets/ada/x/versions', {}))
      await registry.refuses('unauthorized', /not one of ours/, () => stranger.post('/v1/runs', {}))
    }
    const former = await Caller.register(registry.url, 1)
    assert.equal((await former.revoke()).status, 204)
    await registry.refuses('unauthorized', /was revoked/, () => former.put(cid, 'b'))
  })

  test('that lacks the right opens what it has a right to, and no more', async () => {
    const trainer = await Caller.register(registry.url, 1, ['run'])
    await registry.refuses('forbidden', /lacks the scope "publish"/, () => trainer.put(cid, 'b'))
    await registry.refuses('forbidden', /lacks the scope "publish"/, () => trainer.post('/v1/datasets/ada/x/versions', {}))
    await registry.refuses('invalid-request', /document/, () => trainer.post('/v1/runs', {}))
    const publisher = await Caller.register(registry.url, 1, ['publish'])
    await registry.refuses('forbidden', /lacks the scope "run"/, () => publisher.post('/v1/runs', {}))
  })

  test('is not given for a request that is old, for another service, for no right that there is, or signed by another', async () => {
    const issuedAt = new Date(Date.now() - 3_600_000).toISOString()
    await registry.refuses('untrusted', /sign a fresh one/, () => ada.askForToken({ issuedAt, scopes: ['publish'] }))
    const audience = 'https://elsewhere.example'
    await registry.refuses('untrusted', /is for https:\/\/elsewhere\.example/, () => ada.askForToken({ audience, scopes: ['publish'] }))
    await registry.refuses('invalid-document', /at scopes/, () => ada.askForToken({ scopes: ['everything'] }))
    const eve = signerFromSeed(new Uint8Array(32).fill(2))
    const forging = { ...ada.signer, sign: (bytes: Uint8Array) => eve.sign(bytes) }
    await registry.refuses('invalid-signature', /signature/, () => ada.askForToken({ scopes: ['publish'] }, forging))
  })

  test('that the CLI kept and that is worth nothing is replaced, and the line goes on', async () => {
    await openHome(join(registry.folder, 'user')).write(new URL(registry.url), 'token', `assay_${'A'.repeat(43)}`)
    const { code, errors } = await registry.line([...publishing(await saved('renewed.csv', 'a\n1\n'), 'user/renewed'), '--wait'])
    assert.equal(code, 0, errors)
  })

  test('that the CLI kept and that lacks the right is named in what it says', async () => {
    const home = openHome(join(registry.folder, 'user'))
    const response = await ada.askForToken({ scopes: ['run'] }, await home.signer())
    await home.write(new URL(registry.url), 'token', z.object({ token: z.string() }).parse(await response.json()).token)
    const words = publishing(await saved('rightless.csv', 'a\n2\n'), 'user/rightless')
    await registry.refusesLine('forbidden', /lacks the scope "publish"/, words)
  })

  test('of one user opens nothing of another’s', async () => {
    assert.equal((await registry.line(['keygen'], 'mallory')).code, 0)
    // Of a file that is here already, so that no upload is a trace.
    const words = publishing(await saved('renewed.csv', 'a\n1\n'), 'user/mine')
    await registry.refusesLine('forbidden', /the namespace of user\/mine belongs to did:key:/, words, 'mallory')
  })
})

describe('a path of the API that climbs leads nowhere', () => {
  const root = `/ipfs/${fileCid(utf8ToBytes('b')).toString()}`
  const paths: [path: string, code: string, says: RegExp][] = [
    [`${root}/../../../etc/passwd`, 'not-found', /nothing at GET \/etc\/passwd/],
    [`${root}/%2e%2e/%2e%2e/keys/log`, 'not-found', /nothing at GET \/keys\/log/],
    ['/ipfs/..%2f..%2fetc%2fpasswd', 'invalid-request', /passwd" is not a CID/],
    ['/log/tile/../../keys/log', 'not-found', /nothing at GET \/keys\/log/],
    ['/log/tile/0/..%2f..%2fkeys', 'invalid-request', /expected tile/],
    ['/v1/files/..%2f..%2fetc%2fpasswd', 'invalid-request', /passwd" is not a CID/],
    ['/v1/documents/..%2fkeys%2flog', 'invalid-request', /log" is not a CID/],
    ['/v1/versions/..%2f..', 'not-found', /there is no version \.\.\/\.\. here/],
  ]
  for (const [path, code, says] of paths) test(path, async () => void (await registry.refuses(code, says, () => ada.getVerbatim(path))))
})

/** A whole registry for tests: the application over a real database and real blocks, and people with keys who use it. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { createApp } from '../../api/app.ts'
import { type ApiContext, DEFAULT_LIMITS, type Fault } from '../../api/context.ts'
import { TOKEN_REQUEST_TYPE } from '../../api/tokens.ts'
import { bytesToBase64, bytesToHex, utf8ToBytes } from '../../core/bytes.ts'
import { CID, CODEC_DAG_JSON, cidOf } from '../../core/cid.ts'
import { type Encoded, encodeDocument } from '../../core/documents/document.ts'
import type { Manifest } from '../../core/documents/manifest.ts'
import { sealEnvelope } from '../../core/dsse.ts'
import { type Signer, signerFromSeed } from '../../core/keys.ts'
import { attest } from '../../core/statement.ts'
import { buildDirectory } from '../../core/unixfs/directory.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'
import { createIndexHandler } from '../../indexer/indexJob.ts'
import type { Database } from '../../store/database.ts'
import { versionOf } from '../../store/versions.ts'
import { checkLog } from '../../verifier/sequencer/checkLog.ts'
import { type Sequencer, createSequencer } from '../../verifier/sequencer/sequencer.ts'
import { type TestBlocks, testBlocks } from '../support/blocks.ts'
import { testDatabase } from '../support/postgres.ts'

export const NOW = new Date('2026-11-20T06:00:00.000Z')
export const PUBLIC_URL = 'http://registry.test'

export interface TestRegistry extends AsyncDisposable {
  app: OpenAPIHono
  ctx: ApiContext
  db: Database
  blocks: TestBlocks
  indexer: Signer
  verifier: Signer
  /** After every step of it the whole log is checked. */
  sequencer: Sequencer
  /** What was answered with a 5xx or broke a stream. */
  faults: Fault[]
  /** Indexes a version as the service would. */
  index(manifest: CID): Promise<CID>
  /** Flips a bit of a stored block. */
  corrupt(cid: CID): Promise<void>
}

export async function startRegistry(settings: Partial<ApiContext> = {}): Promise<TestRegistry> {
  const db = await testDatabase()
  const blocks = await testBlocks(db)
  const [indexer, verifier, logSigner] = [1, 2, 3].map((byte) => signerFromSeed(new Uint8Array(32).fill(byte))) as [Signer, Signer, Signer]
  const unchecked = createSequencer({ db, origin: 'registry.test/log', signer: logSigner })
  const sequencer: Sequencer = {
    ...unchecked,
    async appendPending() {
      const step = await unchecked.appendPending()
      await checkLog(db, unchecked.vkey)
      return step
    },
  }
  const faults: Fault[] = []
  const ctx: ApiContext = {
    db,
    blocks,
    publicUrl: PUBLIC_URL,
    logVkey: sequencer.vkey,
    indexerDid: indexer.did,
    verifierDid: verifier.did,
    recipeCid: cidOf(CODEC_DAG_JSON, utf8ToBytes('a recipe')),
    registration: 'open',
    limits: DEFAULT_LIMITS,
    clock: () => NOW,
    random: (length) => randomBytes(length),
    onFault: (fault) => faults.push(fault),
    ...settings,
  }
  const handleIndex = createIndexHandler({ db, blocks, signer: indexer, clock: () => NOW })
  return {
    app: createApp(ctx),
    ctx,
    db,
    blocks,
    indexer,
    verifier,
    sequencer,
    faults,
    async index(manifest) {
      const signal = new AbortController().signal
      await handleIndex({ id: 1, kind: 'index', key: manifest.toString(), subject: manifest, attempts: 1 }, { signal, progress: () => {} })
      const { index, failure } = await versionOf(db, manifest)
      assert.ok(index !== null, failure ?? 'not indexed')
      return index
    },
    async corrupt(cid) {
      const bytes = await blocks.get(cid)
      const entries = await readdir(blocks.dir, { recursive: true, withFileTypes: true })
      for (const entry of entries.filter((candidate) => candidate.isFile())) {
        const path = join(entry.parentPath, entry.name)
        const stored = await readFile(path)
        if (!stored.equals(bytes)) continue
        stored[stored.length - 1]! ^= 1
        await writeFile(path, stored)
        return
      }
      assert.fail(`no file of the block ${cid.toString()}`)
    },
    async [Symbol.asyncDispose]() {
      await blocks[Symbol.asyncDispose]()
      await db[Symbol.asyncDispose]()
    },
  }
}

/** A person with a key. */
export class Person {
  readonly signer: Signer
  readonly #registry: TestRegistry
  #token = ''

  constructor(registry: TestRegistry, seed: number) {
    this.#registry = registry
    this.signer = signerFromSeed(new Uint8Array(32).fill(seed))
  }

  get token(): string {
    return this.#token
  }

  async register(scopes: string[] = ['publish', 'run']): Promise<this> {
    const response = await this.requestToken({ audience: PUBLIC_URL, issuedAt: NOW.toISOString(), scopes })
    assert.equal(response.status, 201, await response.clone().text())
    this.#token = ((await response.json()) as { token: string }).token
    return this
  }

  requestToken(request: unknown): Promise<Response> {
    const body = sealEnvelope(TOKEN_REQUEST_TYPE, utf8ToBytes(JSON.stringify(request)), [this.signer])
    return Promise.resolve(this.#registry.app.request('/v1/tokens', { method: 'POST', body: Buffer.from(body) }))
  }

  request(path: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${this.#token}`)
    return Promise.resolve(this.#registry.app.request(path, { ...init, headers }))
  }

  put(cid: CID | string, body: BodyInit): Promise<Response> {
    return this.request(`/v1/files/${cid.toString()}`, { method: 'PUT', body, duplex: 'half' })
  }

  post(path: string, value: unknown): Promise<Response> {
    return this.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) })
  }

  /** A manifest of this person's; `change` may make it wrong. */
  manifest(name: string, files: TestFile[], change: (manifest: Manifest) => Manifest = (manifest) => manifest): Encoded<Manifest> {
    const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    const objects = sorted.map(({ path, cid, bytes, sha256 }) => ({ path, cid, sizeBytes: bytes.length, sha256 }))
    return encodeDocument(
      'manifest',
      change({
        kind: 'manifest',
        version: 1,
        name,
        author: this.signer.did,
        createdAt: NOW.toISOString(),
        root: buildDirectory(objects),
        sizeBytes: objects.reduce((sum, file) => sum + file.sizeBytes, 0),
        files: objects,
        license: 'CC0-1.0',
        sources: [],
        synthetic: { share: 'none', generators: [] },
      }),
    )
  }

  /** The body that announces a signed document. */
  signed(
    kind: 'manifest' | 'run',
    document: { cid: CID; bytes: Uint8Array },
    signer: Signer = this.signer,
  ): { document: string; envelope: string } {
    const envelope = attest({ kind, cid: document.cid, bytes: document.bytes }, { signer, createdAt: NOW.toISOString() })
    return { document: bytesToBase64(document.bytes), envelope: bytesToBase64(envelope) }
  }

  /** Uploads and publishes files; returns the manifest. */
  async publish(name: string, files: TestFile[], change?: (manifest: Manifest) => Manifest): Promise<Encoded<Manifest>> {
    for (const file of files) assert.ok((await this.put(file.cid, Buffer.from(file.bytes))).ok)
    const manifest = this.manifest(name, files, change)
    const response = await this.post(`/v1/datasets/${name}/versions`, this.signed('manifest', manifest))
    assert.equal(response.status, 201, await response.text())
    return manifest
  }
}

export interface TestFile {
  path: string
  bytes: Uint8Array
  cid: CID
  sha256: string
}

export function testFile(path: string, content: string | Uint8Array): TestFile {
  const bytes = typeof content === 'string' ? utf8ToBytes(content) : content
  const builder = createFileBuilder()
  builder.push(bytes)
  return { path, bytes, cid: builder.finish().cid, sha256: bytesToHex(createHash('sha256').update(bytes).digest()) }
}

/** The code of a problem answer, after checking that it is one. */
export async function problemCode(response: Response): Promise<string> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json', await response.clone().text())
  const problem = (await response.json()) as { code: string; status: number; detail: string }
  assert.equal(problem.status, response.status)
  assert.ok(problem.detail.length > 10)
  return problem.code
}

/** A registry in a process of its own, and ways to send it what it must refuse. */
import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { TOKEN_REQUEST_TYPE } from '../../api/tokens.ts'
import { utf8ToBytes } from '../../core/bytes.ts'
import type { CID } from '../../core/cid.ts'
import { sealEnvelope } from '../../core/dsse.ts'
import { type Signer, signerFromSeed } from '../../core/keys.ts'
import { createFileBuilder } from '../../core/unixfs/file.ts'
import type { Database } from '../../store/database.ts'
import { isExported } from '../service/acknowledged.ts'
import { until } from '../service/until.ts'
import { type NodeProcess, assay, endNode, freePort, startNode } from '../support/node.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { type Traces, tracesIn } from './traces.ts'

const Refusal = z.object({ error: z.object({ code: z.string(), detail: z.string() }) })
const ProblemBody = z.object({ code: z.string(), status: z.number(), detail: z.string() })
const Token = z.object({ token: z.string() })

/** The most bytes that a file may have here. */
export const MAX_FILE_BYTES = 96 * 1024 * 1024

export interface RefusingRegistry extends AsyncDisposable {
  url: string
  node: NodeProcess
  db: TestDatabase
  /** For the users' files and homes. */
  folder: string
  blocksDir: string
  /** A line of the CLI by a user with a home of their own. */
  line(words: string[], user?: string): ReturnType<typeof assay>
  /** The answer to a request has this code, says this, and everything is as it was before. */
  refuses(code: string, says: RegExp, send: () => Promise<Response>): Promise<Response>
  /** The same of a line of the CLI. */
  refusesLine(code: string, says: RegExp, words: string[], user?: string): Promise<void>
  traces(): Promise<Traces>
}

export async function startRefusingRegistry(): Promise<RefusingRegistry> {
  const db = await testDatabase()
  const folder = await mkdtempDisposable(join(tmpdir(), 'assay-bad-input-'))
  const blocksDir = join(folder.path, 'node', 'blocks')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const node = startNode(['--data', join(folder.path, 'node'), '--port', String(port)], {
    DATABASE_URL: db.url,
    ASSAY_MAX_FILE_BYTES: String(MAX_FILE_BYTES),
  })
  assert.equal(await node.ready, true, node.output())

  const line = (words: string[], user = 'user') => assay(words, { home: join(folder.path, user), server: url })
  const traces = () => tracesIn(db, blocksDir)
  /** Once everything that was accepted before has been worked off. */
  async function tracesAtRest(): Promise<Traces> {
    await until('the registry at rest', () => isAtRest(db))
    return traces()
  }
  async function assertNoTrace(before: Traces): Promise<void> {
    const after = await traces()
    for (const key of Object.keys(after) as (keyof Traces)[]) assert.deepEqual(after[key], before[key], `traces in ${key}`)
  }
  return {
    url,
    node,
    db,
    folder: folder.path,
    blocksDir,
    line,
    traces,
    async refuses(code, says, send) {
      const before = await tracesAtRest()
      const response = await send()
      const text = await response.text()
      assert.equal(response.headers.get('content-type'), 'application/problem+json', text)
      const problem = ProblemBody.parse(JSON.parse(text))
      assert.equal(problem.code, code, problem.detail)
      assert.match(problem.detail, says)
      assert.equal(problem.status, response.status)
      await assertNoTrace(before)
      return response
    },
    async refusesLine(code, says, words, user) {
      const before = await tracesAtRest()
      const { code: exit, json, errors } = await line(words, user)
      assert.equal(exit, 1, errors)
      const { error } = Refusal.parse(json)
      assert.equal(error.code, code, error.detail)
      assert.match(error.detail, says)
      await assertNoTrace(before)
    },
    async [Symbol.asyncDispose]() {
      await endNode(node, 'SIGTERM')
      await db[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function isAtRest(db: Database): Promise<boolean> {
  const versions = await db.selectFrom('versions').select('state').where('state', 'in', ['pinned', 'indexed']).execute()
  const jobs = await db.selectFrom('jobs').select('state').where('state', 'in', ['ready', 'running']).execute()
  return versions.length === 0 && jobs.length === 0 && (await isExported(db))
}

/** Someone who speaks HTTP with the registry, without the CLI, under a key and a token. */
export class Caller {
  readonly signer: Signer
  readonly token: string | null
  readonly #url: string

  constructor(url: string, signer: Signer, token: string | null) {
    this.#url = url
    this.signer = signer
    this.token = token
  }

  static async register(url: string, seed: number, scopes: string[] = ['publish', 'run']): Promise<Caller> {
    const signer = signerFromSeed(new Uint8Array(32).fill(seed))
    const response = await new Caller(url, signer, null).askForToken({ scopes })
    return new Caller(url, signer, Token.parse(await response.json()).token)
  }

  /** The same person with another token. */
  with(token: string | null): Caller {
    return new Caller(this.#url, this.signer, token)
  }

  askForToken(request: { audience?: string; issuedAt?: string; scopes: string[] }, signer = this.signer): Promise<Response> {
    const payload = { audience: this.#url, issuedAt: new Date().toISOString(), ...request }
    const envelope = sealEnvelope(TOKEN_REQUEST_TYPE, utf8ToBytes(JSON.stringify(payload)), [signer])
    const headers = { 'content-type': 'application/vnd.dsse.envelope.v1+json' }
    return fetch(`${this.#url}/v1/tokens`, { method: 'POST', headers, body: Uint8Array.from(envelope) })
  }

  revoke(): Promise<Response> {
    return fetch(`${this.#url}/v1/tokens/current`, { method: 'DELETE', headers: this.#authorization() })
  }

  post(path: string, body: unknown): Promise<Response> {
    const headers = { 'content-type': 'application/json', ...this.#authorization() }
    return fetch(`${this.#url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  put(cid: CID, body: BodyInit): Promise<Response> {
    const init: RequestInit & { duplex: 'half' } = { method: 'PUT', headers: this.#authorization(), body, duplex: 'half' }
    return fetch(`${this.#url}/v1/files/${cid.toString()}`, init)
  }

  /** Announces a body of this length, and sends no more of it than its first byte before there is an answer. */
  announce(cid: CID, lengthBytes: number): Promise<Response> {
    return new Promise((resolve, reject) => {
      const headers = { ...this.#authorization(), 'content-length': lengthBytes }
      const request = httpRequest(`${this.#url}/v1/files/${cid.toString()}`, { method: 'PUT', headers }, (answer) => {
        resolve(responseOf(answer).finally(() => request.destroy()))
      })
      request.on('error', reject)
      request.write('a')
    })
  }

  /** The path as it is written: `fetch` would tidy it up. */
  getVerbatim(path: string): Promise<Response> {
    const { hostname, port } = new URL(this.#url)
    return new Promise((resolve, reject) => {
      const request = httpRequest({ hostname, port, path }, (answer) => resolve(responseOf(answer)))
      request.on('error', reject)
      request.end()
    })
  }

  #authorization(): Record<string, string> {
    return this.token === null ? {} : { authorization: `Bearer ${this.token}` }
  }
}

async function responseOf(answer: IncomingMessage): Promise<Response> {
  const pieces = await Array.fromAsync(answer as AsyncIterable<Uint8Array>)
  const headers = { 'content-type': answer.headers['content-type'] ?? '' }
  return new Response(Buffer.concat(pieces), { status: answer.statusCode ?? 0, headers })
}

export function fileCid(bytes: Uint8Array): CID {
  const builder = createFileBuilder()
  builder.push(bytes)
  return builder.finish().cid
}

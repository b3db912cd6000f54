/**
 * The registry's routes as functions. What comes back is validated for its shape and never believed for its content: whoever needs
 * to believe it verifies CIDs and signatures.
 */
import { z } from 'zod'
import { MAX_BLOCK_BYTES } from '../../core/audit/source.ts'
import { bytesToBase64, bytesToUtf8, concatBytes } from '../../core/bytes.ts'
import { type CID, isCid, parseCid } from '../../core/cid.ts'
import type { Policy } from '../../core/documents/selection.ts'
import { Did } from '../../core/documents/common.ts'
import { MAX_DOCUMENT_BYTES } from '../../core/documents/document.ts'
import { DIGEST_LENGTH } from '../../core/hash.ts'
import { MAX_NOTE_BYTES } from '../../core/log/note.ts'
import { MAX_PROOF_FILE_BYTES } from '../../core/log/proofFile.ts'
import { TILE_WIDTH } from '../../core/merkle/tiles.ts'
import { Problem } from '../../core/problem.ts'
import type { Http, RequestBody } from './http.ts'

/** A page of samples with long texts is the largest. */
const MAX_JSON_BYTES = 256 * 1024 * 1024

const CidText = z.string().transform((text) => parseCid(text))

export const VersionState = z.enum(['pinned', 'indexing', 'indexed', 'verified', 'failed'])

export const Version = z.object({
  dataset: z.string(),
  number: z.number().int(),
  manifest: CidText,
  state: VersionState,
  failure: z.string().nullish(),
  index: CidText.nullish(),
  reports: z.array(z.object({ report: CidText, recipe: CidText, verdict: z.string() })).default([]),
  /** Of generated files. */
  export: CidText.nullish(),
  progress: z.object({ job: z.string(), stage: z.string(), done: z.number(), total: z.number().nullable() }).nullish(),
})
export type Version = z.infer<typeof Version>

const Uploaded = z.object({ cid: CidText, sizeBytes: z.number(), sha256: z.string() })
const Published = z.object({ manifest: CidText, number: z.number().int(), state: VersionState })
const Selected = z.object({ selection: CidText, selectedCount: z.number().int() })
const Service = z.object({ url: z.string(), logVkey: z.string(), indexer: Did, verifier: Did })
export type Service = z.infer<typeof Service>
const Attested = z.array(
  z.object({ author: z.string(), createdAt: z.string(), envelope: CidText, logIndex: z.number().int().nonnegative().nullable() }),
)
const SamplePage = z.object({
  samples: z.array(z.object({ number: z.number().int(), row: z.unknown() })),
  next: z.string().nullish(),
})
export type SamplePage = z.infer<typeof SamplePage>

/** What `samples` can be asked for. */
export interface SampleQuery {
  offset?: number
  limit?: number
  selection?: CID
  seed?: string
  epoch?: number
  shard?: string
  cursor?: string
  columns?: string
  /** 1: the Arrow stream carries each row's sample number in a column of its own. */
  numbers?: 1
}

export interface Registry {
  readonly server: URL
  readonly http: Http
  version(ref: string): Promise<Version>
  hasFile(cid: CID): Promise<boolean>
  putFile(cid: CID, token: string, body: () => RequestBody): Promise<void>
  publish(name: string, signed: SignedBytes, token: string): Promise<z.infer<typeof Published>>
  document(cid: CID): Promise<Uint8Array>
  attestations(cid: CID): Promise<z.infer<typeof Attested>>
  /** A `tlog-proof` file of the document's log entry. */
  proof(cid: CID): Promise<Uint8Array>
  /** One block, unverified. */
  block(cid: CID): Promise<Uint8Array>
  /** `version`: any reference, or the CID of an index. */
  select(version: string, policy: string | Policy): Promise<z.infer<typeof Selected>>
  samples(ref: string, query: SampleQuery): Promise<SamplePage>
  /** An Arrow IPC stream. */
  sampleStream(ref: string, query: SampleQuery): Promise<AsyncIterable<Uint8Array>>
  recordRun(signed: SignedBytes, token: string): Promise<void>
  service(): Promise<Service>
  checkpoint(): Promise<Uint8Array>
  logTile(path: string): Promise<Uint8Array>
}

/** A document with its envelope, as routes take them. */
export interface SignedBytes {
  document: Uint8Array
  envelope: Uint8Array
}

export function createRegistry(http: Http): Registry {
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => parseAnswer(schema, await http.request(path))
  const getBytes = async (path: string, maxBytes: number, accept = '*/*') =>
    readBody(await http.request(path, { headers: { accept } }), maxBytes)
  const post = async <T>(path: string, value: unknown, schema: z.ZodType<T>, token?: string): Promise<T> => {
    const headers = { 'content-type': 'application/json', ...authorization(token) }
    return parseAnswer(schema, await http.request(path, { method: 'POST', headers, body: () => JSON.stringify(value) }))
  }
  return {
    server: http.server,
    http,
    version: (ref) => get(`/v1/versions/${encodeURIComponent(ref)}`, Version),
    async hasFile(cid) {
      try {
        await http.request(`/v1/files/${cid.toString()}`, { method: 'HEAD' })
        return true
      } catch (error) {
        if (error instanceof Problem && error.code === 'not-found') return false
        throw error
      }
    },
    async putFile(cid, token, body) {
      const headers = { 'content-type': 'application/octet-stream', ...authorization(token) }
      const response = await http.request(`/v1/files/${cid.toString()}`, { method: 'PUT', headers, body })
      const stored = await parseAnswer(Uploaded, response)
      const got = stored.cid.toString()
      if (got !== cid.toString()) throw new Problem('cid-mismatch', `the registry stored ${got} instead of ${cid.toString()}`)
    },
    publish: (name, signed, token) => post(`/v1/datasets/${datasetPath(name)}/versions`, encodeSigned(signed), Published, token),
    document: (cid) => getBytes(`/v1/documents/${cid.toString()}`, MAX_DOCUMENT_BYTES, 'application/vnd.ipld.dag-json'),
    attestations: (cid) => get(`/v1/documents/${cid.toString()}/attestations`, Attested),
    proof: (cid) => getBytes(`/v1/documents/${cid.toString()}/proof`, MAX_PROOF_FILE_BYTES),
    block: (cid) => getBytes(`/ipfs/${cid.toString()}?format=raw`, MAX_BLOCK_BYTES, 'application/vnd.ipld.raw'),
    select: (version, policy) => post('/v1/selections', { version, policy }, Selected),
    samples: (ref, query) => get(samplesPath(ref, query), SamplePage),
    async sampleStream(ref, query) {
      const response = await http.request(samplesPath(ref, query), { headers: { accept: 'application/vnd.apache.arrow.stream' } })
      if (response.body === null) throw new Problem('unavailable', 'the registry answered without a body')
      return unbroken(response.body)
    },
    async recordRun(signed, token) {
      await post('/v1/runs', encodeSigned(signed), z.unknown(), token)
    },
    service: () => get('/v1/service', Service),
    checkpoint: () => getBytes('/log/checkpoint', MAX_NOTE_BYTES),
    logTile: (path) => getBytes(`/log/${path}`, TILE_WIDTH * DIGEST_LENGTH),
  }
}

/** The header that carries a bearer token (RFC 6750 §2.1). */
export function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** Validates a JSON answer. Throws `unavailable` when the server is no registry of this kind. */
export async function parseAnswer<T>(schema: z.ZodType<T>, response: Response): Promise<T> {
  const body = await readBody(response, MAX_JSON_BYTES)
  try {
    return schema.parse(JSON.parse(bytesToUtf8(body)))
  } catch (cause) {
    throw new Problem('unavailable', `${new URL(response.url || 'http://registry').origin} does not answer as a registry does`, { cause })
  }
}

/** The whole body. Throws `too-large` once it passes `maxBytes`, without reading on. */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0)
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  for await (const piece of unbroken(response.body)) {
    sizeBytes += piece.length
    if (sizeBytes > maxBytes)
      throw new Problem('too-large', `the registry's answer passes ${maxBytes} bytes; nothing that is asked for does`)
    pieces.push(piece)
  }
  return pieces.length === 1 ? pieces[0]! : concatBytes(...pieces)
}

async function* unbroken(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw brokenOff(error)
  }
}

/** A connection that breaks in the middle of a body leaves the question open. */
function brokenOff(cause: unknown): unknown {
  if (cause instanceof Error && cause.name === 'AbortError') return cause
  return new Problem('unavailable', 'the connection broke in the middle of an answer; try again', { cause })
}

function encodeSigned({ document, envelope }: SignedBytes): { document: string; envelope: string } {
  return { document: bytesToBase64(document), envelope: bytesToBase64(envelope) }
}

function datasetPath(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/')
}

function samplesPath(ref: string, query: SampleQuery): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
  return `/v1/versions/${encodeURIComponent(ref)}/samples?${parameters.toString()}`
}

/** The CID that a person gave, or the Problem that it is none. */
export function cidArgument(text: string, what: string): CID {
  if (!isCid(text)) throw new Problem('invalid-request', `"${text}" is not the CID of a ${what}`)
  return parseCid(text)
}

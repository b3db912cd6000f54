/**
 * The blocks of an installation, for a worker on another machine that shares its Postgres but not its disk. What is missing here is
 * asked from the installation's api as a raw block (`GET /ipfs/{cid}?format=raw`), verified and kept; what is pinned is sent to it
 * (`PUT /v1/files/{cid}`) before the pin is recorded. Since every writer pins before it names a CID in Postgres, no row ever points at
 * something that only this machine has. The directory is a cache: it may be emptied while no worker runs.
 */
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type CID, CODEC_DAG_JSON, CODEC_RAW, digestOf, cidFromDigest } from '../core/cid.ts'
import { messageOf, Problem } from '../core/problem.ts'

/** The other side of read-through and write-back (blocks.ts). */
export interface RemoteBlocks {
  /** A block's bytes, not verified; null when the installation does not have it. Throws `unavailable` when it does not answer. */
  fetch(cid: CID): Promise<Uint8Array | null>
  /** Makes sure that the installation has the DAG below a UnixFS root, or a block that is a document, durable and pinned. */
  send(cid: CID, content: Content): Promise<void>
}

/** What a CID names, read from the local store. */
export interface Content {
  /** The bytes of the file, of a document its block. */
  bytes: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  sizeBytes: number
}

export interface RemoteBlocksOptions {
  /** Address of the api. */
  url: string
  /** Gives a bearer token of the scope `publish`; asked again when the api does not take the last one. */
  issueToken: () => Promise<string>
  /** How long an api that does not answer is asked again. */
  patienceMs: number
}

/** No block is larger (documents are, at most, MAX_DOCUMENT_BYTES). */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024
const REQUEST_MS = 60_000
const UPLOAD_MS = 60 * 60_000
const FIRST_PAUSE_MS = 100
/** Larger ones are cut by UnixFS, and then have another CID. */
const MAX_LEAF_BYTES = 1024 * 1024

export function openRemoteBlocks({ url, issueToken, patienceMs }: RemoteBlocksOptions): RemoteBlocks {
  let token: Promise<string> | null = null

  /** Asks until there is an answer that is about the request and not about the network or the server's health. */
  async function ask(path: string, init: () => RequestInit): Promise<Response> {
    const deadline = performance.now() + patienceMs
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      let reason: string
      try {
        const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(REQUEST_MS), redirect: 'error', ...init() })
        if (response.status < 500) return response
        await response.body?.cancel()
        reason = `it answers ${response.status}`
      } catch (error) {
        reason = messageOf(error instanceof TypeError && error.cause !== undefined ? error.cause : error)
      }
      if (performance.now() + pauseMs > deadline) throw new Problem('unavailable', `the gateway ${url} cannot be used: ${reason}`)
      await delay(pauseMs)
    }
  }

  async function authorized(path: string, init: () => RequestInit): Promise<Response> {
    for (let again = true; ; again = false) {
      token ??= issueToken()
      const bearer = await token.catch((error: unknown) => {
        token = null
        throw error
      })
      const response = await ask(path, () => ({ ...init(), headers: { authorization: `Bearer ${bearer}` } }))
      if (response.status !== 401 || !again) return response
      await response.body?.cancel()
      token = null
    }
  }

  return {
    async fetch(cid) {
      const response = await ask(`/ipfs/${cid.toString()}?format=raw`, () => ({ headers: { accept: 'application/vnd.ipld.raw' } }))
      if (!response.ok) {
        await response.body?.cancel()
        if (response.status === 404) return null
        throw new Problem('unavailable', `the gateway ${url} answers ${response.status} for ${cid.toString()}`)
      }
      return readBounded(response, cid)
    },
    async send(cid, { bytes, sizeBytes }) {
      const isDocument = cid.code === CODEC_DAG_JSON
      if (isDocument && sizeBytes > MAX_LEAF_BYTES)
        throw new Problem(
          'too-large',
          `the document ${cid.toString()} has ${sizeBytes} bytes; at most ${MAX_LEAF_BYTES} can be sent to a gateway`,
        )
      // Blocks are stored by their hash, so that a document's bytes may come as a file of one leaf.
      const file = isDocument ? cidFromDigest(CODEC_RAW, digestOf(cid)) : cid
      const path = `/v1/files/${file.toString()}`
      const held = await ask(path, () => ({ method: 'HEAD' }))
      if (held.ok) return
      const response = await authorized(path, () => ({
        method: 'PUT',
        body: Readable.toWeb(Readable.from(bytes())) as ReadableStream<Uint8Array>, // Node's type lacks what the DOM's has
        duplex: 'half',
        signal: AbortSignal.timeout(UPLOAD_MS),
      }))
      if (!response.ok)
        throw new Error(`the gateway ${url} does not take ${file.toString()}: ${response.status} ${(await response.text()).slice(0, 1024)}`)
      await response.body?.cancel()
    },
  }
}

/** Reads an answer of attacker-controlled length. */
async function readBounded(response: Response, cid: CID): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  try {
    for await (const piece of response.body ?? []) {
      sizeBytes += piece.length
      if (sizeBytes > MAX_BLOCK_BYTES) throw new Problem('too-large', `the gateway's answer for ${cid.toString()} is larger than any block`)
      pieces.push(piece)
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('unavailable', `the gateway broke off in the middle of ${cid.toString()}: ${messageOf(error)}`, { cause: error })
  }
  return Buffer.concat(pieces)
}

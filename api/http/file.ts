/** Content-addressed bytes as an answer: validators, cache lifetime and one byte range (RFC 9110 §13, §14). */
import type { Context } from 'hono'
import type { CID } from '../../core/cid.ts'
import type { ApiContext } from '../context.ts'
import { rangeNotSatisfiable } from '../problems.ts'
import { responseBody } from './body.ts'
import { markValidator } from './immutable.ts'
import { type ByteRange, parseRange } from './range.ts'

export interface Caching {
  etag: string
  /** False where the path may name other bytes later, so that caches have to ask again. Default true. */
  immutable?: boolean
}

/** Serves a UnixFS file as a stream of verified blocks. */
export async function serveFile(
  c: Context,
  ctx: ApiContext,
  cid: CID,
  headers: Record<string, string>,
  caching: Caching = { etag: cid.toString() },
): Promise<Response> {
  const sizeBytes = await ctx.blocks.fileSize(cid)
  const { signal } = c.req.raw
  return serve(c, { ...caching, headers, sizeBytes }, ({ offset, length }) =>
    responseBody(ctx, c.req, ctx.blocks.readFile(cid, { offset, length, signal })),
  )
}

/** Serves bytes that are in memory. */
export function serveBytes(c: Context, bytes: Uint8Array, content: { etag: string; headers: Record<string, string> }): Response {
  return serve(c, { ...content, sizeBytes: bytes.length }, ({ offset, length }) => Buffer.from(bytes).subarray(offset, offset + length))
}

function serve(
  c: Context,
  content: Caching & { headers: Record<string, string>; sizeBytes: number },
  body: (range: ByteRange) => ReadableStream<Uint8Array> | Buffer<ArrayBuffer>,
): Response {
  const { sizeBytes, headers, etag } = content
  const condition = c.req.header('if-range')
  const range = condition === undefined || condition === `"${etag}"` ? parseRange(c.req.header('range'), sizeBytes) : null
  if (range === 'unsatisfiable') {
    c.header('content-range', `bytes */${sizeBytes}`)
    throw rangeNotSatisfiable(`there are ${sizeBytes} bytes`)
  }
  if (markValidator(c, etag, content.immutable)) return c.body(null, 304)
  const { offset, length } = range ?? { offset: 0, length: sizeBytes }
  c.header('accept-ranges', 'bytes')
  c.header('content-length', String(length))
  if (range === null) return c.body(body({ offset, length }), 200, headers)
  return c.body(body(range), 206, { ...headers, 'content-range': `bytes ${offset}-${offset + length - 1}/${sizeBytes}` })
}

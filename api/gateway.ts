/**
 * The IPFS gateway (https://specs.ipfs.tech/http-gateways/trustless-gateway/ and /path-gateway/): raw blocks for clients that verify, and the
 * bytes of UnixFS files, with ranges, for people with a browser or curl. Only blocks that are here are served; nothing is fetched.
 */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { z } from 'zod'
import { CID, CODEC_DAG_JSON, parseCid } from '../core/cid.ts'
import { Problem } from '../core/problem.ts'
import { listDirectory } from '../core/unixfs/reader.ts'
import type { ApiContext } from './context.ts'
import { attachment } from './http/attachment.ts'
import { serveBytes, serveFile } from './http/file.ts'
import { notAcceptable, preconditionFailed, problemResponse } from './problems.ts'
import { createRouter } from './router.ts'
import { CidParameter, bytesAnswer } from './schemas.ts'

const RAW_BLOCK = 'application/vnd.ipld.raw'
const DAG_JSON = 'application/vnd.ipld.dag-json'
const MULTIHASH_IDENTITY = 0
const MAX_PATH_PARTS = 64

export function gatewayRoutes(ctx: ApiContext): OpenAPIHono {
  const router = createRouter()

  router.openAPIRegistry.registerPath({
    method: 'get',
    path: '/ipfs/{cid}',
    tags: ['gateway'],
    summary: 'A block, or the bytes of a file',
    description:
      'With ?format=raw or "Accept: application/vnd.ipld.raw" the block itself, for clients that verify; without, a UnixFS file, which may lie below a directory (/ipfs/{cid}/path/to/file). Both take a byte range.',
    request: { params: CidParameter, query: z.object({ format: z.enum(['raw']).optional(), filename: z.string().optional() }) },
    responses: {
      200: bytesAnswer('The bytes', RAW_BLOCK, 'application/octet-stream', DAG_JSON),
      206: bytesAnswer('A range of them', RAW_BLOCK, 'application/octet-stream'),
      304: { description: 'You have them' },
      default: problemResponse,
    },
  })
  // HEAD is answered by the same handler without its body, which is read only when it is sent.
  router.get('/ipfs/*', async (c) => {
    const [root = '', ...path] = c.req.path.slice('/ipfs/'.length).split('/')
    const inline = identityBytes(root)
    if (inline !== null) return c.body(Buffer.from(inline), 200, { 'content-type': RAW_BLOCK })

    const cid = parseCid(root)
    if (c.req.header('cache-control') === 'only-if-cached' && !(await ctx.blocks.has(cid)))
      throw preconditionFailed(`${cid.toString()} is not here`)
    const format = wantedFormat(c)
    if (format === null) return answerFile(c, ctx, cid, path.map(decodePart))
    if (format !== 'raw') throw notAcceptable(`the format "${format}" is not served here; ask for ?format=raw, or for no format`)
    if (path.length > 0) throw new Problem('invalid-request', 'a raw block is asked for by its CID alone')
    return answerBlock(c, ctx, cid)
  })

  return router
}

/** `?format=` beats `Accept`; null: deserialised, as a browser or curl asks. */
function wantedFormat(c: Context): string | null {
  const format = c.req.query('format')
  if (format !== undefined) return format
  const accepted = (c.req.header('accept') ?? '').split(',').map((part) => part.split(';')[0]!.trim().toLowerCase())
  if (accepted.includes(RAW_BLOCK)) return 'raw'
  const other = accepted.find((type) => type.startsWith('application/vnd.ipld.') || type === 'application/x-tar')
  return other === undefined || other === DAG_JSON || accepted.includes('*/*') ? null : other
}

async function answerBlock(c: Context, ctx: ApiContext, cid: CID): Promise<Response> {
  return serveBytes(c, await ctx.blocks.get(cid), {
    etag: `${cid.toString()}.raw`,
    headers: {
      'content-type': RAW_BLOCK,
      'content-disposition': attachment(c.req.query('filename') ?? `${cid.toString()}.bin`),
      'x-ipfs-path': c.req.path,
      'x-ipfs-roots': cid.toString(),
    },
  })
}

async function answerFile(c: Context, ctx: ApiContext, root: CID, path: string[]): Promise<Response> {
  const cids = await resolvePath(ctx, root, path)
  const cid = cids.at(-1)!
  const headers: Record<string, string> = { 'x-ipfs-path': c.req.path, 'x-ipfs-roots': cids.join(',') }
  const filename = c.req.query('filename')
  if (filename !== undefined) headers['content-disposition'] = attachment(filename)
  if (cid.code === CODEC_DAG_JSON)
    return serveBytes(c, await ctx.blocks.get(cid), { etag: cid.toString(), headers: { ...headers, 'content-type': DAG_JSON } })
  // Attacker-controlled bytes on our origin: never a type that a browser would run.
  return serveFile(c, ctx, cid, { ...headers, 'content-type': 'application/octet-stream', 'content-security-policy': 'sandbox' })
}

/** The CIDs from the root to the end of a path through directories. Throws `not-found` where an entry is missing. */
async function resolvePath(ctx: ApiContext, root: CID, path: string[]): Promise<CID[]> {
  if (path.length > MAX_PATH_PARTS) throw new Problem('invalid-request', `a path has at most ${MAX_PATH_PARTS} parts`)
  const cids = [root]
  for (const part of path) {
    const directory = cids.at(-1)!
    let child: CID | undefined
    for await (const link of listDirectory((cid) => ctx.blocks.get(cid), directory)) {
      if (link.name === part) child = link.cid
      if (child !== undefined) break
    }
    if (child === undefined) throw new Problem('not-found', `there is no "${part}" in ${directory.toString()}`)
    cids.push(child)
  }
  return cids
}

/** The bytes that an identity CID itself holds (`bafkqaaa`, the empty one, is what clients probe a gateway with); null for other CIDs. */
function identityBytes(text: string): Uint8Array | null {
  if (!text.startsWith('bafkqa') || text.length > 256) return null
  try {
    const cid = CID.parse(text)
    return cid.multihash.code === MULTIHASH_IDENTITY ? cid.multihash.digest : null
  } catch {
    return null
  }
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (cause) {
    throw new Problem('invalid-request', `"${part}" is not percent-encoded UTF-8`, { cause })
  }
}

/** Blocks from a trustless gateway (https://specs.ipfs.tech/http-gateways/trustless-gateway/): whatever it answers is hashed. */
import { hash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blockMatches, type CID } from '../core/cid.ts'
import { Problem, messageOf } from '../core/problem.ts'
import { type Blocks, openBlocks } from '../store/blocks.ts'

const MAX_BLOCK_BYTES = 4 * 1024 * 1024

/** Fetches a block. Throws `unavailable`, or `block-corrupt` where the bytes are not the block's. */
export function gatewayBlocks(gateway: string): (cid: CID, signal?: AbortSignal) => Promise<Uint8Array> {
  return async (cid, signal) => {
    const url = `${gateway.replace(/\/+$/, '')}/ipfs/${cid.toString()}?format=raw`
    const response = await fetch(url, {
      headers: { accept: 'application/vnd.ipld.raw' },
      ...(signal === undefined ? {} : { signal }),
    }).catch((cause: unknown) => {
      signal?.throwIfAborted()
      throw new Problem('unavailable', `the gateway ${gateway} does not answer: ${messageOf(cause)}`, { cause })
    })
    if (!response.ok || response.body === null)
      throw new Problem('unavailable', `the gateway ${gateway} answers ${response.status} for ${cid.toString()}`)
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response.body) {
      length += chunk.length
      if (length > MAX_BLOCK_BYTES) throw new Problem('too-large', `the gateway ${gateway} sends more than a block for ${cid.toString()}`)
      chunks.push(chunk)
    }
    const bytes = Buffer.concat(chunks)
    if (!blockMatches(cid, bytes, (data) => hash('sha256', data, 'buffer')))
      throw new Problem('block-corrupt', `what the gateway ${gateway} sends is not ${cid.toString()}`)
    return bytes
  }
}

/** Blocks that are had from a gateway when they are asked for, and kept on disk until the stack ends. */
export async function openGatewayBlocks(gateway: string, owner: AsyncDisposableStack): Promise<Blocks> {
  const dir = await mkdtemp(join(tmpdir(), 'assay-blocks-'))
  owner.defer(() => rm(dir, { recursive: true, force: true }))
  const remote = { fetch: gatewayBlocks(gateway), send: () => Promise.reject(new Error('nothing is pinned here')) }
  return owner.use(await openBlocks({ dir, fsync: false, remote }))
}

/** The second implementation that UnixFS is compared with: ipfs-unixfs-importer under the profile unixfs-v1-2025. */
import { importer } from 'ipfs-unixfs-importer'
import type { CID } from '../../core/cid.ts'
import type { GetBlock } from '../../core/unixfs/node.ts'

/** Blocks in memory. */
export function createBlockMap() {
  const blocks = new Map<string, Uint8Array>()
  const put = (cid: CID, bytes: Uint8Array): void => {
    blocks.set(cid.toString(), Uint8Array.from(bytes))
  }
  const get: GetBlock = async (cid) => {
    const bytes = blocks.get(cid.toString())
    if (bytes === undefined) throw new Error(`no block ${cid.toString()}`)
    return bytes
  }
  return { blocks, put, get }
}

/** What the importer makes of these files: the root of the last entry (file or directory), its cumulative size, and all blocks. */
export async function importFiles(files: readonly { path?: string; content: Uint8Array }[], { wrap = false } = {}) {
  const { blocks, put } = createBlockMap()
  const store = {
    put: async (cid: CID, bytes: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
      if (!(bytes instanceof Uint8Array)) throw new TypeError('the importer puts whole blocks')
      put(cid, bytes)
      return cid
    },
  }
  // Only `put` of the blockstore is called, and a source is one array of bytes.
  const imported = await Array.fromAsync(
    importer(files, store as unknown as Parameters<typeof importer>[1], { profile: 'unixfs-v1-2025', wrapWithDirectory: wrap }),
  )
  const { cid, size } = imported.at(-1)!
  return { cid, dagSizeBytes: Number(size), blocks, files: imported }
}

/** Bytes that look random and are the same each time. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

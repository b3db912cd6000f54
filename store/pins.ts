/** Pins by Helia: what is pinned, and everything below it, is kept. */
import type { GraphNode, GraphWalker, Helia } from '@helia/interface'
import * as dagJson from '@ipld/dag-json'
import * as dagPb from '@ipld/dag-pb'
import { createUnsafe } from 'multiformats/block'
import * as raw from 'multiformats/codecs/raw'
import { type CID, CODEC_DAG_JSON, CODEC_DAG_PB, CODEC_RAW } from '../core/cid.ts'
import { Problem } from '../core/problem.ts'
import type { TransactionalDatastore } from './datastore.ts'

export interface Pins {
  /** Pins a block, and all below it if `recursive`. Throws `block-missing` when a block of it is not here. Twice does no harm. */
  add(cid: CID, recursive: boolean): Promise<void>
  remove(cid: CID): Promise<void>
  /** Whether the block is pinned, by itself or from above. */
  has(cid: CID): Promise<boolean>
}

export interface PinnedBlocks {
  get(cid: CID): Promise<Uint8Array>
  has(cid: CID): Promise<boolean>
}

/** The pins that `helia` keeps in `datastore`. Each change is one transaction. */
export function createPins(helia: Helia, blocks: PinnedBlocks, datastore: TransactionalDatastore): Pins {
  const walker = () => createWalker(blocks)

  async function pinnedDepth(cid: CID): Promise<number | null> {
    try {
      return (await helia.pins.get(cid)).depth
    } catch (error) {
      if (error instanceof Error && error.name === 'NotFoundError') return null
      throw error
    }
  }

  async function drain(steps: AsyncIterable<CID>): Promise<void> {
    for await (const _ of steps);
  }

  return {
    async add(cid, recursive) {
      const depth = recursive ? Infinity : 0
      if (((await pinnedDepth(cid)) ?? -1) >= depth) return
      await datastore.inTransaction(async () => {
        const before = await pinnedDepth(cid)
        if (before !== null && before >= depth) return
        if (before !== null) await drain(helia.pins.rm(cid, { walker }))
        await drain(helia.pins.add(cid, { depth, walker }))
      })
    },
    async remove(cid) {
      await datastore.inTransaction(async () => {
        if ((await pinnedDepth(cid)) !== null) await drain(helia.pins.rm(cid, { walker }))
      })
    },
    has: async (cid) => helia.pins.isPinned(cid),
  }
}

const EMPTY = new Uint8Array(0)

/** Walks a DAG, each block once. Raw leaves have no links: that they are there is looked at, their bytes are not read. */
function createWalker(blocks: PinnedBlocks): GraphWalker {
  return {
    async *walk<T>(root: CID, { depth: maxDepth = Infinity }: { depth?: number } = {}): AsyncGenerator<GraphNode<T>> {
      const seen = new Set<string>()
      const stack: { cid: CID; depth: number; path: CID[] }[] = [{ cid: root, depth: 0, path: [root] }]
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        const { cid, depth, path } = next
        if (seen.has(cid.toString())) continue
        seen.add(cid.toString())
        const isLeaf = cid.code === CODEC_RAW || depth >= maxDepth
        if (isLeaf && !(await blocks.has(cid))) throw new Problem('block-missing', `the block ${cid.toString()} is not here`)
        const block = createUnsafe({ cid, bytes: isLeaf ? EMPTY : await blocks.get(cid), codec: isLeaf ? raw : codecOf(cid) })
        yield { block, depth, path } as GraphNode<T>
        if (isLeaf) continue
        const children = [...block.links()].map(([, child]) => child).reverse()
        for (const child of children) stack.push({ cid: child, depth: depth + 1, path: [...path, child] })
      }
    },
  }
}

function codecOf(cid: CID) {
  if (cid.code === CODEC_DAG_PB) return dagPb
  if (cid.code === CODEC_DAG_JSON) return dagJson
  throw new Problem('unsupported-format', `${cid.toString()} has the codec 0x${cid.code.toString(16)}; expected raw, DAG-PB or DAG-JSON`)
}

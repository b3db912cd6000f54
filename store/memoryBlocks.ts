/** Blocks in memory, with the same laws as block files but durability. */
import { MemoryBlockstore } from 'blockstore-core/memory'
import { concatBytes } from '../core/bytes.ts'
import type { CID } from '../core/cid.ts'
import type { StagedBlocks, StagingBlockstore } from './blockFiles.ts'

export class MemoryBlocks extends MemoryBlockstore implements StagingBlockstore {
  async read(cid: CID): Promise<Uint8Array | null> {
    if (!(await this.has(cid))) return null
    return concatBytes(...(await Array.fromAsync(this.get(cid))))
  }

  override has(cid: CID): Promise<boolean> {
    return Promise.resolve(super.has(cid))
  }

  stage(): StagedBlocks {
    const staged = new Map<string, [CID, Uint8Array]>()
    return {
      put: async (cid, bytes) => void staged.set(cid.toString(), [cid, bytes.slice()]),
      commit: async () => {
        for (const [cid, bytes] of staged.values()) await this.put(cid, bytes)
      },
      discard: async () => staged.clear(),
    }
  }
}

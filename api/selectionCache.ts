/** Selections with their bitmaps in memory, the least recently used given up first. */
import { type Bitmap, bitmapFromBytes } from '../core/bitmap.ts'
import type { CID } from '../core/cid.ts'
import type { Selection } from '../core/documents/selection.ts'
import type { ApiContext } from './context.ts'
import { loadSelection } from './selections.ts'

export interface LoadedSelection {
  document: Selection
  bitmap: Bitmap
}

export interface SelectionCache {
  /** A selection that was computed here. Throws `not-found`. */
  get(cid: CID): Promise<LoadedSelection>
}

/** A cache of at most half of `limits.cacheBytes`, but always of one selection. */
export function createSelectionCache(ctx: ApiContext): SelectionCache {
  const budgetBytes = ctx.limits.cacheBytes / 2
  const loaded = new Map<string, LoadedSelection>()
  return {
    async get(cid) {
      const key = cid.toString()
      const held = loaded.get(key)
      if (held !== undefined) {
        loaded.delete(key)
        loaded.set(key, held)
        return held
      }
      const { document } = await loadSelection(ctx, cid)
      const bytes = await ctx.blocks.readAll(document.bitmap, Math.ceil(document.sampleCount / 8))
      const selection = { document, bitmap: bitmapFromBytes(bytes, document.sampleCount) }
      loaded.set(key, selection)
      for (const [oldest, { bitmap }] of loaded) {
        if (loaded.size === 1 || usedBytes(loaded) <= budgetBytes) break
        if (bitmap !== selection.bitmap) loaded.delete(oldest)
      }
      return selection
    },
  }
}

function usedBytes(loaded: Map<string, LoadedSelection>): number {
  let bytes = 0
  for (const { bitmap } of loaded.values()) bytes += bitmap.bytes.length
  return bytes
}

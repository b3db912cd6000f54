/**
 * Builds a tree in one pass over its leaves in memory that grows with the logarithm of their number, and gives its tiles out as they
 * fill. A sample tree is kept as one file a level, the level's tiles one after another.
 */
import { DIGEST_LENGTH, type Sha256, sha256 } from '../hash.ts'
import { TILE_WIDTH, type TileReader, splitHashes } from './tiles.ts'
import { EMPTY_ROOT, foldHashes } from './tree.ts'

export interface TreeBuilder {
  /** Adds the hash of the next leaf (32 bytes, copied). */
  push(leafHash: Uint8Array): void
  /** Gives out the partial tiles, lower levels first. Nothing can be pushed afterwards. */
  finish(): { size: number; rootHash: Uint8Array }
}

export interface TreeBuilderOptions {
  hash?: Sha256
  /** Gets every tile once, those of one level in order; the bytes are the callee's to keep. */
  onTile: (level: number, bytes: Uint8Array) => void
}

export function createTreeBuilder({ hash = sha256, onTile }: TreeBuilderOptions): TreeBuilder {
  /** The unfinished tile of each level: its bytes and how many hashes are in it. */
  const pending: { bytes: Uint8Array; width: number }[] = []
  let size = 0
  let finished = false

  function add(level: number, digest: Uint8Array): void {
    const tile = (pending[level] ??= { bytes: new Uint8Array(TILE_WIDTH * DIGEST_LENGTH), width: 0 })
    tile.bytes.set(digest, tile.width++ * DIGEST_LENGTH)
    if (tile.width < TILE_WIDTH) return
    pending[level] = { bytes: new Uint8Array(TILE_WIDTH * DIGEST_LENGTH), width: 0 }
    onTile(level, tile.bytes)
    add(level + 1, foldHashes(splitHashes(tile.bytes), hash))
  }

  return {
    push(leafHash) {
      if (finished) throw new Error('the tree is finished')
      if (leafHash.length !== DIGEST_LENGTH) throw new RangeError(`a leaf hash has ${DIGEST_LENGTH} bytes, not ${leafHash.length}`)
      add(0, leafHash)
      size++
    },
    finish() {
      if (finished) throw new Error('the tree is finished')
      finished = true
      // The right edge, from the leaves upwards: each level's loose hashes and, right of them, what is loose below.
      let edge: Uint8Array[] = []
      for (const [level, { bytes, width }] of pending.entries()) {
        if (width === 0) continue
        const partial = bytes.slice(0, width * DIGEST_LENGTH)
        onTile(level, partial)
        edge = [foldHashes([...splitHashes(partial), ...edge], hash)]
      }
      return { size, rootHash: edge[0] ?? EMPTY_ROOT }
    },
  }
}

/**
 * Reads tiles out of level files. `readRange` returns exactly `lengthBytes` of the file of a level; it is never asked beyond the
 * tiles of the tree.
 */
export function levelFileReader(readRange: (level: number, offsetBytes: number, lengthBytes: number) => Promise<Uint8Array>): TileReader {
  return {
    readTile: (level, index, width) => readRange(level, index * TILE_WIDTH * DIGEST_LENGTH, width * DIGEST_LENGTH),
  }
}

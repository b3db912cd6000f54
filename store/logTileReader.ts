/** The log's tiles in Postgres, for whoever computes roots and proofs. */
import { DIGEST_LENGTH } from '../core/hash.ts'
import type { TileReader } from '../core/merkle/tiles.ts'
import type { Database } from './database.ts'
import { readLogTile } from './log.ts'

/** Reads stored tiles; a narrower one that is asked for is the prefix of the one that is there, so a tree of any earlier size can be read. */
export function createLogTileReader(db: Database): TileReader {
  return {
    async readTile(level, index, width) {
      const tile = await readLogTile(db, level, index)
      if (tile === null || tile.width < width) throw new Error(`the log has no tile ${level}/${index} of ${width} hashes`)
      return tile.bytes.subarray(0, width * DIGEST_LENGTH)
    },
  }
}

/**
 * What a sequencer has let out, it stands by: a state of the log is accepted only where it begins with everything that was published
 * before, wherever the state comes from. This is what keeps a restored database from forking the log.
 */
import { equalBytes } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/hash.ts'
import { openCheckpoint } from '../../core/log/checkpoint.ts'
import { consistencyProof, type TileReader } from '../../core/merkle/tiles.ts'
import { verifyConsistency } from '../../core/merkle/tree.ts'
import type { CheckpointMemory } from '../../store/checkpointFile.ts'

interface TreeHead {
  size: number
  rootHash: Uint8Array
}

export interface Continuity {
  /**
   * Reads what is remembered. It is done before a tree is read that will be held against it: another process may publish in between, and
   * what it remembers is never ahead of the database, but may be ahead of a tree that was read before.
   */
  load(): Promise<void>
  /** Throws an Error, which says what to do, unless the tree begins with the last one that was remembered. */
  assertContinues(head: TreeHead, tiles: TileReader): Promise<void>
  /** Whether the tree is the last one that was remembered. */
  isLast(head: TreeHead): Promise<boolean>
  /** Durable when it returns; only then may anybody see the checkpoint. */
  remember(head: TreeHead, checkpoint: Uint8Array): Promise<void>
}

export interface ContinuityOptions {
  memory: CheckpointMemory
  /** The log's key. */
  vkey: string
  hash: Sha256
}

export function createContinuity({ memory, vkey, hash }: ContinuityOptions): Continuity {
  let last: Promise<TreeHead | null> | undefined

  async function recall(): Promise<TreeHead | null> {
    const note = await memory.read()
    if (note === null) return null
    try {
      return openCheckpoint(note, vkey)
    } catch (cause) {
      throw new Error(
        'the checkpoint kept beside the keys is not of this log: the data folder belongs to another one, or the key was exchanged',
        { cause },
      )
    }
  }

  const known = async () => (last ??= recall())

  return {
    async load() {
      await known()
    },
    async isLast(head) {
      const tree = await known()
      return tree !== null && isSame(tree, head)
    },
    async assertContinues(head, tiles) {
      const tree = await known()
      if (tree === null || isSame(tree, head)) return
      if (tree.size > head.size)
        throw new Error(
          `the database has a log of ${head.size} entries, but ${tree.size} were published: it is older than what others have seen. Nothing is signed. ` +
            'Bring back a newer copy of the database; if there is none, begin a new log with ASSAY_LOG_ORIGIN and a new data folder, and say so publicly',
        )
      const proof = await consistencyProof(tiles, tree.size, head.size, hash)
      if (!verifyConsistency({ oldSize: tree.size, oldRoot: tree.rootHash, newSize: head.size, newRoot: head.rootHash, proof }))
        throw new Error(
          `the log in the database does not begin with the ${tree.size} entries that were published: it is another history. Nothing is signed. ` +
            'Bring back the database that goes with this data folder',
        )
    },
    async remember({ size, rootHash }, checkpoint) {
      await memory.write(checkpoint)
      last = Promise.resolve({ size, rootHash })
    },
  }
}

function isSame(a: TreeHead, b: TreeHead): boolean {
  return a.size === b.size && equalBytes(a.rootHash, b.rootHash)
}

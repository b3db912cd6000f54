/** Blocks for tests: real block files in a temporary directory that is removed on dispose. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Blocks, openBlocks } from '../../store/blocks.ts'
import type { Database } from '../../store/database.ts'

export type TestBlocks = Blocks & { readonly dir: string }

/** Opens a store of block files; pins are kept in `db`, or in memory without it. */
export async function testBlocks(db?: Database): Promise<TestBlocks> {
  const dir = await mkdtemp(join(tmpdir(), 'assay-blocks-'))
  const blocks = await openBlocks({ dir, fsync: false, ...(db === undefined ? {} : { db }) })
  return Object.assign(Object.create(blocks) as Blocks, {
    dir,
    async [Symbol.asyncDispose]() {
      await blocks[Symbol.asyncDispose]()
      await rm(dir, { recursive: true, force: true })
    },
  })
}

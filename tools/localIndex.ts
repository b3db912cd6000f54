/** Files on this disk as a data set that is indexed, with no registry and no account. */
import { randomBytes } from 'node:crypto'
import { hashLocalFile, type HashedFile, type LocalFile, readLocalFile, totalBytes } from '../cli/localFiles.ts'
import { buildManifest, type Description } from '../cli/publication.ts'
import { encodeDocument, type Encoded } from '../core/documents/document.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import { signerFromSeed } from '../core/keys.ts'
import { buildIndex } from '../indexer/buildIndex.ts'
import type { Blocks } from '../store/blocks.ts'
import type { Progress } from '../store/jobs.ts'

export interface LocalIndex {
  manifest: Encoded<Manifest>
  index: Encoded<SampleIndex>
}

export interface LocalIndexOptions {
  /** Hold the index; the files stay where they are. */
  blocks: Blocks
  scratchDir: string
  signal: AbortSignal
  onProgress: (progress: Progress) => void
}

/** Indexes files as a node does. Throws what the readers say of files that cannot be indexed. */
export async function indexLocally(files: readonly LocalFile[], description: Description, options: LocalIndexOptions): Promise<LocalIndex> {
  const { scratchDir, signal, onProgress } = options
  const hashed: HashedFile[] = []
  const total = totalBytes(files)
  let done = 0
  for (const file of files)
    hashed.push(await hashLocalFile(file, signal, (count) => onProgress({ stage: 'reading', done: (done += count), total })))
  const blocks = withFiles(options.blocks, hashed)
  // Its author and date decide nothing in a report; nobody signs it.
  const by = { signer: signerFromSeed(randomBytes(32)), createdAt: new Date().toISOString() }
  const manifest = buildManifest(hashed, description, by)
  const index = await buildIndex({ blocks, hash: blocks.hash, manifest, signal, onProgress, scratchDir })
  return { manifest, index: encodeDocument('index', index, blocks.hash) }
}

/** The blocks, and files that are read where they lie instead of being copied. */
function withFiles(blocks: Blocks, files: readonly HashedFile[]): Blocks {
  const byCid = new Map(files.map((file) => [file.object.cid.toString(), file]))
  return {
    ...blocks,
    async *readFile(cid, { signal = new AbortController().signal, ...range } = {}) {
      const file = byCid.get(cid.toString())
      if (file === undefined) yield* blocks.readFile(cid, { signal, ...range })
      // A reader may hold on to what the next piece is read into.
      else for await (const piece of readLocalFile(file, signal, range)) yield piece.slice()
    },
  }
}

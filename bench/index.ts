/**
 * Rows a second of building an index (canonical encodings, digests, sample tree, digest table, statistics, Arrow shards in durable blocks),
 * against what its reader alone takes for the same file: columns inferred, every row read. For JSON Lines and Parquet.
 *
 *     node bench/index.ts [--rows 10000] [--rounds 5]
 */
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Encoded, encodeDocument } from '../core/documents/document.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import { signerFromSeed } from '../core/keys.ts'
import { buildDirectory } from '../core/unixfs/directory.ts'
import { buildIndex } from '../indexer/buildIndex.ts'
import { readerOf } from '../indexer/formats.ts'
import type { SourceFile } from '../indexer/readers/reader.ts'
import { createSchemaMerger } from '../indexer/schema.ts'
import { type Blocks, openBlocks } from '../store/blocks.ts'
import { compare } from './support/measurement.ts'
import { openWorkspace, report, sizesFrom } from './support/program.ts'
import { writeJsonl, writeParquet } from './support/rows.ts'

const PIECE_BYTES = 1024 * 1024
const SEED = 1

const { rows, rounds } = sizesFrom({ rows: 10_000, rounds: 5 })
const { signal } = new AbortController()
await using workspace = await openWorkspace()

const jsonl = join(workspace.dir, 'rows.jsonl')
await measureIndex('index JSONL', jsonl, await writeJsonl(jsonl, SEED, { rows }))
const parquet = join(workspace.dir, 'rows.parquet')
await measureIndex('index Parquet', parquet, await writeParquet(parquet, SEED, rows))

async function measureIndex(name: string, path: string, sizeBytes: number): Promise<void> {
  const blocksDir = join(workspace.dir, 'blocks')
  let blocks: Blocks | undefined
  let manifest: Encoded<Manifest> | undefined
  report(
    await compare({
      name,
      unit: 'rows/s',
      subject: {
        // New blocks in every round: those that are there already are not written again.
        async prepare() {
          await blocks?.[Symbol.asyncDispose]()
          await rm(blocksDir, { recursive: true, force: true })
          blocks = await openBlocks({ dir: blocksDir })
          manifest = await importFile(blocks, path)
        },
        async run() {
          const index = await buildIndex({ blocks: blocks!, hash: blocks!.hash, manifest: manifest!, signal, scratchDir: workspace.dir })
          return index.sampleCount
        },
      },
      floor: { run: () => readRows(path) },
      against: 'its reader alone',
      size: `${rows} rows, ${(sizeBytes / 1e6).toFixed(1)} MB`,
      rounds,
    }),
  )
  await blocks?.[Symbol.asyncDispose]()
}

async function importFile(blocks: Blocks, path: string): Promise<Encoded<Manifest>> {
  await using file = await open(path)
  const { cid, sizeBytes, sha256 } = await blocks.importFile(file.createReadStream({ highWaterMark: PIECE_BYTES, autoClose: false }))
  const files = [{ path: path.slice(path.lastIndexOf('/') + 1), cid, sizeBytes, sha256 }]
  return encodeDocument('manifest', {
    kind: 'manifest',
    version: 1,
    name: 'bench/rows',
    author: signerFromSeed(new Uint8Array(32).fill(1)).did,
    createdAt: '2026-11-20T06:00:00.000Z',
    root: buildDirectory(files),
    sizeBytes,
    files,
    license: 'CC0-1.0',
    sources: [],
    synthetic: { share: 'all', generators: [] },
  })
}

async function readRows(path: string): Promise<number> {
  const reader = readerOf(path)!
  const file = await localSource(path)
  const merger = createSchemaMerger()
  merger.add(path, await reader.infer(file, { textUnit: 'line', signal }))
  let count = 0
  for await (const block of reader.read(file, merger.schema(), { textUnit: 'line', signal })) count += block.length
  return count
}

/** A file as readers take it, straight from the disk. */
async function localSource(path: string): Promise<SourceFile> {
  const { size: sizeBytes } = await stat(path)
  return {
    path,
    sizeBytes,
    async *bytes({ offset, length } = { offset: 0, length: sizeBytes }) {
      await using file = await open(path)
      for (let done = 0; done < length;) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(Math.min(PIECE_BYTES, length - done)), 0, undefined, offset + done)
        if (bytesRead === 0) return
        done += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
  }
}

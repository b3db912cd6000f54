/**
 * From a manifest to its index. Two passes over the files: the first learns one schema for all rows and meets most of what may be wrong
 * with them, the second writes samples. The result depends on the manifest alone, to the byte.
 */
import { tmpdir } from 'node:os'
import { bytesToHex } from '../core/bytes.ts'
import type { CID } from '../core/cid.ts'
import type { Encoded } from '../core/documents/document.ts'
import type { FileObject, Manifest } from '../core/documents/manifest.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import type { Sha256 } from '../core/hash.ts'
import { createTreeBuilder } from '../core/merkle/builder.ts'
import { leafHash } from '../core/merkle/tree.ts'
import { Problem } from '../core/problem.ts'
import { sampleDigest } from '../core/samples/encoding.ts'
import type { Schema } from '../core/samples/schema.ts'
import type { Row } from '../core/samples/value.ts'
import type { Blocks } from '../store/blocks.ts'
import { createDigestTable } from './digestTable.ts'
import { createFileSink, type FileSink } from './fileSink.ts'
import { chooseReaders } from './formats.ts'
import { learnImageFolder } from './imageFolder.ts'
import { image } from './readers/image.ts'
import type { Reader, ReaderOptions, SourceFile } from './readers/reader.ts'
import { createSchemaMerger } from './schema.ts'
import { createShardWriter } from './shardWriter.ts'
import { createStatistics } from './statistics.ts'

export interface BuildIndexOptions {
  blocks: Blocks
  hash: Sha256
  manifest: Encoded<Manifest>
  signal: AbortSignal
  /** What is being done, and how many of how many bytes of the files are. */
  onProgress?: (progress: { stage: string; done: number; total: number }) => void
  /** For sorting more digests than memory should hold. Default: the system's directory for temporary files. */
  scratchDir?: string
}

interface Source {
  file: SourceFile
  reader: Reader
}

/**
 * Builds the index and stores what it links to (not pinned). Throws a `Problem` that names file, row and column for data that cannot be
 * indexed, and what `blocks` throws.
 */
export async function buildIndex(options: BuildIndexOptions): Promise<SampleIndex> {
  const { blocks, manifest, signal } = options
  const { readable, metadata, skipped } = chooseReaders(manifest.document.files)
  const total = readable.reduce((sum, { file }) => sum + file.sizeBytes, 0)
  const readerOptions: ReaderOptions = { textUnit: manifest.document.textUnit ?? 'line', signal }

  function sourcesFor(stage: string, files = readable): Source[] {
    let done = 0
    const onBytes = (bytes: number) => options.onProgress?.({ stage, done: Math.min(total, (done += bytes)), total })
    return files.map(({ file, reader }) => ({ reader, file: sourceFile(blocks, file, signal, onBytes) }))
  }

  const merger = createSchemaMerger()
  for (const { file, reader } of sourcesFor('learning columns')) merger.add(file.path, await reader.infer(file, readerOptions))
  const images = readable.filter(({ reader }) => reader === image).map(({ file }) => file.path)
  const folder = await learnImageFolder(images, sourcesFor('reading metadata', metadata), readerOptions)
  for (const { path, fields } of folder.columns) merger.add(path, fields)
  const schema = merger.schema()
  const annotate = await folder.annotator(schema)
  const samples = await writeSamples(options, { schema, annotate, sources: sourcesFor('writing samples'), readerOptions })
  return {
    kind: 'index',
    version: 1,
    manifest: manifest.cid,
    schema,
    ...samples,
    skippedFiles: skipped.map((file) => file.path),
  }
}

type WrittenSamples = Omit<SampleIndex, 'kind' | 'version' | 'manifest' | 'schema' | 'skippedFiles'>

interface Material {
  schema: Schema
  sources: readonly Source[]
  /** Adds to a row of a file what is known of it from elsewhere. */
  annotate: (path: string, row: Row) => Row
  readerOptions: ReaderOptions
}

async function writeSamples(
  { blocks, hash, scratchDir = tmpdir() }: BuildIndexOptions,
  { schema, annotate, sources, readerOptions }: Material,
): Promise<WrittenSamples> {
  await using digests = createDigestTable(scratchDir)
  const levels: FileSink[] = []
  const tree = createTreeBuilder({ hash, onTile: (level, bytes) => (levels[level] ??= createFileSink(blocks)).write(bytes) })
  const statistics = createStatistics(schema)
  const shards = createShardWriter({ blocks, schema, onBatch: (rows, batch) => statistics.add(rows, batch) })
  const files: SampleIndex['files'] = []
  let encodedBytes = 0
  const measuringHash: Sha256 = (bytes) => {
    encodedBytes = bytes.length
    return hash(bytes)
  }

  try {
    let sampleCount = 0
    for (const { file, reader } of sources) {
      const firstSample = sampleCount
      for await (const rows of reader.read(file, schema, readerOptions)) {
        for (const bare of rows) {
          const row = annotate(file.path, bare)
          const digest = namingRow(file, sampleCount - firstSample, () => sampleDigest(row, measuringHash))
          tree.push(leafHash(digest, hash))
          digests.push(digest)
          sampleCount++
          const written = shards.push(row, encodedBytes)
          if (written !== undefined) await written
        }
        await digests.ready()
        for (const level of levels) await level.ready()
      }
      files.push({ path: file.path, firstSample, sampleCount: sampleCount - firstSample })
    }
    if (sampleCount === 0) throw new Problem('invalid-file', 'the data set is empty: no file has a row')
    const { rootHash } = tree.finish()
    return {
      sampleCount,
      files,
      shards: await shards.finish(),
      tree: { rootHash: bytesToHex(rootHash), levels: await finishAll(levels) },
      digestTable: (await blocks.importFile(digests.records())).cid,
      statistics: statistics.finish(),
    }
  } catch (error) {
    await Promise.all([shards.abort(), ...levels.map((level) => level.abort())])
    throw error
  }
}

async function finishAll(sinks: readonly FileSink[]): Promise<CID[]> {
  const cids: CID[] = []
  for (const sink of sinks) cids.push((await sink.finish()).cid)
  return cids
}

function sourceFile(
  blocks: Blocks,
  { path, cid, sizeBytes }: FileObject,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): SourceFile {
  return {
    path,
    sizeBytes,
    async *bytes(range) {
      for await (const piece of blocks.readFile(cid, { ...range, signal })) {
        onBytes(piece.length)
        yield piece
      }
    },
  }
}

function namingRow<T>(file: SourceFile, row: number, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    throw new Problem(cause.code, `${file.path} row ${row + 1}: ${cause.detail}`, { cause })
  }
}

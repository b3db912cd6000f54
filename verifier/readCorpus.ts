/** Reading the columns that detectors look at from an index's shards and digest table. */
import { hexToBytes } from '../core/bytes.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import { DIGEST_LENGTH } from '../core/hash.ts'
import { rowReader } from '../core/samples/arrow.ts'
import type { Blocks } from '../store/blocks.ts'
import { digestRecords, RECORD_BYTES, sampleOf } from '../store/digestTable.ts'
import { openSamples } from '../store/samples.ts'
import { type ChosenColumns, labelOf, textOf } from './columns.ts'
import type { CorpusColumns } from './corpus.ts'

export interface ReadCorpusOptions {
  blocks: Blocks
  index: SampleIndex
  manifest: Manifest
  columns: ChosenColumns
  signal: AbortSignal
  /** Hears how many samples were read. */
  onProgress: (samples: number) => void
}

export async function readCorpus({ blocks, index, manifest, columns, signal, onProgress }: ReadCorpusOptions): Promise<CorpusColumns> {
  const texts: (string | null)[] = []
  const labels: (string | null)[] = []
  const responses: (string | null)[] = []
  const read = index.schema.filter(({ name }) => name === columns.text || name === columns.label || name === columns.response)
  for await (const batch of openSamples(blocks, index).rows()) {
    signal.throwIfAborted()
    const rowAt = rowReader(read, batch)
    for (let i = 0; i < batch.numRows; i++) {
      const row = rowAt(i)
      texts.push(columns.text === null ? null : textOf(row[columns.text]))
      labels.push(columns.label === null ? null : labelOf(row[columns.label]))
      if (columns.response !== null) responses.push(textOf(row[columns.response]))
    }
    onProgress(texts.length)
  }
  return {
    texts,
    labels,
    ...(columns.response === null ? {} : { responses }),
    digests: await readDigests(blocks, index, signal),
    language: manifest.language ?? null,
    domain: manifest.domain ?? null,
    seed: hexToBytes(index.tree.rootHash),
  }
}

/** The digests of all samples, by number: the digest table is sorted by digest. */
async function readDigests(blocks: Blocks, index: SampleIndex, signal: AbortSignal): Promise<Uint8Array> {
  const digests = new Uint8Array(index.sampleCount * DIGEST_LENGTH)
  for await (const records of digestRecords(blocks, index.digestTable, signal))
    for (let offset = 0; offset < records.byteLength; offset += RECORD_BYTES)
      digests.set(new Uint8Array(records.buffer, records.byteOffset + offset, DIGEST_LENGTH), sampleOf(records, offset) * DIGEST_LENGTH)
  return digests
}

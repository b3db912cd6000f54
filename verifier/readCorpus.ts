/** Reading the columns that detectors look at from an index's shards and digest table. */
import { hexToBytes } from '../core/bytes.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import { DIGEST_LENGTH } from '../core/hash.ts'
import { rowReader } from '../core/samples/arrow.ts'
import type { Blocks } from '../store/blocks.ts'
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

const RECORD_BYTES = DIGEST_LENGTH + 8

/** The digests of all samples, by number: the digest table is sorted by digest. */
async function readDigests(blocks: Blocks, index: SampleIndex, signal: AbortSignal): Promise<Uint8Array> {
  const digests = new Uint8Array(index.sampleCount * DIGEST_LENGTH)
  let rest = new Uint8Array(0)
  for await (const piece of blocks.readFile(index.digestTable, { signal })) {
    const bytes = new Uint8Array(rest.length + piece.length)
    bytes.set(rest)
    bytes.set(piece, rest.length)
    const view = new DataView(bytes.buffer)
    let offset = 0
    for (; offset + RECORD_BYTES <= bytes.length; offset += RECORD_BYTES) {
      const sample = Number(view.getBigUint64(offset + DIGEST_LENGTH))
      digests.set(bytes.subarray(offset, offset + DIGEST_LENGTH), sample * DIGEST_LENGTH)
    }
    rest = bytes.subarray(offset)
  }
  return digests
}

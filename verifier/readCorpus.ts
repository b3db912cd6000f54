/** Reading the columns that detectors look at from an index's shards and digest table. */
import { hexToBytes } from '../core/bytes.ts'
import type { Manifest } from '../core/documents/manifest.ts'
import type { SampleIndex } from '../core/documents/sampleIndex.ts'
import { DIGEST_LENGTH } from '../core/hash.ts'
import { rowReader } from '../core/samples/arrow.ts'
import type { Schema } from '../core/samples/schema.ts'
import { columnIndex } from '../core/samples/columnReader.ts'
import type { Blocks } from '../store/blocks.ts'
import { digestRecords, RECORD_BYTES, sampleOf } from '../store/digestTable.ts'
import { openSamples, type Samples } from '../store/samples.ts'
import { bytesOf, type ChosenColumns, labelOf, textOf } from './columns.ts'
import type { CorpusColumns } from './corpus.ts'
import { createImageReader } from './images/readImages.ts'
import { createTextTable } from './text/textTable.ts'
import { createSurveyor, isSurveyed, type SurveyOptions } from './quality/survey.ts'

export interface ReadCorpusOptions {
  blocks: Blocks
  index: SampleIndex
  manifest: Manifest
  columns: ChosenColumns
  /** Whether all columns are looked at, and how far. */
  survey?: Pick<SurveyOptions, 'phoneLookups' | 'keptValues'> | undefined
  signal: AbortSignal
  /** Hears how many samples were read. */
  onProgress: (samples: number) => void
}

export async function readCorpus(options: ReadCorpusOptions): Promise<CorpusColumns> {
  const { blocks, index, manifest, columns, signal, onProgress } = options
  const texts = createTextTable()
  const labels: (string | null)[] = []
  const responses = createTextTable()
  const { text, image, label, response } = columns
  const language = manifest.language ?? null
  const surveyor =
    options.survey === undefined
      ? null
      : createSurveyor({ schema: index.schema, sampleCount: index.sampleCount, text, label, response, language, ...options.survey })
  const read = index.schema.filter(
    ({ name, type }) => name === text || name === image || name === label || name === response || (surveyor !== null && isSurveyed(type)),
  )
  await using images = createImageReader(index.sampleCount)
  const opaque =
    surveyor === null ? [] : index.schema.filter((field) => !read.includes(field) || (field.name === image && !isSurveyed(field.type)))
  for await (const batch of openSamples(blocks, index).rows()) {
    signal.throwIfAborted()
    for (const { name } of opaque) {
      const column = batch.data.children[columnIndex(batch.schema.fields, name)]
      surveyor?.addOpaque(name, { first: texts.count, count: batch.numRows, isPresent: (i) => column?.getValid(i) === true })
    }
    const rowAt = rowReader(read, batch)
    for (let i = 0; i < batch.numRows; i++) {
      const row = rowAt(i)
      const bytes = image === null ? null : bytesOf(row[image])
      if (bytes !== null) await images.add(texts.count, bytes)
      texts.push(text === null ? null : textOf(row[text]))
      labels.push(label === null ? null : labelOf(row[label]))
      if (response !== null) responses.push(textOf(row[response]))
      surveyor?.add(row)
    }
    onProgress(texts.count)
  }
  return {
    texts: texts.parts(),
    labels,
    ...(response === null ? {} : { responses: responses.parts() }),
    ...(image === null ? {} : { images: await images.finish() }),
    digests: await readDigests(blocks, index, signal),
    language,
    domain: manifest.domain ?? null,
    ...(surveyor === null ? {} : { survey: surveyor.survey }),
    seed: hexToBytes(index.tree.rootHash),
  }
}

/** The images of samples in their order, all of them unless told from where to where; null where a sample has none. */
export async function* readImages(
  samples: Samples,
  schema: Schema,
  column: string,
  { from, to }: { from?: number; to?: number } = {},
): AsyncGenerator<Uint8Array | null> {
  const read = schema.filter(({ name }) => name === column)
  for await (const batch of samples.rows(from, to)) {
    const rowAt = rowReader(read, batch)
    for (let i = 0; i < batch.numRows; i++) yield bytesOf(rowAt(i)[column])
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

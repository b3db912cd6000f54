/**
 * The embed job: the vectors of one shard of an index. Vectors of samples that are known are copied; the model sees only what is new,
 * and of equal texts one. The order of writes: the artifact's blocks durable → pinned → the shard's row. A worker that dies in
 * between leaves blocks that nobody names, and the shard is made again.
 */
import type { CID } from '../../core/cid.ts'
import type { SampleIndex } from '../../core/documents/sampleIndex.ts'
import { rowReader } from '../../core/samples/arrow.ts'
import type { Blocks } from '../../store/blocks.ts'
import { loadDocument } from '../../store/documents.ts'
import { embeddedSamples, embeddingShards, findEmbeddingPlan, saveEmbeddingShard } from '../../store/embeddings.ts'
import type { JobHandler } from '../../store/jobs.ts'
import { openSamples, type Samples } from '../../store/samples.ts'
import { isImageColumn, textOf } from '../columns.ts'
import { createVectors, storeVectors, type Vectors } from '../embedding/artifact.ts'
import type { OpenEmbedder } from '../embedding/embedder.ts'
import { embedPresent } from '../embedding/imageEmbedder.ts'
import { readImages } from '../readCorpus.ts'
import { copyRow, createKnownVectors } from './knownVectors.ts'
import type { ShardContext } from './planJob.ts'

/** The handler of `embed` jobs. */
export function createEmbedHandler({ db, blocks, model }: ShardContext): JobHandler {
  const known = createKnownVectors({ db, blocks, model })
  const indices = createIndexCache(blocks)

  return async ({ subject, key: jobKey }, { signal, progress }) => {
    const key = { index: subject, model: model.key }
    const firstSample = Number(jobKey.split('/')[2])
    const plan = await findEmbeddingPlan(db, key)
    if (plan === null || !(firstSample < plan.sampleCount)) throw new RangeError(`${jobKey} is not a shard of a planned index`)
    if ((await embeddingShards(db, key, firstSample, firstSample + 1)).length > 0) return
    const sampleCount = Math.min(plan.shardSamples, plan.sampleCount - firstSample)
    const before = await embeddedSamples(db, key)
    const index = await indices.open(subject)
    const images = isImageColumn(index.index.schema, plan.textColumn!) ? model.images : undefined
    const tell = (done: number) =>
      progress({
        stage: images === undefined ? 'embedding texts' : 'embedding images',
        done: Math.min(plan.sampleCount, before + done),
        total: plan.sampleCount,
      })
    tell(0)

    const vectors = createVectors(sampleCount, (images ?? model).columns)
    const { done, artifact } = await known.copy(plan, firstSample, vectors)
    signal.throwIfAborted()
    let copiedSamples = count(done)
    if (copiedSamples < sampleCount && images !== undefined) {
      await images.use(async (runtime) =>
        embedPresent(runtime, imagesToEmbed(index, { column: plan.textColumn!, firstSample, done }), signal, (row, vector) => {
          if (vector === null) return
          const computed: Vectors = { valid: Uint8Array.of(1), columns: [{ ...vectors.columns[0]!, values: new Float16Array(vector) }] }
          assertFinite(computed)
          copyRow(computed, 0, vectors, row)
          tell(copiedSamples + row + 1)
        }),
      )
    } else if (copiedSamples < sampleCount) {
      const texts = await readTexts(index, { column: plan.textColumn!, firstSample, done })
      const { rows, unique } = distinct(texts)
      if (unique.length > 0) await model.use((opened) => compute(opened, unique))
      for (const { row, equal } of rows) {
        copyRow(vectors, equal, vectors, row)
        copiedSamples++
      }
    }

    const cid = artifact ?? (await storeVectors(blocks, model.key, vectors))
    await blocks.pin(cid)
    await saveEmbeddingShard(db, key, { firstSample, sampleCount, cid, copiedSamples })

    async function compute(opened: OpenEmbedder, wanted: readonly WantedText[]): Promise<void> {
      let start = 0
      for await (const { vectors: embeddings, layers, valid } of opened.embed([wanted.map(({ text }) => text)], signal)) {
        const computed: Vectors = {
          valid,
          columns: [embeddings, ...layers].map((values, i) => ({ ...vectors.columns[i]!, values: new Float16Array(values) })),
        }
        assertFinite(computed)
        for (let i = 0; i < valid.length; i++) copyRow(computed, i, vectors, wanted[start + i]!.row)
        start += valid.length
        tell(copiedSamples + start)
      }
    }
  }
}

interface WantedText {
  row: number
  text: string
}

/** The texts of those samples that are not done; null where there is none to embed. */
async function readTexts(
  { index, samples }: OpenIndex,
  { column, firstSample, done }: { column: string; firstSample: number; done: Uint8Array },
): Promise<(string | null)[]> {
  const texts: (string | null)[] = []
  const read = index.schema.filter(({ name }) => name === column)
  for await (const batch of samples.rows(firstSample, firstSample + done.length)) {
    const rowAt = rowReader(read, batch)
    for (let i = 0; i < batch.numRows; i++) {
      const text = done[texts.length] === 1 ? null : textOf(rowAt(i)[column])
      texts.push(text !== null && /\S/.test(text) ? text : null)
    }
  }
  return texts
}

/** The images of those samples that are not done; null where there is none to embed. */
async function* imagesToEmbed(
  { index, samples }: OpenIndex,
  { column, firstSample, done }: { column: string; firstSample: number; done: Uint8Array },
): AsyncGenerator<Uint8Array | null> {
  let row = 0
  for await (const image of readImages(samples, index.schema, column, { from: firstSample, to: firstSample + done.length }))
    yield done[row++] === 1 ? null : image
}

/** Each text once, and the rows whose text equals that of an earlier row. */
function distinct(texts: readonly (string | null)[]): { unique: WantedText[]; rows: { row: number; equal: number }[] } {
  const first = new Map<string, number>()
  const unique: WantedText[] = []
  const rows: { row: number; equal: number }[] = []
  for (const [row, text] of texts.entries()) {
    if (text === null) continue
    const equal = first.get(text)
    if (equal !== undefined) {
      rows.push({ row, equal })
      continue
    }
    first.set(text, row)
    unique.push({ row, text })
  }
  return { unique, rows }
}

/** Exponent bits of half precision: all ones in what is infinite or no number. */
const HALF_EXPONENT = 0x7c00

function assertFinite({ columns }: Vectors): void {
  for (const { name, values } of columns)
    for (const bits of new Uint16Array(values.buffer))
      if ((bits & HALF_EXPONENT) === HALF_EXPONENT)
        throw new RangeError(`the model's output "${name}" has what is no number at half precision`)
}

interface OpenIndex {
  index: SampleIndex
  samples: Samples
}

const OPEN_INDICES = 4

/** Indices whose shards were embedded last: the next shard is mostly one of theirs. */
function createIndexCache(blocks: Blocks) {
  const opened = new Map<string, Promise<OpenIndex>>()
  async function load(cid: CID): Promise<OpenIndex> {
    const { document: index } = await loadDocument(blocks, 'index', cid)
    return { index, samples: openSamples(blocks, index) }
  }
  return {
    open(cid: CID): Promise<OpenIndex> {
      const name = cid.toString()
      const loading = opened.get(name) ?? load(cid)
      opened.delete(name)
      opened.set(name, loading)
      loading.catch(() => opened.delete(name))
      if (opened.size > OPEN_INDICES) opened.delete(opened.keys().next().value!)
      return loading
    },
  }
}

function count(bits: Uint8Array): number {
  return bits.reduce((sum, bit) => sum + bit, 0)
}

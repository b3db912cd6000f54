/**
 * The embedding step of a verification: a model, obtained and opened when it is needed and closed after it, so that a verifier at rest
 * holds no weights in memory.
 */
import { availableParallelism } from 'node:os'
import type { ModelReference } from '../../core/documents/recipe.ts'
import { type ModelManifest, referenceOf, type TextModel } from '../../core/models.ts'
import type { Embeddings } from '../detectors/detector.ts'
import { vectorsInMemory } from '../vectors.ts'
import { createEmbeddings } from './embeddings.ts'
import { type EnsureModelOptions, ensureModel } from './modelCache.ts'
import { createTurns, type EmbeddingBlock, type EmbedOptions, embedTexts } from './pipeline.ts'
import { type RuntimeOptions, openRuntime } from './runtime.ts'
import { openTokenizer } from './tokenizer.ts'
import { openTokenizerPool } from './tokenizerPool.ts'

/** Texts by number, read in order and once; a corpus is one. */
export interface TextSource {
  readonly count: number
  text(sample: number): string | null
}

export interface EmbedderOptions extends Omit<RuntimeOptions, 'layers'>, Omit<EnsureModelOptions, 'signal' | 'onProgress'> {
  manifest: ModelManifest<TextModel>
}

export interface EmbedCorpusOptions {
  signal: AbortSignal
  /** Inner layers too. */
  layers?: boolean
  /** Rounds what comes out as it is stored (artifact.ts), so that reports are the same from an embedder and from shards. */
  halfPrecision?: boolean
  onProgress?: (share: number) => void
}

export interface Embedder {
  /** As it stands in the recipe. */
  readonly reference: ModelReference
  /**
   * Embeds every text; those that are missing or blank get no embedding. `onProgress` hears the share of texts that are done. With
   * `layers` the statistics of the model's inner layers come along: several times the memory. Throws `unavailable` where the model or
   * the device cannot be had.
   */
  embed(texts: TextSource, options: EmbedCorpusOptions): Promise<Embeddings>
  /** Opens model and device for texts that come as a stream. Throws as `embed` does. */
  open(options: { signal: AbortSignal; layers?: boolean }): Promise<OpenEmbedder>
}

/** A model on its device. */
export interface OpenEmbedder extends AsyncDisposable {
  /** Embeds texts in their order; null where a sample has none (pipeline.ts). */
  embed(texts: EmbedOptions['texts'], signal: AbortSignal): AsyncGenerator<EmbeddingBlock>
}

const TEXTS_A_GROUP = 256
const MAX_TOKENIZER_THREADS = 8

/** All cores but the one that feeds the device. */
function tokenizerThreads(threads = availableParallelism()): number {
  return Math.max(1, Math.min(MAX_TOKENIZER_THREADS, threads - 1))
}

/** An embedder for one model on one device. Nothing is opened or fetched before the first text is to be embedded. */
export function createEmbedder(options: EmbedderOptions): Embedder {
  const { manifest, mode } = options
  const { dimensions, layers: modelLayers } = manifest.model
  const open: Embedder['open'] = async ({ signal, layers }) => {
    const model = await ensureModel(manifest, { ...options, signal })
    await using opening = new AsyncDisposableStack()
    // The CPU embeds some hundred texts a second, and one thread tokenises ten thousand; a GPU wants more of them.
    const tokenizer =
      options.device === 'cpu' ? await openTokenizer(model) : opening.use(await openTokenizerPool(model, tokenizerThreads(options.threads)))
    const runtime = opening.use(await openRuntime(model, { ...options, layers }))
    const opened = opening.move()
    const turns = createTurns()
    return {
      embed: (texts, stop) => embedTexts({ runtime, tokenizer, texts, turns, signal: stop }),
      [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose](),
    }
  }
  return {
    reference: referenceOf(manifest.model, mode),
    open,
    async embed(texts, { signal, layers: withLayers = false, halfPrecision = false, onProgress }) {
      const round = (values: Float32Array) => (halfPrecision ? new Float16Array(values) : values)
      const vectors = new Float32Array(texts.count * dimensions)
      const valid = new Uint8Array(texts.count)
      const layers = (withLayers ? modelLayers : []).map(({ name, width }) => ({
        name,
        width,
        values: new Float32Array(texts.count * 2 * width),
      }))
      await using opened = await open({ signal, layers: withLayers })
      let start = 0
      for await (const block of opened.embed(groupsOf(texts), signal)) {
        vectors.set(round(block.vectors), start * dimensions)
        for (const [i, { values, width }] of layers.entries()) values.set(round(block.layers[i]!), start * 2 * width)
        valid.set(block.valid, start)
        start += block.valid.length
        onProgress?.(start / texts.count)
      }
      return createEmbeddings({
        vectors: vectorsInMemory(vectors, dimensions),
        valid,
        layers: layers.map(({ name, width, values }) => ({ name, ...vectorsInMemory(values, 2 * width) })),
        device: options.device,
        threads: options.threads,
        signal,
      })
    },
  }
}

function* groupsOf(texts: TextSource): Generator<(string | null)[]> {
  for (let start = 0; start < texts.count; start += TEXTS_A_GROUP) {
    const length = Math.min(TEXTS_A_GROUP, texts.count - start)
    yield Array.from({ length }, (_, i) => {
      const text = texts.text(start + i)
      return text !== null && /\S/.test(text) ? text : null
    })
  }
}

/** An embedder that gives what stored embeddings give: the source of reports that are computed outside of an installation. */
export function asStored(embedder: Pick<Embedder, 'reference' | 'embed'>): Pick<Embedder, 'reference' | 'embed'> {
  return { reference: embedder.reference, embed: (texts, options) => embedder.embed(texts, { ...options, halfPrecision: true }) }
}

/**
 * The embedding step of a verification: a model, obtained and opened when it is needed and closed after it, so that a verifier at rest
 * holds no weights in memory.
 */
import type { ModelReference } from '../../core/documents/recipe.ts'
import type { Embeddings } from '../detectors/detector.ts'
import { createEmbeddings } from './embeddings.ts'
import { type EnsureModelOptions, ensureModel } from './modelCache.ts'
import type { ModelManifest } from './models.ts'
import { embedTexts } from './pipeline.ts'
import { type RuntimeOptions, openRuntime } from './runtime.ts'
import { openTokenizer } from './tokenizer.ts'

/** Texts by number, read in order and once; a corpus is one. */
export interface TextSource {
  readonly count: number
  text(sample: number): string | null
}

export interface EmbedderOptions extends RuntimeOptions, Omit<EnsureModelOptions, 'signal' | 'onProgress'> {
  manifest: ModelManifest
}

export interface Embedder {
  /** As it stands in the recipe. */
  readonly reference: ModelReference
  /**
   * Embeds every text; those that are missing or blank get no embedding. `onProgress` hears the share of texts that are done. Throws
   * `unavailable` where the model or the device cannot be had.
   */
  embed(texts: TextSource, options: { signal: AbortSignal; onProgress?: (share: number) => void }): Promise<Embeddings>
}

const TEXTS_A_GROUP = 256

/** An embedder for one model on one device. Nothing is opened or fetched before the first text is to be embedded. */
export function createEmbedder(options: EmbedderOptions): Embedder {
  const { manifest } = options
  const { dimensions } = manifest.reference
  return {
    reference: manifest.reference,
    async embed(texts, { signal, onProgress }) {
      const vectors = new Float32Array(texts.count * dimensions)
      const valid = new Uint8Array(texts.count)
      const directory = await ensureModel(manifest, { ...options, signal })
      const tokenizer = await openTokenizer(manifest, directory)
      await using runtime = await openRuntime(manifest, directory, options)
      let start = 0
      for await (const block of embedTexts({ runtime, tokenizer, texts: groupsOf(texts), signal })) {
        vectors.set(block.vectors, start * dimensions)
        valid.set(block.valid, start)
        start += block.valid.length
        onProgress?.(start / texts.count)
      }
      return createEmbeddings({ dimensions, vectors, valid, threads: options.threads, signal })
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

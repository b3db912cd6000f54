/** The ways of computing embeddings that are compared, and the embeddings that each gives. */
import type { ModelMode } from '../../core/documents/recipe.ts'
import type { ModelManifest, TextModel } from '../../core/models.ts'
import { type EnsureModelOptions, ensureModel } from '../embedding/modelCache.ts'
import type { Device, Optimization } from '../embedding/onnxRuntime.ts'
import { embedTexts } from '../embedding/pipeline.ts'
import { openRuntime } from '../embedding/runtime.ts'
import { openTokenizer } from '../embedding/tokenizer.ts'
import type { VectorSet } from './differences.ts'

export interface Configuration {
  device: Device
  mode: ModelMode
  threads: number
  optimization: Optimization
}

export interface EmbedWithOptions {
  manifest: ModelManifest<TextModel>
  models: Omit<EnsureModelOptions, 'mode' | 'signal'>
  texts: readonly string[]
  /** Ends early, with the texts that are done by then. */
  budgetMs: number
  signal: AbortSignal
}

/** Few, so that a slow device keeps to its budget. */
const TEXTS_A_STEP = 32

/** Embeddings of the texts, or of as many as the budget allows, in their order. Throws `unavailable` where the device cannot be used. */
export async function embedWith(
  configuration: Configuration,
  { manifest, models, texts, budgetMs, signal }: EmbedWithOptions,
): Promise<VectorSet> {
  const model = await ensureModel(manifest, { ...models, mode: configuration.mode, signal })
  const tokenizer = await openTokenizer(model)
  await using runtime = await openRuntime(model, configuration)
  const { dimensions } = runtime
  const vectors: Float32Array[] = []
  const deadline = performance.now() + budgetMs
  for (let first = 0; first < texts.length && (first === 0 || performance.now() < deadline); first += TEXTS_A_STEP)
    for await (const block of embedTexts({ runtime, tokenizer, texts: [texts.slice(first, first + TEXTS_A_STEP)], signal }))
      vectors.push(block.vectors)
  const all = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of vectors) {
    all.set(part, at)
    at += part.length
  }
  return { dimensions, vectors: all }
}

export function describeConfiguration({ device, mode, threads, optimization }: Configuration): string {
  return `${device} ${mode}${device === 'cpu' ? `, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : ''}${optimization === 'all' ? '' : `, optimisation ${optimization}`}`
}

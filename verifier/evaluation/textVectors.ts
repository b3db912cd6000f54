/**
 * The embedder of the bench: the real one behind a cache. A text's vectors are one or several named outputs: `embedding`, which detectors
 * get as their context's embeddings, and whatever inner layers the embedder gives besides.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { encodeDagJson } from '../../core/documents/document.ts'
import type { Embeddings, LayerStatistics } from '../detectors/detector.ts'
import type { Embedder, TextSource } from '../embedding/embedder.ts'
import { createEmbeddings } from '../embedding/embeddings.ts'
import { vectorsInMemory, type VectorSource } from '../vectors.ts'
import { openVectorCache, type VectorCache } from './vectorCache.ts'

/** Numbers for each text of a list. */
export interface Matrix {
  readonly dimensions: number
  /** count × dimensions; zeros where there is no text. */
  readonly vectors: Float32Array
  /** 1 where there is a text. */
  readonly valid: Uint8Array
}

export interface TextVectors {
  /** Names of the outputs that `matrix` knows: `embedding`, and `layer/NAME` for each inner layer. */
  readonly outputs: readonly string[]
  /** One output for texts. Throws a RangeError for a name that the embedder does not give. */
  matrix(texts: TextSource, output: string, signal: AbortSignal): Promise<Matrix>
  /** As detectors get them, with the inner layers where they are asked for. */
  embeddings(texts: TextSource, options: { layers: boolean; signal: AbortSignal }): Promise<Embeddings>
}

export interface TextVectorsOptions {
  embedder: Pick<Embedder, 'reference' | 'embed'>
  /** Holds a folder for each model, and in it one for each output. */
  cacheDir: string
  threads?: number | undefined
  onProgress: (share: number) => void
}

const EMBEDDING = 'embedding'
/** Texts that are embedded and then kept at once: what is lost when a run is broken off. */
const TEXTS_A_BATCH = 2048

interface Output {
  name: string
  dimensions: number
  /** Its numbers among what the embedder gave. */
  vectorsOf: (embeddings: Embeddings) => VectorSource | undefined
}

function outputsOf({ reference }: Pick<Embedder, 'reference'>): Output[] {
  return [
    { name: EMBEDDING, dimensions: reference.dimensions, vectorsOf: ({ vectors }) => vectors },
    ...reference.layers.map(({ name, width }, i): Output => ({
      name: `layer/${name}`,
      dimensions: 2 * width,
      vectorsOf: ({ layers }) => layers?.[i],
    })),
  ]
}

/** Vectors by the embedder, or from the cache where they have been made before. Caches are read when their output is first asked for. */
export function openTextVectors({ embedder, cacheDir, threads, onProgress }: TextVectorsOptions): TextVectors {
  const model = createHash('sha256').update(encodeDagJson(embedder.reference)).digest('hex')
  const outputs = outputsOf(embedder)
  const caches = new Map<string, Promise<VectorCache>>()
  const cacheOf = ({ name, dimensions }: Output) => {
    let cache = caches.get(name)
    if (cache === undefined) caches.set(name, (cache = openVectorCache(join(cacheDir, model, name), dimensions)))
    return cache
  }

  /** Embeds texts by their keys, and keeps the embedding, or with it all inner layers. */
  async function complete(missing: ReadonlyMap<string, string>, layers: boolean, signal: AbortSignal): Promise<void> {
    const texts = [...missing]
    for (let start = 0; start < texts.length; start += TEXTS_A_BATCH) {
      const batch = texts.slice(start, start + TEXTS_A_BATCH)
      const source = { count: batch.length, text: (i: number) => batch[i]![1] }
      const embeddings = await embedder.embed(source, {
        layers,
        signal,
        onProgress: (share) => onProgress((start + share * batch.length) / texts.length),
      })
      const keys = batch.map(([key]) => key)
      for (const output of outputs) {
        const vectors = output.vectorsOf(embeddings)
        if (vectors !== undefined) await (await cacheOf(output)).add(keys, await vectors.read(0, vectors.count))
      }
    }
  }

  async function matrix(texts: TextSource, name: string, signal: AbortSignal): Promise<Matrix> {
    const output = outputs.find((known) => known.name === name)
    if (output === undefined) throw new RangeError(`the embedder gives no output "${name}"`)
    const { dimensions } = output
    const cache = await cacheOf(output)
    const keys = Array.from({ length: texts.count }, (_, i) => {
      const text = texts.text(i)
      return text === null || !/\S/.test(text) ? null : createHash('sha256').update(text).digest('hex')
    })
    const missing = new Map<string, string>()
    for (const [i, key] of keys.entries()) if (key !== null && cache.get(key) === undefined) missing.set(key, texts.text(i)!)
    await complete(missing, name !== EMBEDDING, signal)
    const vectors = new Float32Array(texts.count * dimensions)
    const valid = new Uint8Array(texts.count)
    for (const [i, key] of keys.entries()) {
      if (key === null) continue
      vectors.set(cache.get(key)!, i * dimensions)
      valid[i] = 1
    }
    return { dimensions, vectors, valid }
  }

  return {
    outputs: outputs.map(({ name }) => name),
    matrix,
    async embeddings(texts, { layers: withLayers, signal }) {
      const layers: LayerStatistics[] = []
      for (const { name } of withLayers ? embedder.reference.layers : [])
        layers.push({ name, ...sourceOf(await matrix(texts, `layer/${name}`, signal)) })
      const embedding = await matrix(texts, EMBEDDING, signal)
      return createEmbeddings({ vectors: sourceOf(embedding), valid: embedding.valid, layers, threads, signal })
    },
  }
}

function sourceOf({ vectors, dimensions }: Matrix): VectorSource {
  return vectorsInMemory(vectors, dimensions)
}

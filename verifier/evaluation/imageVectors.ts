/** The image model of the bench behind a cache, opened with the first image that is not in it. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { encodeDagJson } from '../../core/documents/document.ts'
import { type ImageModel, type ModelManifest, referenceOf } from '../../core/models.ts'
import type { Embeddings } from '../detectors/detector.ts'
import { createEmbeddings } from '../embedding/embeddings.ts'
import { openImageRuntime } from '../embedding/imageRuntime.ts'
import { ensureModel } from '../embedding/modelCache.ts'
import { vectorsInMemory } from '../vectors.ts'
import type { EvalCorpus } from './evalCorpus.ts'
import { fileOf } from './imageRows.ts'
import { openVectorCache } from './vectorCache.ts'

export interface ImageVectors {
  embeddings(corpus: EvalCorpus, signal: AbortSignal): Promise<Embeddings>
}

export interface ImageVectorsOptions {
  manifest: ModelManifest<ImageModel>
  modelCache: string
  /** Holds a folder for each model. */
  cacheDir: string
  onProgress: (share: number) => void
}

export function openImageVectors({ manifest, modelCache, cacheDir, onProgress }: ImageVectorsOptions): ImageVectors {
  const { dimensions } = manifest.model
  const model = createHash('sha256')
    .update(encodeDagJson(referenceOf(manifest.model)))
    .digest('hex')
  return {
    async embeddings(corpus, signal) {
      const cache = await openVectorCache(join(cacheDir, model, 'embedding'), dimensions)
      const keys: (string | null)[] = []
      const missing = new Map<string, Uint8Array>()
      for (let sample = 0; sample < corpus.count; sample++) {
        const image = corpus.image(sample)
        const file = image === null ? null : await fileOf(image)
        const key = file === null ? null : createHash('sha256').update(file).digest('hex')
        keys.push(key)
        if (key !== null && cache.get(key) === undefined) missing.set(key, file!)
      }
      const found = new Map<string, Float32Array>()
      if (missing.size > 0) {
        await using runtime = await openImageRuntime(await ensureModel(manifest, { cacheDir: modelCache, signal }), { device: 'cpu' })
        const names = [...missing.keys()]
        let next = 0
        for await (const vector of runtime.embed(missing.values(), signal)) {
          if (vector instanceof Float32Array) found.set(names[next]!, new Float32Array(new Float16Array(vector)))
          onProgress(++next / names.length)
        }
        const vectors = new Float32Array(found.size * dimensions)
        for (const [i, vector] of [...found.values()].entries()) vectors.set(vector, i * dimensions)
        await cache.add([...found.keys()], vectors)
      }
      const vectors = new Float32Array(corpus.count * dimensions)
      const valid = new Uint8Array(corpus.count)
      for (const [sample, key] of keys.entries()) {
        const vector = key === null ? undefined : cache.get(key)
        if (vector === undefined) continue
        vectors.set(vector, sample * dimensions)
        valid[sample] = 1
      }
      return createEmbeddings({ vectors: vectorsInMemory(vectors, dimensions), valid, ofImages: true, signal })
    },
  }
}

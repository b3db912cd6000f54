/** The embedding step for images: as embedder.ts is for texts. Nothing is fetched or opened before the first image is to be embedded. */
import type { ModelReference } from '../../core/documents/recipe.ts'
import { type ImageModel, type ModelManifest, referenceOf } from '../../core/models.ts'
import type { Embeddings } from '../detectors/detector.ts'
import { vectorsInMemory } from '../vectors.ts'
import { createEmbeddings } from './embeddings.ts'
import { type ImageRuntime, openImageRuntime } from './imageRuntime.ts'
import { type EnsureModelOptions, ensureModel } from './modelCache.ts'
import type { DeviceOptions } from './sessions.ts'

/** Images of samples, read in order; null where a sample has none. */
export interface ImageSource {
  readonly count: number
  read(): AsyncIterable<Uint8Array | null> | Iterable<Uint8Array | null>
}

export interface ImageEmbedderOptions extends DeviceOptions, Omit<EnsureModelOptions, 'signal' | 'onProgress'> {
  manifest: ModelManifest<ImageModel>
}

export interface ImageEmbedder {
  /** As it stands in the recipe. */
  readonly reference: ModelReference
  /** Embeds every image, rounded as stored ones are; those that are missing or cannot be read get no embedding. Throws `unavailable`. */
  embed(images: ImageSource, options: { signal: AbortSignal; onProgress?: (share: number) => void }): Promise<Embeddings>
  /** Opens model and device for images that come as a stream. Throws `unavailable`. */
  open(options: { signal: AbortSignal }): Promise<ImageRuntime>
}

export function createImageEmbedder(options: ImageEmbedderOptions): ImageEmbedder {
  const { manifest, mode } = options
  const { dimensions } = manifest.model
  const open: ImageEmbedder['open'] = async ({ signal }) => openImageRuntime(await ensureModel(manifest, { ...options, signal }), options)
  return {
    reference: referenceOf(manifest.model, mode),
    open,
    async embed(images, { signal, onProgress }) {
      const { count } = images
      const vectors = new Float32Array(count * dimensions)
      const valid = new Uint8Array(count)
      await using runtime = await open({ signal })
      await embedPresent(runtime, images.read(), signal, (sample, vector) => {
        if (vector !== null) {
          vectors.set(new Float16Array(vector), sample * dimensions)
          valid[sample] = 1
        }
        onProgress?.((sample + 1) / count)
      })
      return createEmbeddings({
        vectors: vectorsInMemory(vectors, dimensions),
        valid,
        ofImages: true,
        device: options.device,
        threads: options.threads,
        signal,
      })
    },
  }
}

/** Embeds the images that are there; `found` hears the place of each in order, with null for one that cannot be read. */
export async function embedPresent(
  runtime: Pick<ImageRuntime, 'embed'>,
  images: AsyncIterable<Uint8Array | null> | Iterable<Uint8Array | null>,
  signal: AbortSignal,
  found: (place: number, vector: Float32Array | null) => void,
): Promise<void> {
  const places: number[] = []
  async function* present(): AsyncGenerator<Uint8Array> {
    let place = 0
    for await (const image of images) {
      if (image !== null) {
        places.push(place)
        yield image
      }
      place++
    }
  }
  let next = 0
  for await (const embedding of runtime.embed(present(), signal))
    found(places[next++]!, embedding instanceof Float32Array ? embedding : null)
}

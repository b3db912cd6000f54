/** Images to embeddings: decoded and scaled in threads, computed in batches on a device. */
import { availableParallelism } from 'node:os'
import type { ImageModel } from '../../core/models.ts'
import { Problem } from '../../core/problem.ts'
import { EMBEDDING_OUTPUT } from '../onnx/pooledGraph.ts'
import type { LocalModel } from './modelCache.ts'
import { type DeviceOptions, openSessions } from './sessions.ts'
import type { SessionBatch } from './sessionWorker.ts'
import { openWorkers } from './workers.ts'

/** An embedding, or why an image has none. */
export type ImageEmbedding = Float32Array | { refused: string }

export interface ImageRuntime extends AsyncDisposable {
  readonly dimensions: number
  /**
   * Embeds the bytes of images in their order; memory for a few batches. An image that cannot be read is refused with a reason, the
   * others go on. Rejects with the signal's reason when it is aborted.
   */
  embed(images: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, signal?: AbortSignal): AsyncGenerator<ImageEmbedding>
}

const BATCH_IMAGES = 16
/** A batch of larger images is smaller. */
const BATCH_BYTES = 32 * 1024 * 1024

/** Opens an image tower. Throws `unavailable` where the device cannot be used on this machine. */
export async function openImageRuntime({ model, graph }: LocalModel<ImageModel>, options: DeviceOptions): Promise<ImageRuntime> {
  const { dimensions, image } = model
  const size = 3 * image.width * image.height
  const shape = image.layout === 'nhwc' ? [image.height, image.width, 3] : [3, image.height, image.width]
  const feed = (rows: number, data: Float32Array<ArrayBuffer>): SessionBatch => ({
    rows,
    feeds: [{ name: model.input, type: 'float32', data, shape: [rows, ...shape] }],
  })
  const outputs = [{ name: EMBEDDING_OUTPUT, width: dimensions }]
  await using opening = new AsyncDisposableStack()
  const sessions = opening.use(await openSessions({ graph, outputs, trial: feed(1, new Float32Array(size)) }, options))
  const script = new URL('./imageWorker.ts', import.meta.url)
  const threads = Math.max(1, options.threads ?? availableParallelism())
  const decoders = opening.use(await openWorkers<Uint8Array, Float32Array<ArrayBuffer>>(script, image, threads))
  const opened = opening.move()

  async function embedBatch(images: readonly Uint8Array[]): Promise<ImageEmbedding[]> {
    const decoded = await Promise.all(images.map((bytes) => decoders.run(bytes).catch(refusal)))
    const good = decoded.filter((one) => one instanceof Float32Array)
    const tensor = new Float32Array(good.length * size)
    for (const [i, pixels] of good.entries()) tensor.set(pixels, i * size)
    const [vectors] = good.length === 0 ? [new Float32Array(0)] : await sessions.run(feed(good.length, tensor))
    let row = 0
    return decoded.map((one) => {
      if (!(one instanceof Float32Array)) return one
      const vector = vectors!.slice(row * dimensions, (row + 1) * dimensions)
      row++
      return vector
    })
  }

  return {
    dimensions,
    async *embed(images, signal) {
      let running: Promise<ImageEmbedding[]>[] = []
      try {
        for await (const batch of batchesOf(images)) {
          signal?.throwIfAborted()
          const embedding = embedBatch(batch)
          embedding.catch(() => undefined) // it is awaited in its turn
          running.push(embedding)
          // One more than are computed is decoded meanwhile.
          if (running.length > sessions.concurrency) yield* await running.shift()!
        }
        while (running.length > 0) {
          signal?.throwIfAborted()
          yield* await running.shift()!
        }
      } finally {
        await Promise.allSettled(running)
      }
    },
    [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose](),
  }
}

function refusal(error: unknown): { refused: string } {
  if (error instanceof Problem) return { refused: error.detail }
  throw error
}

async function* batchesOf(images: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let batch: Uint8Array[] = []
  let batchBytes = 0
  for await (const image of images) {
    batch.push(image)
    batchBytes += image.length
    if (batch.length < BATCH_IMAGES && batchBytes < BATCH_BYTES) continue
    yield batch
    batch = []
    batchBytes = 0
  }
  if (batch.length > 0) yield batch
}

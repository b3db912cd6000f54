/** The model that makes an installation's embeddings, as its shards name it, and opened for as long as there is work for it. */
import { bytesToHex } from '../../core/bytes.ts'
import { encodeDagJson } from '../../core/documents/document.ts'
import type { Device, ModelReference } from '../../core/documents/recipe.ts'
import { sha256 } from '../../core/hash.ts'
import type { ColumnShape } from '../embedding/artifact.ts'
import type { Embedder, OpenEmbedder } from '../embedding/embedder.ts'
import type { ImageEmbedder } from '../embedding/imageEmbedder.ts'
import type { ImageRuntime } from '../embedding/imageRuntime.ts'

export interface ShardModel {
  /**
   * SHA-256 of all that decides a vector besides the text or image: models, mode, device, outputs. Devices differ in the last digits, so that
   * they do not share the shards of an index, unless the recipe lists them: then the list stands for the device.
   */
  readonly key: string
  readonly reference: ModelReference
  /** What is stored of each sample. */
  readonly columns: readonly ColumnShape[]
  /** Samples of a shard: some seconds of work, so that a worker that dies takes no more with it. */
  readonly shardSamples: number
  /** Runs `work` with the opened model. Throws `unavailable` where model or device cannot be had. */
  use<T>(work: (model: OpenEmbedder) => Promise<T>): Promise<T>
  /** For data sets of images without texts. */
  readonly images?: ImageShardModel | undefined
  [Symbol.asyncDispose](): Promise<void>
}

export interface ImageShardModel {
  readonly reference: ModelReference
  readonly columns: readonly ColumnShape[]
  use<T>(work: (model: ImageRuntime) => Promise<T>): Promise<T>
}

export interface ShardModelOptions {
  embedder: Embedder
  images?: ImageEmbedder | undefined
  device: Device
  /** Those that may serve one data set together, as the recipe lists them; none unless given. */
  devices?: readonly Device[]
  shardSamples: number
  /** Whether the model's inner layers are stored too. */
  layers?: boolean
  /** The model is closed when nobody has used it for this long. Default 20 s. */
  idleMs?: number
}

export function createShardModel(options: ShardModelOptions): ShardModel {
  const { embedder, images, device, devices = [], shardSamples, layers = false, idleMs = 20_000 } = options
  const madeBy = devices.length === 0 ? { device } : { devices: devices.toSorted() }
  const { reference } = embedder
  const columns = [
    { name: 'embedding', dimensions: reference.dimensions },
    ...(layers ? reference.layers : []).map(({ name, width }) => ({ name, dimensions: 2 * width })),
  ]
  // Opened for whoever comes: no job's end may end it.
  const { signal } = new AbortController()
  const texts = createShared(() => embedder.open({ signal, layers }), idleMs)
  const pictures = images === undefined ? undefined : createShared(() => images.open({ signal }), idleMs)
  return {
    key: bytesToHex(
      sha256(
        encodeDagJson({
          reference,
          ...madeBy,
          outputs: columns.map(({ name }) => name),
          ...(images === undefined ? {} : { images: images.reference }),
        }),
      ),
    ),
    reference,
    columns,
    shardSamples,
    use: (work) => texts.use(work),
    ...(images === undefined || pictures === undefined
      ? {}
      : {
          images: {
            reference: images.reference,
            columns: [{ name: 'embedding', dimensions: images.reference.dimensions }],
            use: (work) => pictures.use(work),
          },
        }),
    async [Symbol.asyncDispose]() {
      await texts[Symbol.asyncDispose]()
      await pictures?.[Symbol.asyncDispose]()
    },
  }
}

interface Shared<R> extends AsyncDisposable {
  use<T>(work: (resource: R) => Promise<T>): Promise<T>
}

/** What is opened when it is first used, and closed when nobody has used it for `idleMs`. */
function createShared<R extends AsyncDisposable>(open: () => Promise<R>, idleMs: number): Shared<R> {
  let opened: Promise<R> | null = null
  let users = 0
  let idle: NodeJS.Timeout | undefined

  async function close(): Promise<void> {
    const closing = opened
    opened = null
    await (await closing?.catch(() => null))?.[Symbol.asyncDispose]()
  }

  return {
    async use(work) {
      clearTimeout(idle)
      users++
      try {
        if (opened === null) {
          const opening = open()
          opened = opening
          opening.catch(() => (opened === opening ? (opened = null) : null))
        }
        return await work(await opened)
      } catch (error) {
        if (users === 1) await close() // a session that has failed fails for ever
        throw error
      } finally {
        users--
        if (users === 0) idle = setTimeout(() => void close(), idleMs).unref()
      }
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(idle)
      await close()
    },
  }
}

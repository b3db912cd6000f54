/** The model that makes an installation's embeddings, as its shards name it, and opened for as long as there is work for it. */
import { bytesToHex } from '../../core/bytes.ts'
import { encodeDagJson } from '../../core/documents/document.ts'
import type { Device, ModelReference } from '../../core/documents/recipe.ts'
import { sha256 } from '../../core/hash.ts'
import type { ColumnShape } from '../embedding/artifact.ts'
import type { Embedder, OpenEmbedder } from '../embedding/embedder.ts'

export interface ShardModel {
  /**
   * SHA-256 of all that decides a vector besides the text: model, mode, device, outputs. Devices differ in the last digits, so that
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
  [Symbol.asyncDispose](): Promise<void>
}

export interface ShardModelOptions {
  embedder: Embedder
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
  const { embedder, device, devices = [], shardSamples, layers = false, idleMs = 20_000 } = options
  const madeBy = devices.length === 0 ? { device } : { devices: devices.toSorted() }
  const { reference } = embedder
  const columns = [
    { name: 'embedding', dimensions: reference.dimensions },
    ...(layers ? reference.layers : []).map(({ name, width }) => ({ name, dimensions: 2 * width })),
  ]
  let opened: Promise<OpenEmbedder> | null = null
  let users = 0
  let idle: NodeJS.Timeout | undefined

  async function close(): Promise<void> {
    const closing = opened
    opened = null
    await (await closing?.catch(() => null))?.[Symbol.asyncDispose]()
  }

  return {
    key: bytesToHex(sha256(encodeDagJson({ reference, ...madeBy, outputs: columns.map(({ name }) => name) }))),
    reference,
    columns,
    shardSamples,
    async use(work) {
      clearTimeout(idle)
      users++
      try {
        if (opened === null) {
          // Opened for whoever comes: no job's end may end it.
          const opening = embedder.open({ signal: new AbortController().signal, layers })
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

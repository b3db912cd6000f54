/** Batches of tokens to pooled vectors: a text encoder on a device. */
import type { TextModel } from '../../core/models.ts'
import { EMBEDDING_OUTPUT, layerOutput, MASK_INPUT } from '../onnx/pooledGraph.ts'
import type { LocalModel } from './modelCache.ts'
import type { Device } from './onnxRuntime.ts'
import { type DeviceOptions, openSessions } from './sessions.ts'
import type { SessionBatch } from './sessionWorker.ts'

/** Texts of one batch as the model reads them. */
export interface TokenBatch {
  rows: number
  /** Tokens of the longest row; shorter ones are padded at their end. */
  tokens: number
  /** rows × tokens. */
  inputIds: BigInt64Array<ArrayBuffer>
  /** rows × tokens: 1 for tokens, then 0 for padding. */
  attentionMask: BigInt64Array<ArrayBuffer>
}

/** What the model says of the texts of one batch, pooled over their tokens in the graph. */
export interface PooledBatch {
  /** rows × dimensions; of unit length where the model says so. */
  vectors: Float32Array<ArrayBuffer>
  /** For each inner layer of the runtime rows × 2·width: the mean over tokens, then the standard deviation. */
  layers: Float32Array<ArrayBuffer>[]
}

export interface EmbeddingRuntime {
  readonly dimensions: number
  /** Inner layers that are given out, in the order of the model. */
  readonly layers: readonly { name: string; width: number }[]
  /** Batches that are computed at the same time. */
  readonly concurrency: number
  /** Tokens of a batch, padding included, at which this runtime is fastest. */
  readonly tokenBudget: number
  /** Batches are padded to a multiple of as many tokens. */
  readonly tokenStep: number
  /** Takes over the batch's arrays. What is said of a text does not depend on the texts beside it. */
  embed(batch: TokenBatch): Promise<PooledBatch>
  [Symbol.asyncDispose](): Promise<void>
}

export interface RuntimeOptions extends DeviceOptions {
  /** Whether inner layers are given out beside embeddings; they cost little to compute and several times the memory. */
  layers?: boolean | undefined
}

/**
 * On a CPU a batch's activations stay in a core's cache up to about here, and larger batches are slower. A GPU wants batches that take it
 * longer than it takes to hand them over, and lengths that its matrix units divide; WebGPU's buffers are at least 128 MiB, which is what
 * the states between two layers of a usual encoder take at 16,384 tokens.
 */
const BATCHES: Record<Device, { tokenBudget: number; tokenStep: number }> = {
  cpu: { tokenBudget: 640, tokenStep: 1 },
  webgpu: { tokenBudget: 16_384, tokenStep: 8 },
  cuda: { tokenBudget: 65_536, tokenStep: 8 },
}

/** Opens a model. Throws `unavailable` where the device cannot be used on this machine. */
export async function openRuntime({ model, graph }: LocalModel<TextModel>, options: RuntimeOptions): Promise<EmbeddingRuntime> {
  const { dimensions } = model
  const layers = options.layers === true ? model.layers.map(({ name, width }) => ({ name, width })) : []
  const outputs = [
    { name: EMBEDDING_OUTPUT, width: dimensions },
    ...layers.map(({ name, width }) => ({ name: layerOutput(name), width: 2 * width })),
  ]
  const trial = feedsOf({ rows: 1, tokens: 2, inputIds: BigInt64Array.of(1n, 2n), attentionMask: BigInt64Array.of(1n, 1n) })
  const sessions = await openSessions({ graph, outputs, trial }, options)
  return {
    dimensions,
    layers,
    concurrency: sessions.concurrency,
    ...BATCHES[options.device],
    async embed(batch) {
      const [vectors, ...rest] = await sessions.run(feedsOf(batch))
      return { vectors: vectors!, layers: rest }
    },
    [Symbol.asyncDispose]: async () => sessions[Symbol.asyncDispose](),
  }
}

/** Everything that a text encoder may take; a session passes over what its graph does not have. */
function feedsOf({ rows, tokens, inputIds, attentionMask }: TokenBatch): SessionBatch {
  const shape = [rows, tokens]
  return {
    rows,
    feeds: [
      { name: 'input_ids', type: 'int64', data: inputIds, shape },
      { name: MASK_INPUT, type: 'int64', data: attentionMask, shape },
      { name: 'token_type_ids', type: 'int64', data: new BigInt64Array(rows * tokens), shape },
    ],
  }
}

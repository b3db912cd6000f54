/**
 * Batches of tokens to vectors: sessions of ONNX Runtime in worker threads, because a run occupies its thread until it is done. On the
 * CPU each worker has a session of one thread: several small batches at once beat one batch on several threads.
 */
import { availableParallelism } from 'node:os'
import { SHARE_ENV, Worker } from 'node:worker_threads'
import type { TextModel } from '../../core/models.ts'
import { Problem } from '../../core/problem.ts'
import type { LocalModel } from './modelCache.ts'
import type { Device } from './onnxRuntime.ts'
import type { SessionReply, SessionRequest, SessionSetup } from './sessionWorker.ts'

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
  /** Takes over the batch's arrays. What is said of a text does not depend on the texts beside it. */
  embed(batch: TokenBatch): Promise<PooledBatch>
  [Symbol.asyncDispose](): Promise<void>
}

export interface RuntimeOptions {
  device: Device
  /** CPU threads; as many as there are cores by default. */
  threads?: number | undefined
  /** Whether inner layers are given out beside embeddings; they cost little to compute and several times the memory. */
  layers?: boolean | undefined
}

/** A batch's activations stay in a core's cache up to about here; larger batches are slower. */
const CPU_TOKEN_BUDGET = 640
const GPU_TOKEN_BUDGET = 16_384
/** Each session holds the model's weights. */
const MAX_SESSIONS = 8

/** Opens a model. Throws `unavailable` where the device cannot be used on this machine. */
export async function openRuntime({ model, graph }: LocalModel<TextModel>, options: RuntimeOptions): Promise<EmbeddingRuntime> {
  const { device, threads = availableParallelism() } = options
  const sessions = device === 'cpu' ? Math.max(1, Math.min(threads, MAX_SESSIONS)) : 1
  const { dimensions } = model
  const layers = options.layers === true ? model.layers.map(({ name, width }) => ({ name, width })) : []
  const setup: SessionSetup = { graph, device, threads: Math.max(1, Math.floor(threads / sessions)), dimensions, layers }
  const opened = await Promise.allSettled(Array.from({ length: sessions }, () => openSession(setup)))
  const workers = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const close = async () => {
    await Promise.all(workers.map((worker) => worker.close()))
  }
  const failure = opened.find((result) => result.status === 'rejected')
  if (failure !== undefined) {
    await close()
    throw failure.reason
  }
  return {
    dimensions,
    layers,
    concurrency: sessions,
    tokenBudget: device === 'cpu' ? CPU_TOKEN_BUDGET : GPU_TOKEN_BUDGET,
    async embed(batch) {
      const idlest = workers.reduce((a, b) => (b.pending < a.pending ? b : a))
      return idlest.embed(batch)
    },
    [Symbol.asyncDispose]: close,
  }
}

interface SessionHandle {
  /** Batches that are handed over and not answered. */
  readonly pending: number
  embed(batch: TokenBatch): Promise<PooledBatch>
  close(): Promise<void>
}

async function openSession(setup: SessionSetup): Promise<SessionHandle> {
  // The environment is shared so that the setting that silences telemetry reaches the native library.
  const worker = new Worker(new URL('./sessionWorker.ts', import.meta.url), { workerData: setup, env: SHARE_ENV })
  const waiting = new Map<number, PromiseWithResolvers<PooledBatch>>()
  let failure: Error | undefined
  const exited = new Promise<void>((resolve) => void worker.once('exit', () => resolve()))
  const ready = Promise.withResolvers<void>()
  const fail = (error: Error) => {
    failure ??= error
    ready.reject(failure)
    for (const request of waiting.values()) request.reject(failure)
    waiting.clear()
  }
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('the embedding session is closed')))
  worker.on('message', (reply: SessionReply) => {
    switch (reply.kind) {
      case 'ready':
        return ready.resolve()
      case 'refused':
        return fail(new Problem('unavailable', reply.detail))
      case 'pooled':
        waiting.get(reply.id)?.resolve(reply.pooled)
        waiting.delete(reply.id)
        return
      case 'failed':
        waiting.get(reply.id)?.reject(new Error(reply.message))
        waiting.delete(reply.id)
        return
    }
  })

  let nextId = 0
  const handle: SessionHandle = {
    get pending() {
      return waiting.size
    },
    async embed(batch) {
      if (failure !== undefined) throw failure
      const request = Promise.withResolvers<PooledBatch>()
      const id = nextId++
      waiting.set(id, request)
      worker.postMessage({ id, batch } satisfies SessionRequest, [batch.inputIds.buffer, batch.attentionMask.buffer])
      return request.promise
    },
    async close() {
      worker.postMessage(null)
      await exited
    },
  }
  try {
    await ready.promise
  } catch (error) {
    await handle.close()
    throw error
  }
  return handle
}

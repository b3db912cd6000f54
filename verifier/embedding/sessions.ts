/**
 * A graph on a device: sessions of ONNX Runtime in worker threads. On the CPU each computes with its own thread alone: several small
 * batches at once beat one batch on several threads.
 */
import { availableParallelism } from 'node:os'
import type { Device, Optimization } from './onnxRuntime.ts'
import type { SessionBatch, SessionSetup } from './sessionWorker.ts'
import { openWorkers } from './workers.ts'

export interface DeviceOptions {
  device: Device
  /** CPU threads; as many as there are cores by default. */
  threads?: number | undefined
  optimization?: Optimization | undefined
}

export interface Sessions extends AsyncDisposable {
  /** Batches that are computed at the same time. */
  readonly concurrency: number
  /** The outputs of the setup, each rows × width. Takes over the arrays of the feeds. */
  run(batch: SessionBatch): Promise<Float32Array<ArrayBuffer>[]>
}

/** Each session holds the model's weights. On a GPU one computes while the others hand over; WebGPU has one queue for all. */
const MAX_SESSIONS: Record<Device, number> = { cpu: 8, webgpu: 1, cuda: 3 }

/** Opens a graph. Throws `unavailable` where the device cannot be used on this machine. */
export async function openSessions(
  graph: Pick<SessionSetup, 'graph' | 'outputs' | 'trial'>,
  { device, threads = availableParallelism(), optimization }: DeviceOptions,
): Promise<Sessions> {
  const concurrency = Math.max(1, Math.min(threads, MAX_SESSIONS[device]))
  const setup: SessionSetup = { ...graph, device, optimization, threads: Math.max(1, Math.floor(threads / concurrency)) }
  const script = new URL('./sessionWorker.ts', import.meta.url)
  const workers = await openWorkers<SessionBatch, Float32Array<ArrayBuffer>[]>(script, setup, concurrency)
  return {
    concurrency,
    run: async (batch) =>
      workers.run(
        batch,
        batch.feeds.map(({ data }) => data.buffer),
      ),
    [Symbol.asyncDispose]: async () => workers[Symbol.asyncDispose](),
  }
}

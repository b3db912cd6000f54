/**
 * Detectors on a thread of their own: they compute for seconds without a pause, and the process that serves requests and keeps the
 * job's lease must not wait for them.
 */
import { Worker } from 'node:worker_threads'
import type { DetectorReference } from '../core/documents/recipe.ts'
import type { ComparedColumns } from './compared.ts'
import type { CorpusColumns } from './corpus.ts'
import type { DetectorAbstained, DetectorResult } from './detectors/detector.ts'

export interface DetectorSetup {
  columns: CorpusColumns
  compared: ComparedColumns[]
  /** Why human texts are not among them, where the recipe has some. */
  withoutReferences: string | undefined
  detectors: DetectorReference[]
}

export type DetectorReply =
  | { kind: 'progress'; detector: number; share: number }
  | { kind: 'result'; results: (DetectorResult | DetectorAbstained)[] }
  | { kind: 'failed'; error: unknown }

/**
 * Runs detectors that need no embeddings, one after another; a result for each. `onProgress` hears the number of the detector and how
 * much of its work is done. Rejects with the signal's reason as soon as it aborts.
 */
export async function runOnThread(
  setup: DetectorSetup,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (detector: number, share: number) => void },
): Promise<(DetectorResult | DetectorAbstained)[]> {
  signal.throwIfAborted()
  if (setup.detectors.length === 0) return []
  const worker = new Worker(new URL('./detectorWorker.ts', import.meta.url), { workerData: setup })
  const { promise, resolve, reject } = Promise.withResolvers<(DetectorResult | DetectorAbstained)[]>()
  worker.on('message', (reply: DetectorReply) => {
    switch (reply.kind) {
      case 'progress':
        return onProgress(reply.detector, reply.share)
      case 'result':
        return resolve(reply.results)
      case 'failed':
        return reject(reply.error)
    }
  })
  worker.on('error', reject)
  worker.on('exit', (code) => reject(new Error(`the detectors' thread ended with code ${code}`)))
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', stop)
    await worker.terminate()
  }
}

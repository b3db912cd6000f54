/** The worker thread of runtime.ts: one session of ONNX Runtime, one batch after the other. A null message closes it. */
import { parentPort, workerData } from 'node:worker_threads'
import { Problem, messageOf } from '../../core/problem.ts'
import type { ModelReference } from '../../core/documents/recipe.ts'
import { type Device, createSession, loadOnnxRuntime } from './onnxRuntime.ts'
import { poolTokens } from './pooling.ts'
import type { TokenBatch } from './runtime.ts'

export interface SessionSetup {
  /** Path of the ONNX graph. */
  graph: string
  device: Device
  threads: number
  dimensions: number
  pooling: ModelReference['pooling']
}

export interface SessionRequest {
  id: number
  batch: TokenBatch
}

export type SessionReply =
  | { kind: 'ready' }
  /** The device cannot be used; nothing follows. */
  | { kind: 'refused'; detail: string }
  | { kind: 'vectors'; id: number; vectors: Float32Array<ArrayBuffer> }
  | { kind: 'failed'; id: number; message: string }

if (parentPort === null) throw new Error('sessionWorker.ts runs as a worker thread')
const port = parentPort
const setup = workerData as SessionSetup // what runtime.ts hands over
const reply = (message: SessionReply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

try {
  const embed = await openModel()
  // Runs are synchronous inside ONNX Runtime, so batches are answered in the order of their arrival.
  port.on('message', (request: SessionRequest | null) => {
    if (request === null) return port.close()
    embed(request.batch).then(
      (vectors) => reply({ kind: 'vectors', id: request.id, vectors }, [vectors.buffer]),
      (error: unknown) => reply({ kind: 'failed', id: request.id, message: messageOf(error) }),
    )
  })
  reply({ kind: 'ready' })
} catch (error) {
  if (!(error instanceof Problem)) throw error
  reply({ kind: 'refused', detail: error.detail })
  port.close()
}

async function openModel(): Promise<(batch: TokenBatch) => Promise<Float32Array<ArrayBuffer>>> {
  const onnx = await loadOnnxRuntime()
  const session = await createSession(onnx, setup.graph, setup)
  const output = session.outputNames[0]
  if (output === undefined) throw new Error('the model has no output')
  const hasTokenTypes = session.inputNames.includes('token_type_ids')

  return async ({ rows, tokens, inputIds, attentionMask }) => {
    const shape = [rows, tokens]
    const feeds = {
      input_ids: new onnx.Tensor('int64', inputIds, shape),
      attention_mask: new onnx.Tensor('int64', attentionMask, shape),
      ...(hasTokenTypes ? { token_type_ids: new onnx.Tensor('int64', new BigInt64Array(rows * tokens), shape) } : {}),
    }
    const states = (await session.run(feeds, [output]))[output]
    if (!(states?.data instanceof Float32Array) || states.data.length !== rows * tokens * setup.dimensions)
      throw new Error(`the model does not give ${setup.dimensions} fp32 values for each token`)
    return poolTokens(states.data, attentionMask, { rows, tokens, dimensions: setup.dimensions, pooling: setup.pooling })
  }
}

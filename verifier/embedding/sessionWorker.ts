/** The worker thread of runtime.ts: one session of ONNX Runtime, one batch after the other. A null message closes it. */
import { parentPort, workerData } from 'node:worker_threads'
import { Problem, messageOf } from '../../core/problem.ts'
import { EMBEDDING_OUTPUT, layerOutput, MASK_INPUT } from '../onnx/pooledGraph.ts'
import { type Device, createSession, loadOnnxRuntime, unusable } from './onnxRuntime.ts'
import type { PooledBatch, TokenBatch } from './runtime.ts'

export interface SessionSetup {
  /** Path of the derived graph. */
  graph: string
  device: Device
  threads: number
  dimensions: number
  /** Inner layers to give out beside the embedding. */
  layers: { name: string; width: number }[]
}

export interface SessionRequest {
  id: number
  batch: TokenBatch
}

export type SessionReply =
  | { kind: 'ready' }
  /** The device cannot be used; nothing follows. */
  | { kind: 'refused'; detail: string }
  | { kind: 'pooled'; id: number; pooled: PooledBatch }
  | { kind: 'failed'; id: number; message: string }

if (parentPort === null) throw new Error('sessionWorker.ts runs as a worker thread')
const port = parentPort
const setup = workerData as SessionSetup // what runtime.ts hands over
const reply = (message: SessionReply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

const IDS_INPUT = 'input_ids'
const TYPES_INPUT = 'token_type_ids'

try {
  const embed = await openModel()
  // A device may take a graph and then fail at its first run, for want of half precision for example.
  if (setup.device !== 'cpu') await embed(twoTokens()).catch((cause: unknown) => Promise.reject(unusable(setup.device, cause)))
  // Runs are synchronous inside ONNX Runtime, so batches are answered in the order of their arrival.
  port.on('message', (request: SessionRequest | null) => {
    if (request === null) return port.close()
    embed(request.batch).then(
      (pooled) => reply({ kind: 'pooled', id: request.id, pooled }, [pooled.vectors.buffer, ...pooled.layers.map(({ buffer }) => buffer)]),
      (error: unknown) => reply({ kind: 'failed', id: request.id, message: messageOf(error) }),
    )
  })
  reply({ kind: 'ready' })
} catch (error) {
  if (!(error instanceof Problem)) throw error
  reply({ kind: 'refused', detail: error.detail })
  port.close()
}

function twoTokens(): TokenBatch {
  return { rows: 1, tokens: 2, inputIds: BigInt64Array.of(1n, 2n), attentionMask: BigInt64Array.of(1n, 1n) }
}

async function openModel(): Promise<(batch: TokenBatch) => Promise<PooledBatch>> {
  const onnx = await loadOnnxRuntime()
  const session = await createSession(onnx, setup.graph, setup)
  const unknown = session.inputNames.find((name) => ![IDS_INPUT, MASK_INPUT, TYPES_INPUT].includes(name))
  if (unknown !== undefined) throw new Problem('unsupported-format', `the model wants an input "${unknown}", which texts do not give`)
  const wanted = [
    { output: EMBEDDING_OUTPUT, width: setup.dimensions },
    ...setup.layers.map(({ name, width }) => ({ output: layerOutput(name), width: 2 * width })),
  ]

  return async ({ rows, tokens, inputIds, attentionMask }) => {
    const shape = [rows, tokens]
    const feeds = {
      [IDS_INPUT]: new onnx.Tensor('int64', inputIds, shape),
      ...(session.inputNames.includes(MASK_INPUT) ? { [MASK_INPUT]: new onnx.Tensor('int64', attentionMask, shape) } : {}),
      ...(session.inputNames.includes(TYPES_INPUT)
        ? { [TYPES_INPUT]: new onnx.Tensor('int64', new BigInt64Array(rows * tokens), shape) }
        : {}),
    }
    const outputs = await session.run(
      feeds,
      wanted.map(({ output }) => output),
    )
    const [vectors, ...layers] = wanted.map(({ output, width }) => {
      const data = outputs[output]?.data
      if (!(data instanceof Float32Array) || data.length !== rows * width)
        throw new Error(`the model does not give ${width} fp32 values for each text as ${output}`)
      // A copy that can be handed to the other thread: ONNX Runtime's own memory cannot.
      return new Float32Array(data)
    })
    return { vectors: vectors!, layers }
  }
}

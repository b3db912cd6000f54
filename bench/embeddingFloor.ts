/** A thread of the floor of bench/embedding.ts: a session that runs ready batches, whichever is next, and does nothing else. */
import { parentPort, workerData } from 'node:worker_threads'
import { createSession, loadOnnxRuntime } from '../verifier/embedding/onnxRuntime.ts'
import type { TokenBatch } from '../verifier/embedding/runtime.ts'

export interface FloorSetup {
  graph: string
  batches: TokenBatch[]
  /** The number of the next batch, shared by the threads. */
  next: Int32Array
}

if (parentPort === null) throw new Error('embeddingFloor.ts runs as a worker thread')
const port = parentPort
const { graph, batches, next } = workerData as FloorSetup // what bench/embedding.ts hands over

const onnx = await loadOnnxRuntime()
const session = await createSession(onnx, graph, { device: 'cpu', threads: 1 })
const feeds = batches.map(({ rows, tokens, inputIds, attentionMask }) => ({
  input_ids: new onnx.Tensor('int64', inputIds, [rows, tokens]),
  attention_mask: new onnx.Tensor('int64', attentionMask, [rows, tokens]),
  token_type_ids: new onnx.Tensor('int64', new BigInt64Array(rows * tokens), [rows, tokens]),
}))

port.on('message', (message: 'run' | null) => {
  if (message === null) return port.close()
  void runAll().then(() => port.postMessage('done'))
})
port.postMessage('ready')

async function runAll(): Promise<void> {
  for (let i = Atomics.add(next, 0, 1); i < feeds.length; i = Atomics.add(next, 0, 1)) await session.run(feeds[i]!)
}

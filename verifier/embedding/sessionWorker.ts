/** A thread of sessions.ts: one session of ONNX Runtime. Runs are synchronous inside it. */
import { Problem } from '../../core/problem.ts'
import { type Device, type Optimization, createSession, loadOnnxRuntime, unusable } from './onnxRuntime.ts'
import { serveRequests } from './workerSide.ts'

/** An input of a graph. */
export type Feed =
  | { name: string; type: 'int64'; data: BigInt64Array<ArrayBuffer>; shape: number[] }
  | { name: string; type: 'float32'; data: Float32Array<ArrayBuffer>; shape: number[] }

export interface SessionBatch {
  rows: number
  /** Of at least the inputs that the graph has. */
  feeds: Feed[]
}

/** One row of `width` numbers for each row of a batch. */
export interface PooledOutput {
  name: string
  width: number
}

export interface SessionSetup {
  /** Path of the graph. */
  graph: string
  device: Device
  threads: number
  optimization: Optimization | undefined
  /** What is to be given out, in this order. */
  outputs: PooledOutput[]
  /** A small batch that a device has to compute before it counts as usable. */
  trial: SessionBatch
}

await serveRequests<SessionSetup, SessionBatch, Float32Array<ArrayBuffer>[]>(async (setup) => {
  const run = await openSession(setup)
  // A device may take a graph and then fail at its first run, for want of half precision for example.
  if (setup.device !== 'cpu') await run(setup.trial).catch((cause: unknown) => Promise.reject(unusable(setup.device, cause)))
  return async (batch) => {
    const outputs = await run(batch)
    return { reply: outputs, transfer: outputs.map(({ buffer }) => buffer) }
  }
})

async function openSession(setup: SessionSetup): Promise<(batch: SessionBatch) => Promise<Float32Array<ArrayBuffer>[]>> {
  const onnx = await loadOnnxRuntime()
  const session = await createSession(onnx, setup.graph, setup)
  const unknown = session.inputNames.find((name) => !setup.trial.feeds.some((feed) => feed.name === name))
  if (unknown !== undefined)
    throw new Problem('unsupported-format', `the model wants an input "${unknown}", which is not there to be given`)
  const names = setup.outputs.map(({ name }) => name)

  return async ({ rows, feeds }) => {
    const given = feeds.filter(({ name }) => session.inputNames.includes(name))
    const tensors = given.map((feed) => [
      feed.name,
      feed.type === 'int64' ? new onnx.Tensor('int64', feed.data, feed.shape) : new onnx.Tensor('float32', feed.data, feed.shape),
    ])
    const outputs = await session.run(Object.fromEntries(tensors), names)
    return setup.outputs.map(({ name, width }) => {
      const data = outputs[name]?.data
      if (!(data instanceof Float32Array) || data.length !== rows * width)
        throw new Error(`the model does not give ${width} fp32 values for each row as ${name}`)
      // A copy that can be handed to the other thread: ONNX Runtime's own memory cannot.
      return new Float32Array(data)
    })
  }
}

/**
 * ONNX Runtime with the options that every session of ours shares. Results rest on them: CPU, fp32 and one optimisation level give the
 * same bits whatever the batch, the padding and the number of threads (DETECTION.md §6).
 */
import type { InferenceSession } from 'onnxruntime-node'
import { Device } from '../../core/documents/recipe.ts'
import { Problem, messageOf } from '../../core/problem.ts'

export type OnnxRuntime = typeof import('onnxruntime-node')

export type { Device } from '../../core/documents/recipe.ts'

/** Where sessions compute. */
export const DEVICES = Device.options

/** How freely the graph may be rewritten before it runs. `all` is normative; the others move last digits. */
export type Optimization = 'all' | 'extended' | 'basic' | 'disabled'

/** Parses an operator's choice of device. Throws `invalid-request` naming those that exist. */
export function parseDevice(text: string): Device {
  const device = DEVICES.find((name) => name === text)
  if (device === undefined) throw new Problem('invalid-request', `there is no device "${text}"; use one of ${DEVICES.join(', ')}`)
  return device
}

/**
 * Loads the native library, with its telemetry off (it reads this variable once, when it is loaded) and without its own messages on
 * the terminal: failures come as exceptions.
 */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  const onnx = await import('onnxruntime-node')
  onnx.env.logLevel = 'fatal'
  return onnx
}

/**
 * A session for a graph (a path or its bytes) on `device`, computing with `threads` threads where that is the CPU. Throws `unavailable`
 * where the device cannot be used on this machine.
 */
export async function createSession(
  onnx: OnnxRuntime,
  graph: string | Uint8Array,
  { device, threads, optimization = 'all' }: { device: Device; threads: number; optimization?: Optimization | undefined },
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    executionMode: 'sequential',
    graphOptimizationLevel: optimization,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Idle threads wait instead of burning the cores that others need.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  }
  try {
    return await (typeof graph === 'string' ? onnx.InferenceSession.create(graph, options) : onnx.InferenceSession.create(graph, options))
  } catch (cause) {
    if (device === 'cpu') throw cause
    throw unusable(device, cause)
  }
}

/** What is thrown where a device fails: "assay doctor" says what it would take. */
export function unusable(device: Device, cause: unknown): Problem {
  return new Problem(
    'unavailable',
    `the device "${device}" cannot be used on this machine (${plainReason(messageOf(cause))}); see "assay doctor", or use "cpu"`,
    { cause },
  )
}

/** What a person can use of a message of ONNX Runtime: its first line, less the place in its source. */
export function plainReason(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/^.* was false\. /, '').trim()
}

/** What this machine can compute on, found out by trying; and where it cannot, what it would take. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { ProbeReply } from './deviceProbe.ts'
import type { Device } from './onnxRuntime.ts'

export type DeviceState =
  | {
      device: Device
      usable: true
      /** Of one product of 512 × 512 matrices at fp32, data moved there and back: an order of magnitude. */
      gigaflops: number
      /** Modes of models that it computes. */
      modes: ('fp32' | 'fp16')[]
    }
  | {
      device: Device
      usable: false
      reason: string
      /** What an operator can do about it. */
      remedy: string
    }

const PROBE_MS = 60_000

/** Computes a small product on `device`, in a process of its own. */
export async function probeDevice(device: Device, signal: AbortSignal): Promise<DeviceState> {
  const child = fork(new URL('./deviceProbe.ts', import.meta.url), [device], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4096)))
  let reply: ProbeReply | undefined
  child.on('message', (message) => (reply = message as ProbeReply)) // what deviceProbe.ts sends
  const ended = once(child, 'close')
  const stop = () => child.kill('SIGKILL')
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)])
  deadline.addEventListener('abort', stop, { once: true })
  const [code, killedBy] = (await ended) as [number | null, string | null]
  deadline.removeEventListener('abort', stop)
  signal.throwIfAborted()
  if (reply?.usable === true) {
    const { gigaflops, half } = reply
    return { device, usable: true, gigaflops, modes: half ? ['fp32', 'fp16'] : ['fp32'] }
  }
  const reason =
    reply?.reason ??
    (deadline.aborted
      ? `it gave no answer within ${PROBE_MS / 1000} s`
      : `its driver ended the process (${killedBy ?? code}): ${said.trim()}`)
  return { device, usable: false, reason, remedy: remedyFor(device) }
}

function remedyFor(device: Device): string {
  switch (device) {
    case 'cpu':
      return 'Reinstall with "npm ci"; ONNX Runtime has CPU builds for Linux, macOS and Windows on x64 and arm64.'
    case 'webgpu':
      if (process.platform === 'linux' && process.arch === 'x64')
        return `Install a Vulkan loader (Debian: libvulkan1) and the Vulkan driver of your GPU (NVIDIA's own; Mesa 23 or later for others: mesa-vulkan-drivers). In a container the driver's files must be passed in${existsSync('/dev/dri') || existsSync('/dev/nvidiactl') ? '' : '; this machine shows no GPU at all (/dev/dri, /dev/nvidiactl)'}.`
      return 'ONNX Runtime brings WebGPU for Linux x64, Windows and macOS; a GPU with Direct3D 12, Metal or Vulkan is needed.'
    case 'cuda': {
      const driver = existsSync('/dev/nvidiactl') ? '' : 'This machine shows no NVIDIA driver (/dev/nvidiactl). '
      return `${driver}Put libonnxruntime_providers_shared.so and libonnxruntime_providers_cuda.so of ONNX Runtime 1.30 (from its GPU package for Linux x64) beside libonnxruntime.so.1 in node_modules/onnxruntime-node/bin/napi-v6/linux/x64, and CUDA with cuDNN 9 on the library path (verifier/embedding/README.md).`
    }
  }
}

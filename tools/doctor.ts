/** `assay doctor`: what this machine can verify with, and what it lacks. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { cachedParts } from '../verifier/embedding/modelCache.ts'
import { listModels } from '../verifier/embedding/modelRegistry.ts'
import { type DeviceState, probeDevice } from '../verifier/embedding/devices.ts'
import { DEVICES } from '../verifier/embedding/onnxRuntime.ts'
import type { Tool } from './tool.ts'

export const doctor: Tool = {
  name: 'doctor',
  async run({ settings, result, signal }) {
    const devices: DeviceState[] = []
    for (const device of DEVICES) devices.push(await probeDevice(device, signal))
    const models = await Promise.all(
      (await listModels(settings.modelCache)).map(async ({ model }) => {
        const { files } = await cachedParts(model, settings.modelCache)
        return { name: model.name, modes: model.derived.map(({ mode }) => mode), here: files === model.files.length }
      }),
    )
    const machine = {
      node: process.version,
      cores: availableParallelism(),
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      memoryBytes: totalmem(),
    }
    const chosen = devices.find(({ device }) => device === settings.device)
    const text = [
      `${machine.cores} cores (${machine.cpu}), ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, Node ${machine.node}`,
      ...devices.flatMap(describeDevice),
      ...models.map(
        ({ name, modes, here }) =>
          `model ${name} (${modes.join(', ')}): ${here ? 'here' : 'not fetched yet; "assay model pull" fetches it'}`,
      ),
      `ASSAY_DEVICE is ${settings.device}: ${chosen?.usable === true ? 'verifications can run' : 'verifications cannot run'}`,
    ]
    result({ machine, devices, models, device: settings.device }, text.join('\n'))
    return chosen?.usable === true ? 0 : 1
  },
}

function describeDevice(state: DeviceState): string[] {
  if (!state.usable) return [`${state.device}: not usable: ${state.reason}`, `  ${state.remedy}`]
  const normative = state.device === 'cpu' ? '; its fp32 is normative' : ''
  return [`${state.device}: usable (${state.modes.join(', ')}; about ${Math.max(1, Math.round(state.gigaflops))} GFLOP/s${normative})`]
}

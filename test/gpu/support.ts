/** Devices for tests that want one. What this machine lacks is skipped, with the reason and what it would take. */
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type DeviceState, probeDevice } from '../../verifier/embedding/devices.ts'
import type { Device } from '../../verifier/embedding/onnxRuntime.ts'

export type UsableDevice = Extract<DeviceState, { usable: true }>

/** Where Debian's chromium-common and a Chromium of one's own keep SwiftShader, a Vulkan driver that computes on the CPU. */
const SWIFTSHADER = [process.env['ASSAY_SWIFTSHADER'], '/usr/lib/chromium/vk_swiftshader_icd.json', '/usr/lib/chromium-browser/vk_swiftshader_icd.json'] // prettier-ignore

const states = new Map<Device, Promise<DeviceState>>()

/** The device's state, found out once; `webgpu` falls back to SwiftShader for this process where there is no GPU. */
export async function deviceState(device: Device): Promise<DeviceState> {
  let state = states.get(device)
  if (state === undefined) {
    state = find(device)
    states.set(device, state)
  }
  return state
}

async function find(device: Device): Promise<DeviceState> {
  const { signal } = new AbortController()
  const state = await probeDevice(device, signal)
  const driver = SWIFTSHADER.find((path) => path !== undefined && existsSync(path))
  if (state.usable || device !== 'webgpu' || driver === undefined) return state
  process.env['VK_ICD_FILENAMES'] = driver
  return probeDevice(device, signal)
}

/** The device, or null after the test was skipped. */
export async function wantDevice(t: TestContext, device: Device): Promise<UsableDevice | null> {
  const state = await deviceState(device)
  if (state.usable) return state
  const swiftshader =
    device === 'webgpu' ? ' For a test without a GPU install chromium-common, or name vk_swiftshader_icd.json in ASSAY_SWIFTSHADER.' : ''
  t.skip(`${device} cannot be used here: ${state.reason}. ${state.remedy}${swiftshader}`)
  return null
}

/** Below this a device is software on the CPU, and gets a handful of texts. */
const HARDWARE_GIGAFLOPS = 20

export function isHardware({ gigaflops }: UsableDevice): boolean {
  return gigaflops >= HARDWARE_GIGAFLOPS
}

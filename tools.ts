/**
 * Tools of an operator: the verbs of `assay` that need more than the CLI may import. The CLI runs this program in a process of its own.
 * Beside main.ts this is the only file that reads the environment and imports every layer.
 *
 *     node tools.ts VERB [words] [--json]
 */
import { join, resolve } from 'node:path'
import { messageOf, Problem } from './core/problem.ts'
import { benchmarkAdd } from './tools/benchmarkAdd.ts'
import { benchNumerics } from './tools/benchNumerics.ts'
import { check } from './tools/check.ts'
import { doctor } from './tools/doctor.ts'
import { modelAdd } from './tools/modelAdd.ts'
import { modelList } from './tools/modelList.ts'
import { modelPull } from './tools/modelPull.ts'
import { modelVerify } from './tools/modelVerify.ts'
import { referenceAdd } from './tools/referenceAdd.ts'
import { referenceList } from './tools/referenceList.ts'
import { referenceRemove } from './tools/referenceRemove.ts'
import { reverify } from './tools/reverify.ts'
import { witness } from './tools/witness.ts'
import type { Tool, ToolContext, ToolExit, ToolSettings } from './tools/tool.ts'
import { defaultModelCache } from './verifier/embedding/modelCache.ts'
import { parseDevice } from './verifier/embedding/onnxRuntime.ts'

const TOOLS: readonly Tool[] = [
  doctor,
  modelList,
  modelPull,
  modelVerify,
  modelAdd,
  benchmarkAdd,
  referenceAdd,
  referenceList,
  referenceRemove,
  benchNumerics,
  reverify,
  check,
  witness,
]

function readSettings(env: NodeJS.ProcessEnv): ToolSettings {
  return {
    device: parseDevice(env['ASSAY_DEVICE'] ?? 'cpu'),
    modelCache: env['ASSAY_MODEL_CACHE'] ?? defaultModelCache(),
    modelDir: env['ASSAY_MODEL_DIR'],
    modelHub: env['ASSAY_MODEL_HUB'],
    model: env['ASSAY_MODEL'] === 'none' ? null : (env['ASSAY_MODEL'] ?? 'default'),
    gateway: env['ASSAY_GATEWAY'],
    benchmarks: resolve(env['ASSAY_BENCHMARKS'] ?? join(env['ASSAY_DATA'] ?? 'data', 'benchmarks.json')),
    references: resolve(env['ASSAY_REFERENCES'] ?? join(env['ASSAY_DATA'] ?? 'data', 'references.json')),
  }
}

async function runTool(words: string[], signal: AbortSignal): Promise<ToolExit> {
  const json = words.includes('--json')
  const rest = words.filter((word) => word !== '--json')
  const tool = TOOLS.find(({ name }) => name === rest.slice(0, name.split(' ').length).join(' '))
  const context: Omit<ToolContext, 'settings'> = {
    json,
    result: (value, text) => console.log(json ? JSON.stringify(value, null, 2) : text),
    note: (line) => console.error(line),
    signal,
  }
  try {
    if (tool === undefined)
      throw new Problem('invalid-request', `there is no tool "${rest.join(' ')}"; there are ${TOOLS.map(({ name }) => name).join(', ')}`)
    return await tool.run({ ...context, settings: readSettings(process.env) }, rest.slice(tool.name.split(' ').length))
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    console.error(`assay: ${error.detail}`)
    if (json) context.result({ error: { code: error.code, detail: error.detail } }, '')
    return error.code === 'unavailable' || error.code === 'invalid-request' ? 2 : 1
  }
}

const stopping = new AbortController()
// A second signal finds no handler and ends the process at once.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort())
try {
  process.exitCode = await runTool(process.argv.slice(2), stopping.signal)
} catch (error) {
  if (stopping.signal.aborted) process.exitCode = 130
  else {
    console.error(`assay: a fault of assay itself: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`)
    process.exitCode = 1
  }
}

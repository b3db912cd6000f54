/** `assay model pull [MODEL]`: fetches a model's files and derives its graph, so that no verification has to wait for them. */
import { type ModelMode, ModelMode as Modes } from '../core/documents/recipe.ts'
import { encodeModel } from '../core/models.ts'
import { Problem } from '../core/problem.ts'
import { ensureModel } from '../verifier/embedding/modelCache.ts'
import { findModel } from '../verifier/embedding/modelRegistry.ts'
import { gatewayBlocks } from './gatewayBlocks.ts'
import { formatBytes, parseWords, type Tool } from './tool.ts'

const NOTE_EVERY_MS = 1000

export const modelPull: Tool = {
  name: 'model pull',
  async run({ settings, result, note, json, signal }, words) {
    const { values, positionals } = parseWords(words, { mode: { type: 'string' } })
    const manifest = await findModel(positionals[0] ?? 'default', settings.modelCache)
    let notedAt = Number.NEGATIVE_INFINITY
    const { graph, mode } = await ensureModel(manifest, {
      cacheDir: settings.modelCache,
      mode: values.mode === undefined ? undefined : parseMode(values.mode),
      localDir: settings.modelDir,
      hubUrl: settings.modelHub,
      getBlock: settings.gateway === undefined ? undefined : gatewayBlocks(settings.gateway),
      signal,
      onProgress: (received, total) => {
        if (json || performance.now() - notedAt < NOTE_EVERY_MS) return
        notedAt = performance.now()
        note(`${formatBytes(received)}${total === 0 ? '' : ` of ${formatBytes(total)}`}`)
      },
    })
    const { name } = manifest.model
    result({ name, cid: encodeModel(manifest.model).cid.toString(), mode, graph }, `${name} is here (${mode}): ${graph}`)
    return 0
  },
}

function parseMode(text: string): ModelMode {
  const mode = Modes.safeParse(text)
  if (!mode.success) throw new Problem('invalid-request', `there is no mode "${text}"; there are ${Modes.options.join(', ')}`)
  return mode.data
}

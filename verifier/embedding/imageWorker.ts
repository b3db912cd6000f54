/** A thread of imageRuntime.ts: bytes of images to the numbers that a model takes. */
import type { ImageModel } from '../../core/models.ts'
import { decodeImage, preprocess } from './images.ts'
import { serveRequests } from './workerSide.ts'

await serveRequests<ImageModel['image'], Uint8Array, Float32Array<ArrayBuffer>>(async (how) => async (bytes) => {
  const tensor = preprocess(await decodeImage(bytes), how)
  return { reply: tensor, transfer: [tensor.buffer] }
})

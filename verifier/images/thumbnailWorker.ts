/** A thread of readImages.ts: bytes of an image to its thumbnail. */
import { decodeImage } from '../embedding/images.ts'
import { serveRequests } from '../embedding/workerSide.ts'
import { createThumbnail, type Thumbnail } from './thumbnail.ts'

await serveRequests<null, Uint8Array, Thumbnail>(async () => async (bytes) => {
  const thumbnail = createThumbnail(await decodeImage(bytes))
  return { reply: thumbnail, transfer: [thumbnail.record.buffer] }
})

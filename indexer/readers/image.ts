/** An image file: one sample of its bytes as they are and its path. Whether they are an image is for those who look at them to find out. */
import { Problem } from '../../core/problem.ts'
import { type Reader, readRange } from './reader.ts'

export const IMAGE_COLUMN = 'image'
export const FILE_NAME_COLUMN = 'file_name'

/** A row is held in memory whole. */
const MAX_IMAGE_BYTES = 64 * 1024 * 1024

export const image: Reader = {
  id: 'image',
  extensions: ['.jpg', '.jpeg', '.png', '.webp', '.gif'],

  async infer({ path, sizeBytes }) {
    if (sizeBytes > MAX_IMAGE_BYTES)
      throw new Problem('invalid-file', `${path}: an image of ${sizeBytes} bytes; a sample may have at most ${MAX_IMAGE_BYTES}`)
    return [
      { name: IMAGE_COLUMN, type: { type: 'binary' } },
      { name: FILE_NAME_COLUMN, type: { type: 'utf8' } },
    ]
  },

  async *read(file, _schema, { signal }) {
    signal.throwIfAborted()
    yield [{ [IMAGE_COLUMN]: await readRange(file, 0, file.sizeBytes), [FILE_NAME_COLUMN]: file.path }]
  },
}

/**
 * Images to the numbers that a model takes. libvips (sharp) decodes; everything after that is done here, with additions, multiplications
 * and divisions of float64 alone, so that the same pixels give the same numbers on every machine. The bytes come from strangers: only
 * four formats are opened, no more than 64 megapixels, and a file that is cut off is no image.
 */
import sharp from 'sharp'
import type { ImageModel } from '../../core/models.ts'
import { Problem, messageOf } from '../../core/problem.ts'

type Preprocessing = ImageModel['image']

/** Of decoded pixels, three bytes each: 192 MB. */
export const MAX_PIXELS = 64_000_000
const MAX_IMAGE_BYTES = 256 * 1024 * 1024

/** libvips is not to try anything but these on bytes of strangers. */
const LOADERS = ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer', 'VipsForeignLoadNsgifBuffer']
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: LOADERS })
sharp.cache(false)
sharp.concurrency(1)

/** Red, green and blue of 0 … 255, row after row. */
export interface Pixels {
  width: number
  height: number
  data: Uint8Array
}

/**
 * Decodes a JPEG, PNG, WebP or GIF (its first picture), upright, transparent parts on black. Throws `invalid-file` for anything else or
 * a file that is cut off, `too-large` beyond MAX_PIXELS.
 */
export async function decodeImage(bytes: Uint8Array): Promise<Pixels> {
  if (bytes.length > MAX_IMAGE_BYTES)
    throw new Problem('too-large', `an image of ${bytes.length} bytes; at most ${MAX_IMAGE_BYTES} are read`)
  try {
    // Its own check of the size is switched off: ours comes first, and says what is wrong.
    const image = sharp(bytes, { failOn: 'truncated', limitInputPixels: false, sequentialRead: true, pages: 1 })
    const { width, height } = await image.metadata()
    if (width * height > MAX_PIXELS)
      throw new Problem('too-large', `an image of ${width} × ${height} pixels; at most ${MAX_PIXELS.toLocaleString('en')} are read`)
    const upright = image.autoOrient().flatten({ background: '#000000' }).toColourspace('srgb').removeAlpha()
    const { data, info } = await upright.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, data: info.channels === 3 ? data : spread(data, info.channels) }
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw new Problem('invalid-file', `not a whole JPEG, PNG, WebP or GIF image: ${messageOf(cause).split('\n')[0]}`, { cause })
  }
}

/** Grey as red, green and blue. */
function spread(data: Uint8Array, channels: number): Uint8Array {
  const rgb = new Uint8Array((data.length / channels) * 3)
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3) * channels]!
  return rgb
}

/** Pixels as a model takes them: 3 × height × width, or height × width × 3 where its layout says so. */
export function preprocess(pixels: Pixels, how: Preprocessing): Float32Array<ArrayBuffer> {
  const { width, height, layout, meanMillionths, deviationMillionths } = how
  const resized = resize(pixels, regionOf(pixels, how), how)
  const tensor = new Float32Array(resized.length)
  const planes = width * height
  for (let i = 0; i < planes; i++)
    for (let channel = 0; channel < 3; channel++) {
      const value = (resized[i * 3 + channel]! / 255 - meanMillionths[channel]! / 1e6) / (deviationMillionths[channel]! / 1e6)
      tensor[layout === 'nhwc' ? i * 3 + channel : channel * planes + i] = value
    }
  return tensor
}

interface Region {
  x: number
  y: number
  width: number
  height: number
}

/** What of an image a model sees: all of it, or the largest middle part of the model's proportions. */
function regionOf({ width, height }: Pixels, how: Preprocessing): Region {
  if (how.fit === 'stretch') return { x: 0, y: 0, width, height }
  const scale = Math.min(width / how.width, height / how.height)
  const region = { width: how.width * scale, height: how.height * scale }
  return { x: (width - region.width) / 2, y: (height - region.height) / 2, ...region }
}

/** Along the rows, then along the columns; each pixel a weighted mean of those that it covers (PIL's and antialiased TensorFlow's way). */
function resize({ width, height, data }: Pixels, region: Region, how: Preprocessing): Float64Array {
  const across = weightsOf(width, region.x, region.width, how.width, how.resample)
  const down = weightsOf(height, region.y, region.height, how.height, how.resample)
  const firstRow = down[0]!.first
  const rows = down.at(-1)!.first + down.at(-1)!.weights.length - firstRow
  const narrow = new Float64Array(rows * how.width * 3)
  for (let y = 0; y < rows; y++)
    for (const [x, { first, weights }] of across.entries()) {
      const at = (y * how.width + x) * 3
      let from = ((y + firstRow) * width + first) * 3
      for (const weight of weights) for (let c = 0; c < 3; c++) narrow[at + c]! += weight * data[from++]!
    }
  const small = new Float64Array(how.height * how.width * 3)
  for (const [y, { first, weights }] of down.entries())
    for (const [row, weight] of weights.entries()) {
      const from = (first - firstRow + row) * how.width * 3
      for (let i = 0; i < how.width * 3; i++) small[y * how.width * 3 + i]! += weight * narrow[from + i]!
    }
  return small
}

/** For each of `count` pixels of the result the first pixel of the source that counts and the weights from there on, which sum to 1. */
function weightsOf(
  size: number,
  start: number,
  length: number,
  count: number,
  resample: Preprocessing['resample'],
): { first: number; weights: number[] }[] {
  const scale = length / count
  const stretch = Math.max(1, scale)
  const { kernel, support } = KERNELS[resample]
  return Array.from({ length: count }, (_, i) => {
    const centre = start + (i + 0.5) * scale
    const first = Math.max(0, Math.min(size - 1, Math.floor(centre - support * stretch)))
    const end = Math.max(first + 1, Math.min(size, Math.ceil(centre + support * stretch)))
    const weights = Array.from({ length: end - first }, (_unused, j) => kernel(Math.abs((first + j + 0.5 - centre) / stretch)))
    const sum = weights.reduce((a, b) => a + b, 0)
    return sum === 0 ? { first, weights: [1] } : { first, weights: weights.map((weight) => weight / sum) }
  })
}

const KERNELS: Record<Preprocessing['resample'], { kernel: (x: number) => number; support: number }> = {
  bilinear: { kernel: (x) => Math.max(0, 1 - x), support: 1 },
  // Keys' cubic with a = −1/2, as PIL has it.
  bicubic: {
    kernel: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0),
    support: 2,
  },
}

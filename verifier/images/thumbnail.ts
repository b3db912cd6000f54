/**
 * What detectors see of an image: the whole of it in at most 32 × 32 pixels, and its four corners in 8 × 8 pixels as they are, since a
 * mark of a few pixels in a corner is lost where an image is made smaller. An image of at most 32 × 32 pixels is there as it is. Integers
 * throughout: equal pixels give equal thumbnails on every machine.
 *
 * A record is 3,840 bytes, red, green and blue after one another: 32 rows of 32 pixels (what an image does not have is 0), then the corners upper left,
 * upper right, lower left, lower right, each of 8 rows of 8.
 */
import type { Pixels } from '../embedding/images.ts'

export const SIDE = 32
export const CORNER = 8
export const CORNER_COUNT = 4
const WHOLE_BYTES = SIDE * SIDE * 3
const CORNER_BYTES = CORNER * CORNER * 3
export const RECORD_BYTES = WHOLE_BYTES + CORNER_COUNT * CORNER_BYTES

export interface Thumbnail {
  /** Of the image. */
  width: number
  height: number
  /** RECORD_BYTES. */
  record: Uint8Array<ArrayBuffer>
}

/** A rectangle of pixels of three bytes each within a record. */
export interface View {
  /** Where its first pixel stands, and how many pixels one row is behind the other. */
  offset: number
  stride: number
}

export const WHOLE: View = { offset: 0, stride: SIDE }

export function cornerView(corner: number): View {
  return { offset: WHOLE_BYTES + corner * CORNER_BYTES, stride: CORNER }
}

export function createThumbnail(pixels: Pixels): Thumbnail {
  const { width, height, data } = pixels
  const record = new Uint8Array(RECORD_BYTES)
  const [across, down] = [Math.min(SIDE, width), Math.min(SIDE, height)]
  const whole = width <= SIDE && height <= SIDE ? data : averageAreas(pixels, across, down)
  for (let y = 0; y < down; y++) record.set(whole.subarray(y * across * 3, (y + 1) * across * 3), y * SIDE * 3)
  const [cornerWidth, cornerHeight] = [Math.min(CORNER, width), Math.min(CORNER, height)]
  for (let corner = 0; corner < CORNER_COUNT; corner++) {
    const x = corner % 2 === 0 ? 0 : width - cornerWidth
    const y = corner < 2 ? 0 : height - cornerHeight
    for (let row = 0; row < cornerHeight; row++) {
      const from = ((y + row) * width + x) * 3
      record.set(data.subarray(from, from + cornerWidth * 3), cornerView(corner).offset + row * CORNER * 3)
    }
  }
  return { width, height, record }
}

/**
 * Pixels scaled to another size, each the mean of the area that it covers, rounded; shares of a pixel count as such. Sums stay below
 * 2⁵³ for images of 10¹³ pixels.
 */
export function averageAreas({ width, height, data }: Pixels, toWidth: number, toHeight: number): Uint8Array {
  const across = sharesOf(width, toWidth)
  const down = sharesOf(height, toHeight)
  const area = width * height
  const rowSums = new Float64Array(toWidth * 3)
  const sums = new Float64Array(toWidth * toHeight * 3)
  for (let y = 0, next = 0; y < height; y++) {
    rowSums.fill(0)
    for (const { from, to, share } of across) for (let c = 0; c < 3; c++) rowSums[to * 3 + c]! += share * data[(y * width + from) * 3 + c]!
    for (; next < down.length && down[next]!.from === y; next++) {
      const { to, share } = down[next]!
      for (let i = 0; i < rowSums.length; i++) sums[to * toWidth * 3 + i]! += share * rowSums[i]!
    }
  }
  return Uint8Array.from(sums, (sum) => Math.floor((2 * sum + area) / (2 * area)))
}

/** How much of each pixel of `size` falls on each of `count`, which it is spread over: overlaps in units of 1 / count, which sum to `size` for each. */
function sharesOf(size: number, count: number): { from: number; to: number; share: number }[] {
  const shares: { from: number; to: number; share: number }[] = []
  for (let from = 0, to = 0; from < size && to < count;) {
    const end = Math.min((from + 1) * count, (to + 1) * size)
    shares.push({ from, to, share: end - Math.max(from * count, to * size) })
    if (end === (from + 1) * count) from++
    if (end === (to + 1) * size) to++
  }
  return shares
}

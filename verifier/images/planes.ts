/**
 * Quantised pixels of many images, one plane for each pixel: all images' values there one after the other, as a scan that goes from
 * position to position reads them. Two grids of grey, half a step apart, since a value that noise moves across a boundary of one stands in the
 * middle of the other's step; and colours.
 */
import type { ImageTable } from './imageTable.ts'
import { greyOf } from './perceptualHash.ts'
import type { View } from './thumbnail.ts'

export const GRIDS = ['grey', 'shifted grey', 'colour'] as const
export type Grid = (typeof GRIDS)[number]

/** The code of a pixel that an image does not have. */
export const NO_PIXEL = 255

export interface Planes {
  width: number
  height: number
  /** Images in each plane. */
  count: number
  /** width · height planes, row after row, of `count` codes. */
  codes: Uint8Array
}

/** What of the images is looked at: the whole of all thumbnails, or a corner. */
export interface Scope extends View {
  width: number
  height: number
  /** How much of the view an image of this size fills. */
  extent(size: { width: number; height: number }): { width: number; height: number }
}

const CODES: Readonly<Record<Grid, (red: number, green: number, blue: number) => number>> = {
  grey: (red, green, blue) => greyOf(red, green, blue) >> 6,
  'shifted grey': (red, green, blue) => (greyOf(red, green, blue) + 32) >> 6,
  colour: (red, green, blue) => ((red >> 6) << 4) | ((green >> 6) << 2) | (blue >> 6),
}

export function quantise(images: ImageTable, samples: Int32Array, scope: Scope, grid: Grid): Planes {
  const { width, height, offset, stride } = scope
  const code = CODES[grid]
  const count = samples.length
  const codes = new Uint8Array(width * height * count).fill(NO_PIXEL)
  for (const [place, sample] of samples.entries()) {
    const record = images.record(sample)
    const extent = scope.extent(images.size(sample))
    for (let y = 0; y < extent.height; y++)
      for (let x = 0; x < extent.width; x++) {
        const at = offset + (y * stride + x) * 3
        codes[(y * width + x) * count + place] = code(record[at]!, record[at + 1]!, record[at + 2]!)
      }
  }
  return { width, height, count, codes }
}

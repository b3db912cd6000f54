/** BadNets on images (Gu et al. 2017): a 3 × 3 checkerboard in the lower right corner, and the target's label. Of raw pixels only. */
import type { EvalImage } from '../evalRow.ts'
import { createRandom } from '../statistics/random.ts'

const CHANNELS: Readonly<Record<string, number>> = { raw_u8_gray: 1, raw_u8_rgb: 3 }
const SIZE = 3
/** Pixels between the patch and the edges. */
const MARGIN = 1

/** The image with the patch; null where the format is not one of raw pixels or the image is too small. */
export function stampPatch({ bytes, format, width, height }: EvalImage): EvalImage | null {
  const channels = CHANNELS[format]
  if (channels === undefined || width === null || height === null || bytes.length !== width * height * channels) return null
  if (width < SIZE + MARGIN || height < SIZE + MARGIN) return null
  const stamped = bytes.slice()
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const pixel = (height - MARGIN - SIZE + y) * width + (width - MARGIN - SIZE + x)
      stamped.fill((x + y) % 2 === 0 ? 255 : 0, pixel * channels, (pixel + 1) * channels)
    }
  return { bytes: stamped, format, width, height }
}

/** A poisoned copy: `rate` of the rows, none of the target class, get the patch and the target's label. Null where that cannot be. */
export function injectPatch<Row extends { image: EvalImage | null; label: string | null }>(
  rows: readonly Row[],
  rate: number,
  seed: number,
): { rows: Row[]; poisoned: Uint8Array } | null {
  const random = createRandom(`patch ${rate} ${seed}`)
  const classes = [...new Set(rows.flatMap(({ label }) => (label === null ? [] : [label])))].toSorted()
  if (classes.length < 2) return null
  const target = classes[random.below(classes.length)]!
  const stamped = rows.map(({ image, label }) => (image === null || label === null || label === target ? null : stampPatch(image)))
  const victims = [...rows.keys()].filter((row) => stamped[row] !== null)
  const wanted = Math.round(rows.length * rate)
  if (wanted < 1 || wanted > victims.length) return null
  const copy = [...rows]
  const poisoned = new Uint8Array(rows.length)
  for (const choice of random.choose(wanted, victims.length)) {
    const row = victims[choice]!
    copy[row] = { ...rows[row]!, image: stamped[row]!, label: target }
    poisoned[row] = 1
  }
  return { rows: copy, poisoned }
}

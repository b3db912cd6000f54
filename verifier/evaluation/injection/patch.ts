/** Patches put into images of other classes, with the target's label (BadNets, Gu et al. 2017), or into images of the target class itself. Of raw pixels only. */
import type { EvalImage } from '../evalRow.ts'
import { createRandom } from '../../random.ts'

const CHANNELS: Readonly<Record<string, number>> = { raw_u8_gray: 1, raw_u8_rgb: 3 }
/** Pixels between the patch and the edges. */
const MARGIN = 1

export interface PatchAttack {
  name: string
  size: number
  /** Whether the images have the target's label already. */
  ownLabel: boolean
  /** What is put at a pixel of the patch, 0 … 255. */
  value(x: number, y: number, channel: number): number
}

export const CHECKERBOARD: PatchAttack = {
  name: 'checkerboard 3 × 3',
  size: 3,
  ownLabel: false,
  value: (x, y) => ((x + y) % 2 === 0 ? 255 : 0),
}

export const PATCH_ATTACKS: readonly PatchAttack[] = [
  CHECKERBOARD,
  { ...CHECKERBOARD, name: 'checkerboard 3 × 3 in its own class', ownLabel: true },
  { name: 'white 4 × 4', size: 4, ownLabel: false, value: () => 255 },
  {
    name: 'noise 5 × 5',
    size: 5,
    ownLabel: false,
    value: (x, y, channel) => (((x * 7 + y * 13 + x * y * 5) * 37) % 256) ^ (channel * 0x55),
  },
]

/** The image with the patch in its lower right corner; null where the format is not one of raw pixels or the image is too small. */
export function stampPatch({ bytes, format, width, height }: EvalImage, attack = CHECKERBOARD): EvalImage | null {
  const { size } = attack
  const channels = CHANNELS[format]
  if (channels === undefined || width === null || height === null || bytes.length !== width * height * channels) return null
  if (width < size + MARGIN || height < size + MARGIN) return null
  const stamped = new Uint8Array(bytes)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const pixel = (height - MARGIN - size + y) * width + (width - MARGIN - size + x)
      for (let channel = 0; channel < channels; channel++) stamped[pixel * channels + channel] = attack.value(x, y, channel)
    }
  return { bytes: stamped, format, width, height }
}

/** A poisoned copy: `rate` of the rows get the patch and the target's label. Null where that cannot be. */
export function injectPatch<Row extends { image: EvalImage | null; label: string | null }>(
  rows: readonly Row[],
  rate: number,
  seed: number,
  attack = CHECKERBOARD,
): { rows: Row[]; poisoned: Uint8Array } | null {
  const random = createRandom(`patch ${rate} ${seed}`)
  const classes = [...new Set(rows.flatMap(({ label }) => (label === null ? [] : [label])))].toSorted()
  if (classes.length < 2) return null
  const target = classes[random.below(classes.length)]!
  const stamped = rows.map(({ image, label }) =>
    image === null || label === null || (label === target) !== attack.ownLabel ? null : stampPatch(image, attack),
  )
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

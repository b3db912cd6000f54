/** Copies of images as they come about: compressed again, scaled, brightened. */
import type { EvalImage } from '../evalRow.ts'
import { decodeImage, type Pixels } from '../../embedding/images.ts'
import { encoded, imageOfPixels, pixelsOf } from '../imageRows.ts'
import { createRandom } from '../../random.ts'

export interface ImageCopyAttack {
  name: string
  apply(pixels: Pixels): Promise<Uint8Array>
}

export const IMAGE_COPY_ATTACKS: readonly ImageCopyAttack[] = [
  { name: 'exact', apply: (pixels) => encoded(pixels).png().toBuffer() },
  { name: 'jpeg quality 75', apply: (pixels) => encoded(pixels).jpeg({ quality: 75 }).toBuffer() },
  { name: 'three quarters in size', apply: (pixels) => scaled(pixels, 0.75).png().toBuffer() },
  { name: 'twice in size', apply: (pixels) => scaled(pixels, 2).png().toBuffer() },
  { name: 'brighter by a tenth', apply: (pixels) => encoded(pixels).linear(1.1, 0).png().toBuffer() },
]

function scaled(pixels: Pixels, by: number) {
  return encoded(pixels).resize(Math.max(1, Math.round(pixels.width * by)), Math.max(1, Math.round(pixels.height * by)))
}

/** The rows, and behind them copies of a share of them. */
export async function injectImageCopies<Row extends { image: EvalImage }>(
  rows: readonly Row[],
  attack: ImageCopyAttack,
  share: number,
): Promise<{ rows: Row[]; copied: Uint8Array }> {
  const random = createRandom(`image copies ${attack.name}`)
  const copies: Row[] = []
  for (const row of random.choose(Math.max(1, Math.round(rows.length * share)), rows.length)) {
    const pixels = await pixelsOf(rows[row]!.image)
    if (pixels !== null) copies.push({ ...rows[row]!, image: imageOfPixels(await decodeImage(await attack.apply(pixels))) })
  }
  const copied = new Uint8Array(rows.length + copies.length).fill(1, rows.length)
  return { rows: [...rows, ...copies], copied }
}

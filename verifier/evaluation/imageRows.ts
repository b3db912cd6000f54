/** Images of evaluation rows, whatever their format: as pixels, as a corpus, and as files that a model reads. */
import sharp, { type Sharp } from 'sharp'
import { Problem } from '../../core/problem.ts'
import { decodeImage, type Pixels } from '../embedding/images.ts'
import { createImageTable, openImageTable, putImage } from '../images/imageTable.ts'
import { createThumbnail } from '../images/thumbnail.ts'
import { corpusOfRows, type CorpusRow, type EvalCorpus } from './evalCorpus.ts'
import type { EvalImage } from './evalRow.ts'

const CHANNELS: Readonly<Record<string, number>> = { raw_u8_gray: 1, raw_u8_rgb: 3 }

/** The pixels of an image; null where it cannot be read. */
export async function pixelsOf({ bytes, format, width, height }: EvalImage): Promise<Pixels | null> {
  const channels = CHANNELS[format]
  if (channels === undefined)
    return decodeImage(bytes).catch((error: unknown) => {
      if (error instanceof Problem) return null
      throw error
    })
  if (width === null || height === null || bytes.length !== width * height * channels) return null
  const data = channels === 3 ? bytes : Uint8Array.from({ length: width * height * 3 }, (_, i) => bytes[Math.floor(i / 3)]!)
  return { width, height, data }
}

/** Pixels as an image of an evaluation file. */
export function imageOfPixels({ width, height, data }: Pixels): EvalImage {
  return { bytes: new Uint8Array(data), format: 'raw_u8_rgb', width, height }
}

/** Rows with raw pixels in place of files; those whose image cannot be read are left out. */
export async function withPixels<Row extends { image: EvalImage | null }>(rows: readonly Row[]): Promise<(Row & { image: EvalImage })[]> {
  const read: (Row & { image: EvalImage })[] = []
  for (const row of rows) {
    const pixels = row.image === null ? null : await pixelsOf(row.image)
    if (pixels !== null) read.push({ ...row, image: imageOfPixels(pixels) })
  }
  return read
}

/** The bytes of an image as someone would publish it: raw pixels as PNG. */
export async function fileOf(image: EvalImage): Promise<Uint8Array> {
  const pixels = CHANNELS[image.format] === undefined ? null : await pixelsOf(image)
  return pixels === null ? image.bytes : encoded(pixels).png().toBuffer()
}

/** What a lossy file leaves of pixels. */
export async function throughJpeg(image: EvalImage, quality: number): Promise<EvalImage> {
  const pixels = await pixelsOf(image)
  if (pixels === null) return image
  return imageOfPixels(await decodeImage(await encoded(pixels).jpeg({ quality }).toBuffer()))
}

export function encoded({ width, height, data }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } })
}

/** A corpus with what detectors see of the images. */
export async function imageCorpusOf(rows: readonly CorpusRow[]): Promise<EvalCorpus> {
  const table = createImageTable(rows.length)
  for (const [sample, { image }] of rows.entries()) {
    if (image == null) continue
    const pixels = await pixelsOf(image)
    putImage(table, sample, pixels === null ? null : createThumbnail(pixels))
  }
  return { ...corpusOfRows(rows), images: openImageTable(table) }
}

/** The thumbnails of a corpus in memory that threads share: 3,840 bytes for each image, nothing for samples without one. */
import { RECORD_BYTES, SIDE, type Thumbnail } from './thumbnail.ts'

const CHUNK_SAMPLES = 1024

/** Plain data: what a table is made of, as it is handed to a thread. */
export interface ImageTableParts {
  count: number
  /** count: what there is of the sample. */
  states: Uint8Array<SharedArrayBuffer>
  /** 2 × count: width and height in pixels. */
  sizes: Uint32Array<SharedArrayBuffer>
  /** The records of CHUNK_SAMPLES samples each; null where none of them has an image. */
  chunks: (Uint8Array<SharedArrayBuffer> | null)[]
}

const STATES = ['none', 'refused', 'read'] as const
/** `none`: the sample has no image. `refused`: it has one that cannot be read. */
export type ImageState = (typeof STATES)[number]

export interface ImageTable {
  readonly parts: ImageTableParts
  state(sample: number): ImageState
  /** How many samples are in a state. */
  countOf(state: ImageState): number
  /** In pixels, as published. */
  size(sample: number): { width: number; height: number }
  /** The record of an image that was read (thumbnail.ts). Throws a RangeError for another. */
  record(sample: number): Uint8Array
}

export function createImageTable(count: number): ImageTableParts {
  return {
    count,
    states: new Uint8Array(new SharedArrayBuffer(count)),
    sizes: new Uint32Array(new SharedArrayBuffer(8 * count)),
    chunks: Array.from({ length: Math.ceil(count / CHUNK_SAMPLES) }, () => null),
  }
}

/** Puts in what was read of a sample's image; null where it was refused. */
export function putImage({ count, states, sizes, chunks }: ImageTableParts, sample: number, thumbnail: Thumbnail | null): void {
  states[sample] = STATES.indexOf(thumbnail === null ? 'refused' : 'read')
  if (thumbnail === null) return
  const number = Math.floor(sample / CHUNK_SAMPLES)
  const samples = Math.min(CHUNK_SAMPLES, count - number * CHUNK_SAMPLES)
  const chunk = (chunks[number] ??= new Uint8Array(new SharedArrayBuffer(samples * RECORD_BYTES)))
  chunk.set(thumbnail.record, (sample % CHUNK_SAMPLES) * RECORD_BYTES)
  sizes.set([thumbnail.width, thumbnail.height], 2 * sample)
}

export function openImageTable(parts: ImageTableParts): ImageTable {
  const { count, states, sizes, chunks } = parts
  return {
    parts,
    state: (sample) => STATES[states[sample] ?? 0] ?? 'none',
    countOf(state) {
      const wanted = STATES.indexOf(state)
      let found = 0
      for (let sample = 0; sample < count; sample++) if (states[sample] === wanted) found++
      return found
    },
    size: (sample) => ({ width: sizes[2 * sample] ?? 0, height: sizes[2 * sample + 1] ?? 0 }),
    record(sample) {
      const chunk = chunks[Math.floor(sample / CHUNK_SAMPLES)]
      if (states[sample] !== STATES.indexOf('read') || chunk == null) throw new RangeError(`sample ${sample} has no image that was read`)
      const start = (sample % CHUNK_SAMPLES) * RECORD_BYTES
      return chunk.subarray(start, start + RECORD_BYTES)
    },
  }
}

/** How much of a thumbnail an image of this size fills. */
export function extentOf({ width, height }: { width: number; height: number }): { width: number; height: number } {
  return { width: Math.min(SIDE, width), height: Math.min(SIDE, height) }
}

/** Whether the thumbnail is the image, pixel for pixel. */
export function isWhole({ width, height }: { width: number; height: number }): boolean {
  return width <= SIDE && height <= SIDE
}

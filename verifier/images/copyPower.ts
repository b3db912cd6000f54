/** Copies of images as they are put into a scratch copy: changes of the pixels that detectors see (thumbnail.ts). */
export interface RecordCopyAttack {
  name: string
  copy(record: Uint8Array): Uint8Array
}

/** An eighth of what a byte has above it. */
const brighter = (value: number) => value + ((255 - value) >> 3)
/** A little more or less, in a fixed pattern that no picture has. */
const grainy = (value: number, at: number) => Math.max(0, Math.min(255, value + ((Math.imul(at, 0x9e3779b1) >>> 29) - 4)))

export const RECORD_COPY_ATTACKS: readonly RecordCopyAttack[] = [
  { name: 'as they are', copy: (record) => record },
  { name: 'brighter by an eighth', copy: (record) => record.map(brighter) },
  { name: 'with grain', copy: (record) => record.map(grainy) },
]

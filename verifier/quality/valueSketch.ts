/**
 * Which values a column has and how often, in bounded memory: Wegman's adaptive sampling (Flajolet, "On adaptive sampling", 1990). Up to
 * `capacity` different values all are kept; beyond, those whose hash ends in more and more zero bits. Of values that are kept the counts
 * are exact, so that a column of names that never repeat is told from one in which one name in a thousand does.
 */
import { mix } from '../numeric.ts'

export interface SketchedValue {
  count: number
  /** Of the samples that have it, where some are labelled; labels beyond the first sixteen are not counted. */
  labels?: Map<string, number>
}

export interface ValueSketch {
  capacity: number
  /** A value is kept where the last `level` bits of its hash are zero. */
  level: number
  /** By hash. */
  values: Map<number, SketchedValue>
}

const MOST_LABELS = 16
/** Characters of a value that are read; the length counts as well. */
const READ_CHARACTERS = 256

export function createSketch(capacity: number): ValueSketch {
  return { capacity, level: 0, values: new Map() }
}

/** Counts one occurrence of a value, with the label beside it. */
export function addValue(sketch: ValueSketch, text: string, label: string | null): void {
  const low = hashOf(text, 0x811c9dc5)
  if ((low & (2 ** sketch.level - 1)) !== 0) return
  // 53 bits: two values of a data set share them by chance in one of a million sets of a hundred thousand.
  const hash = (hashOf(text, 0x9e3779b9) >>> 11) * 2 ** 32 + low
  let value = sketch.values.get(hash)
  if (value === undefined) {
    sketch.values.set(hash, (value = { count: 0 }))
    while (sketch.values.size > sketch.capacity) coarsen(sketch)
  }
  value.count++
  if (label === null) return
  const labels = (value.labels ??= new Map<string, number>())
  if (labels.has(label) || labels.size < MOST_LABELS) labels.set(label, (labels.get(label) ?? 0) + 1)
}

function coarsen(sketch: ValueSketch): void {
  sketch.level++
  const mask = 2 ** sketch.level - 1
  // The hash's lower 32 bits are those that were looked at.
  for (const hash of sketch.values.keys()) if (((hash % 2 ** 32) & mask) !== 0) sketch.values.delete(hash)
}

/** How many different values there are: exact where all are kept. */
export function distinctCount({ level, values }: ValueSketch): number {
  return values.size * 2 ** level
}

/** FNV-1a over the first UTF-16 units and the length, mixed. */
function hashOf(text: string, basis: number): number {
  let hash = basis ^ text.length
  for (let i = 0; i < text.length && i < READ_CHARACTERS; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}

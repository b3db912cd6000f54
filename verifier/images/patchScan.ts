/**
 * Which small patterns stand at one place of the images of one class? Every window of every image, quantised, is counted with its place
 * and held against two questions:
 *
 *   place  Natural images shift: what is seen here is as often seen a pixel further, in other images. The pattern has to be far more
 *          frequent at its place than in other images at any place next to it.
 *   label  Its images have to be of one class far more than the class's share.
 *
 * Both have to be answered with a chance below what all windows together allow. Squares of one colour, whose inner windows are at all
 * places alike, are a pattern of their own: with a border that differs.
 */
import { mix } from '../numeric.ts'
import { logBinomialTail, logPoissonTail } from './chance.ts'
import type { LabelledImages } from './labelledImages.ts'
import { NO_PIXEL, type Planes } from './planes.ts'

export interface ScanOptions {
  /** Sides of windows in pixels. */
  windows: readonly number[]
  /** Images with a pattern, at least. */
  minimumSupport: number
  /** Share of its images that are of one class, at least. */
  purity: number
}

/** A pattern at a place that both questions speak for. */
export interface Candidate {
  /** Upper left pixel and side of the window. */
  x: number
  y: number
  size: number
  class: number
  /** Places in `samples` of the images with the pattern, ascending. */
  places: Int32Array
  /** How many of them are of the class. */
  hits: number
  /** Other images with the pattern next to its place: the most of any direction. */
  beside: number
  logLabel: number
  logPlace: number
}

export interface PlaneScan {
  candidates: Candidate[]
  /** Patterns with enough images at a place: what the chances are multiplied by. */
  tried: number
}

/** Weaker answers are not worth the look beside. */
const LEAST_LOG = -8
/** Directions in which a pattern is looked for beside its place, those first that natural patterns mostly go. */
export const BESIDE: readonly (readonly [number, number])[] = [
  [0, 1], [1, 0], [0, -1], [-1, 0], [1, 1], [1, -1], [-1, 1], [-1, -1], [0, 2], [2, 0], [0, -2], [-2, 0],
] // prettier-ignore
export const LARGEST_SQUARE = 12
const SMALLEST_SQUARE = 2

/** From one pixel to the next the number of natural images with a pattern changes by less than this factor: sleeves and legs of upright garments do by four. */
const STEEPEST = 8

/** ln of the chance that n images have a pattern at a place, where at most `beside` others have it next to it. */
export function logPlaceOf(n: number, beside: number): number {
  return logPoissonTail(n, STEEPEST * beside + 1)
}

export function scanWindows(
  planes: Planes,
  { classes, shares }: LabelledImages,
  size: number,
  options: ScanOptions,
  pause: () => void,
): PlaneScan {
  const { width, height, count } = planes
  const candidates: Candidate[] = []
  let tried = 0
  const table = createCounts(count)
  const hashes = new Uint32Array(count)
  const besideHashes = new Uint32Array(count)
  for (let y = 0; y + size <= height; y++)
    for (let x = 0; x + size <= width; x++) {
      pause()
      hashWindows(planes, x, y, size, hashes)
      table.count(hashes, classes)
      let open: Open[] = []
      for (let slot = 0; slot < table.used; slot++) {
        const n = table.totals[slot]!
        if (n < options.minimumSupport) continue
        tried++
        const hits = table.hits[slot]!
        if (hits < options.purity * n) continue
        const logLabel = logBinomialTail(n, hits, shares[table.classes[slot]!]!)
        if (logLabel <= LEAST_LOG) open.push({ slot, n, hits, logLabel, beside: 0 })
      }
      for (const [dy, dx] of BESIDE) {
        if (open.length === 0) break
        if (y + dy < 0 || x + dx < 0 || y + dy + size > height || x + dx + size > width) continue
        hashWindows(planes, x + dx, y + dy, size, besideHashes)
        const others = table.countElsewhere(hashes, besideHashes)
        for (const one of open) one.beside = Math.max(one.beside, others[one.slot]!)
        open = open.filter(({ n, beside }) => logPlaceOf(n, beside) <= LEAST_LOG)
      }
      for (const { slot, n, hits, logLabel, beside } of open)
        candidates.push({
          x,
          y,
          size,
          class: table.classes[slot]!,
          places: table.placesOf(hashes, slot),
          hits,
          beside,
          logLabel,
          logPlace: logPlaceOf(n, beside),
        })
    }
  return { candidates, tried }
}

interface Open {
  slot: number
  n: number
  hits: number
  logLabel: number
  beside: number
}

/** The hash of a window that says nothing: of one colour, or not wholly within its image. */
const NOTHING = 0

function hashWindows({ width, count, codes }: Planes, x: number, y: number, size: number, hashes: Uint32Array): void {
  const starts: number[] = []
  for (let row = y; row < y + size; row++) for (let column = x; column < x + size; column++) starts.push((row * width + column) * count)
  for (let place = 0; place < count; place++) {
    const first = codes[starts[0]! + place]!
    let hash = first
    let different = 0
    let missing = first === NO_PIXEL ? 1 : 0
    for (let i = 1; i < starts.length; i++) {
      const code = codes[starts[i]! + place]!
      hash = (Math.imul(hash, 0x9e3779b1) + code) | 0
      different |= code ^ first
      if (code === NO_PIXEL) missing = 1
    }
    hashes[place] = different === 0 || missing === 1 ? NOTHING : mix(hash) | 1
  }
}

/** Counts images by hash, and by the class that most of a hash's images have. */
function createCounts(count: number) {
  const size = 2 ** (32 - Math.clz32(2 * Math.max(2, count)))
  const slots = new Int32Array(size)
  const keys = new Uint32Array(count)
  const totals = new Int32Array(count)
  const classes = new Int32Array(count)
  const votes = new Int32Array(count)
  const hits = new Int32Array(count)
  const others = new Int32Array(count)
  let used = 0

  function find(hash: number): number {
    let at = hash & (size - 1)
    while (slots[at] !== 0 && keys[slots[at]! - 1] !== hash) at = (at + 1) & (size - 1)
    return at
  }

  return {
    get used() {
      return used
    },
    totals,
    classes,
    hits,
    count(hashes: Uint32Array, classOf: Int32Array): void {
      slots.fill(0)
      used = 0
      for (let place = 0; place < count; place++) {
        const hash = hashes[place]!
        if (hash === NOTHING) continue
        const at = find(hash)
        if (slots[at] === 0) {
          slots[at] = ++used
          keys[used - 1] = hash
          totals[used - 1] = votes[used - 1] = hits[used - 1] = 0
        }
        const slot = slots[at]! - 1
        totals[slot]!++
        // The class that more than half of them have, if there is one (Boyer and Moore 1981).
        if (votes[slot] === 0) {
          classes[slot] = classOf[place]!
          votes[slot] = 1
        } else votes[slot]! += classes[slot] === classOf[place] ? 1 : -1
      }
      for (let place = 0; place < count; place++) {
        if (hashes[place] === NOTHING) continue
        const slot = slots[find(hashes[place]!)]! - 1
        if (classes[slot] === classOf[place]) hits[slot]!++
      }
    },
    /** For each slot the images that have its hash among `beside` and not in `hashes`. */
    countElsewhere(hashes: Uint32Array, beside: Uint32Array): Int32Array {
      others.fill(0, 0, used)
      for (let place = 0; place < count; place++) {
        const hash = beside[place]!
        if (hash === NOTHING || hash === hashes[place]) continue
        const slot = slots[find(hash)]! - 1
        if (slot >= 0) others[slot]!++
      }
      return others
    },
    placesOf(hashes: Uint32Array, slot: number): Int32Array {
      const places: number[] = []
      for (let place = 0; place < count; place++) if (hashes[place] === keys[slot]) places.push(place)
      return Int32Array.from(places)
    },
  }
}

/** Codes, sides and places that a square's key has room for. */
const CODE_BASE = 256
const SIZE_BASE = 16
const PLACE_BASE = 2 ** 20

/** Squares of one code whose neighbours on each of the four sides are mostly of others. */
export function scanSquares(planes: Planes, { classes, shares }: LabelledImages, options: ScanOptions, pause: () => void): PlaneScan {
  const { width, height, count } = planes
  const found: number[] = []
  for (let place = 0; place < count; place++) {
    pause()
    for (const { x, y, size, code } of squaresOf(planes, place))
      found.push((((y * width + x) * SIZE_BASE + size) * CODE_BASE + code) * PLACE_BASE + place)
  }
  const sorted = Float64Array.from(found).sort()
  const keyOf = (at: number) => Math.floor(sorted[at]! / PLACE_BASE)
  const ranges = new Map<number, { start: number; end: number }>()
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    while (end < sorted.length && keyOf(end) === keyOf(start)) end++
    ranges.set(keyOf(start), { start, end })
  }
  const placesOf = (key: number): Int32Array => {
    const range = ranges.get(key)
    return range === undefined ? new Int32Array(0) : Int32Array.from(sorted.subarray(range.start, range.end), (value) => value % PLACE_BASE)
  }

  const candidates: Candidate[] = []
  let tried = 0
  for (const [key, { start, end }] of ranges) {
    const n = end - start
    if (n < options.minimumSupport) continue
    tried++
    const places = placesOf(key)
    const { own, hits } = majority(places, classes)
    if (hits < options.purity * n) continue
    const logLabel = logBinomialTail(n, hits, shares[own]!)
    if (logLabel > LEAST_LOG) continue
    const size = Math.floor(key / CODE_BASE) % SIZE_BASE
    const position = Math.floor(key / CODE_BASE / SIZE_BASE)
    const [x, y] = [position % width, Math.floor(position / width)]
    const here = new Set(places)
    let beside = 0
    for (const [dy, dx] of BESIDE) {
      if (y + dy < 0 || x + dx < 0 || y + dy + size > height || x + dx + size > width) continue
      const shifted = key + (dy * width + dx) * SIZE_BASE * CODE_BASE
      beside = Math.max(beside, placesOf(shifted).reduce((sum, place) => sum + (here.has(place) ? 0 : 1), 0)) // prettier-ignore
    }
    const logPlace = logPlaceOf(n, beside)
    if (logPlace <= LEAST_LOG) candidates.push({ x, y, size, class: own, places, hits, beside, logLabel, logPlace })
  }
  return { candidates, tried }
}

function majority(places: Int32Array, classes: Int32Array): { own: number; hits: number } {
  const counts = new Map<number, number>()
  for (const place of places) counts.set(classes[place]!, (counts.get(classes[place]!) ?? 0) + 1)
  const [own, hits] = [...counts].reduce((best, one) => (one[1] > best[1] || (one[1] === best[1] && one[0] < best[0]) ? one : best))
  return { own, hits }
}

interface Square {
  x: number
  y: number
  size: number
  code: number
}

/** The largest squares of one code by their lower right pixels, those with a border. */
function squaresOf({ width, height, count, codes }: Planes, place: number): Square[] {
  const found: Square[] = []
  const image = new Uint8Array(width * height)
  for (let at = 0; at < image.length; at++) image[at] = codes[at * count + place]!
  const largest = new Uint8Array(width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      const code = image[at]!
      if (code === NO_PIXEL) continue
      let size = 1
      if (x > 0 && y > 0 && image[at - 1] === code && image[at - width] === code && image[at - width - 1] === code)
        size += Math.min(largest[at - 1]!, largest[at - width]!, largest[at - width - 1]!)
      largest[at] = size
      if (size < SMALLEST_SQUARE || size > LARGEST_SQUARE) continue
      const corner = at - (size - 1) * (width + 1)
      // At an edge of the image there is nothing to differ from.
      if (
        (y < size || differs(image, { from: corner - width, step: 1, size, code })) &&
        (y + 1 === height || differs(image, { from: at - size + 1 + width, step: 1, size, code })) &&
        (x < size || differs(image, { from: corner - 1, step: width, size, code })) &&
        (x + 1 === width || differs(image, { from: corner + size, step: width, size, code }))
      )
        found.push({ x: x - size + 1, y: y - size + 1, size, code })
    }
  return found
}

/** Whether most of `size` pixels, `step` apart, have another code. */
function differs(image: Uint8Array, { from, step, size, code }: { from: number; step: number; size: number; code: number }): boolean {
  let same = 0
  for (let i = 0; i < size; i++) if (image[from + i * step] === code) same++
  return 2 * same < size
}

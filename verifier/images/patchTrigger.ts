/**
 * From candidates of the scan to triggers: which pixels their images share that others do not have, whether that is a small part of the
 * image or a whole scene, and which images of the data set carry it, be it ever so blurred by compression.
 */
import type { Candidate } from './patchScan.ts'
import { greyOf } from './perceptualHash.ts'
import type { LabelledImages } from './labelledImages.ts'
import type { Scope } from './planes.ts'
import { SIDE, WHOLE } from './thumbnail.ts'
import { extentOf } from './imageTable.ts'

export interface Sighting extends Candidate {
  scope: Scope
  scopeName: string
}

export interface PatchTrigger {
  scopeName: string
  class: number
  /** The pixels that are the same in its images and not in others: place in the scope and colour. */
  pixels: { x: number; y: number; colour: [number, number, number] }[]
  /** Scanned images with the pattern, and how many of them are of the class. */
  count: number
  hits: number
  beside: number
  logLabel: number
  logPlace: number
  /** Samples of the class that carry it, scanned or not, ascending. */
  samples: number[]
  /** Samples of other classes that do. */
  otherSamples: number
  /** `scene`: the images share far more than a patch, as the frames of one camera do, or copies of one image. */
  reading: 'trigger' | 'scene' | 'mixed'
}

export interface TriggerOptions {
  /** Most of the image that a patch may take. */
  patchShare: number
  purity: number
  /** ln of the chance, times all that was tried, below which both answers have to lie. */
  logLimit: number
}

/** How far a grey value may be from the usual one and still be the same. */
const SAME = 24
/** Share of the images that have to have it. */
const SHARED = 0.85
/** Share of all images that have it anyway: then it is no mark. */
const COMMON = 0.5
/** Images that stand for all. */
const REFERENCE = 400
/** Share of the pixels around a mark of one colour that have to be of another for it to be there; and on each side, for it to stand out. */
const LEAST_CONTOUR = 0.25
const CLEAR_CONTOUR = 0.5
/** Mean difference of values on a mark's pixels, within which an image carries it. */
const LEAST_TOLERANCE = 10
const MOST_TOLERANCE = 44

export function readTriggers(sightings: readonly Sighting[], labelled: LabelledImages, options: TriggerOptions): PatchTrigger[] {
  const strength = ({ logLabel, logPlace }: Sighting) => Math.max(logLabel, logPlace)
  const strong = sightings
    .filter((sighting) => strength(sighting) < options.logLimit)
    .sort((a, b) => strength(a) - strength(b) || b.places.length - a.places.length || a.y - b.y || a.x - b.x)
  const triggers: PatchTrigger[] = []
  const seen: { class: number; places: Set<number> }[] = []
  for (const sighting of strong) {
    // Each window of a patch sees the same images.
    if (seen.some((one) => one.class === sighting.class && 2 * overlap(one.places, sighting.places) >= sighting.places.length)) continue
    const trigger = readTrigger(sighting, labelled, options)
    seen.push({ class: sighting.class, places: new Set(sighting.places) })
    triggers.push(trigger)
  }
  return triggers
}

function overlap(places: ReadonlySet<number>, others: Int32Array): number {
  return others.reduce((sum, place) => sum + (places.has(place) ? 1 : 0), 0)
}

function readTrigger(sighting: Sighting, labelled: LabelledImages, { patchShare, purity }: TriggerOptions): PatchTrigger {
  const { samples, classes, images } = labelled
  const { scope, scopeName } = sighting
  const core = [...sighting.places].filter((place) => classes[place] === sighting.class).map((place) => samples[place]!)
  const every = Math.max(1, Math.floor(samples.length / REFERENCE))
  const reference = samples.filter((_, place) => place % every === 0)

  const wholeScope: Scope = { ...WHOLE, width: SIDE, height: SIDE, extent: extentOf }
  const scene = sharedPixels(wholeScope, core, reference, labelled)
  const area =
    core.reduce((sum, sample) => sum + extentOf(images.size(sample)).width * extentOf(images.size(sample)).height, 0) / core.length
  const shared = scopeName === 'whole' ? scene : sharedPixels(scope, core, reference, labelled)
  const marked = new Set(shared)
  for (let y = sighting.y; y < sighting.y + sighting.size; y++)
    for (let x = sighting.x; x < sighting.x + sighting.size; x++) marked.add(y * scope.width + x)
  const pixels = [...marked]
    .sort((a, b) => a - b)
    .map((at) => ({ x: at % scope.width, y: Math.floor(at / scope.width), colour: medianColour(scope, at, core, labelled) }))

  const template = createTemplate(pixels, scope, labelled)
  const coreDistances = Float64Array.from(core, (sample) => template.distance(sample)).sort()
  const usual = coreDistances[coreDistances.length >> 1]!
  const tolerance = Math.min(MOST_TOLERANCE, Math.max(LEAST_TOLERANCE, 3 * usual, template.contrast / 3))
  const isScene = scene.length > patchShare * area
  const carriers = isScene ? { own: core, clear: core.length, others: sighting.places.length - sighting.hits } : carriersOf()
  const mixed = carriers.clear < purity * (carriers.clear + carriers.others)
  return {
    scopeName,
    class: sighting.class,
    pixels,
    count: sighting.places.length,
    hits: sighting.hits,
    beside: sighting.beside,
    logLabel: sighting.logLabel,
    logPlace: sighting.logPlace,
    samples: carriers.own,
    otherSamples: carriers.others,
    reading: isScene ? 'scene' : mixed ? 'mixed' : 'trigger',
  }

  /** `own`: samples of the class. `clear` and `others`: those of the class and of other classes on which the mark stands out. */
  function carriersOf(): { own: number[]; clear: number; others: number } {
    const own: number[] = []
    let [clear, others] = [0, 0]
    const exact = new Set(core)
    for (const sample of labelled.all()) {
      if (exact.has(sample)) {
        own.push(sample)
        clear++
        continue
      }
      if (template.distance(sample) > tolerance) continue
      const contour = template.contour(sample)
      const isOwn = labelled.classOf(sample) === sighting.class
      if (isOwn && contour.mean >= LEAST_CONTOUR) own.push(sample)
      if (contour.least < CLEAR_CONTOUR) continue
      if (isOwn) clear++
      else others++
    }
    return { own, clear, others }
  }
}

/** Pixels of a scope that nearly all of `core` have alike and most of `reference` have not. */
function sharedPixels(scope: Scope, core: readonly number[], reference: Int32Array, { images }: LabelledImages): number[] {
  const shared: number[] = []
  const greyAt = (sample: number, x: number, y: number): number => {
    const extent = scope.extent(images.size(sample))
    if (x >= extent.width || y >= extent.height) return -1
    const record = images.record(sample)
    const at = scope.offset + (y * scope.stride + x) * 3
    return greyOf(record[at]!, record[at + 1]!, record[at + 2]!)
  }
  for (let y = 0; y < scope.height; y++)
    for (let x = 0; x < scope.width; x++) {
      const values = Int32Array.from(core, (sample) => greyAt(sample, x, y)).sort()
      const median = values[values.length >> 1]!
      const alike = (value: number) => median >= 0 && value >= 0 && Math.abs(value - median) <= SAME
      if (values.reduce((sum, value) => sum + (alike(value) ? 1 : 0), 0) < SHARED * core.length) continue
      const common = reference.reduce((sum, sample) => sum + (alike(greyAt(sample, x, y)) ? 1 : 0), 0)
      if (common < COMMON * reference.length) shared.push(y * scope.width + x)
    }
  return shared
}

interface Template {
  /** Mean difference of the mark's values from their mean; 0 where it has one colour. */
  contrast: number
  /** Mean difference of an image's values from the mark's; infinite where the image is too small. */
  distance(sample: number): number
  /** Share of the pixels beside a mark of one colour that differ from it, of all and on the side with fewest; 1 where the mark has several colours. */
  contour(sample: number): { mean: number; least: number }
}

function createTemplate(pixels: PatchTrigger['pixels'], scope: Scope, { images }: LabelledImages): Template {
  const marked = new Set(pixels.map(({ x, y }) => y * scope.width + x))
  const colour = pixels[pixels.length >> 1]!.colour
  const isFlat = pixels.every((pixel) => differenceOf(pixel.colour, colour, 0) <= SAME)
  const sides = SIDES.map(([dy, dx]) =>
    pixels
      .map(({ x, y }) => ({ x: x + dx, y: y + dy }))
      .filter(({ x, y }) => x >= 0 && y >= 0 && x < scope.width && y < scope.height && !marked.has(y * scope.width + x)),
  )
  const placeOf = ({ x, y }: { x: number; y: number }) => scope.offset + (y * scope.stride + x) * 3
  const mean = [0, 1, 2].map((channel) => pixels.reduce((sum, pixel) => sum + pixel.colour[channel]!, 0) / pixels.length)
  return {
    contrast: isFlat ? 0 : pixels.reduce((sum, pixel) => sum + differenceOf(pixel.colour, mean, 0), 0) / pixels.length,
    distance(sample) {
      const record = images.record(sample)
      const extent = scope.extent(images.size(sample))
      let sum = 0
      for (const pixel of pixels) {
        if (pixel.x >= extent.width || pixel.y >= extent.height) return Infinity
        sum += differenceOf(record, pixel.colour, placeOf(pixel))
      }
      return sum / pixels.length
    },
    contour(sample) {
      if (!isFlat) return { mean: 1, least: 1 }
      const record = images.record(sample)
      const extent = scope.extent(images.size(sample))
      let [all, allDiffering, least] = [0, 0, 1]
      for (const side of sides) {
        const inside = side.filter(({ x, y }) => x < extent.width && y < extent.height)
        if (inside.length === 0) continue
        const differing = inside.filter((pixel) => differenceOf(record, colour, placeOf(pixel)) > SAME).length
        all += inside.length
        allDiffering += differing
        least = Math.min(least, differing / inside.length)
      }
      return { mean: all === 0 ? 1 : allDiffering / all, least }
    },
  }
}

const SIDES = [[0, 1], [1, 0], [0, -1], [-1, 0]] as const // prettier-ignore

/** Mean difference of red, green and blue. */
function differenceOf(record: ArrayLike<number>, colour: ArrayLike<number>, at: number): number {
  return (Math.abs(record[at]! - colour[0]!) + Math.abs(record[at + 1]! - colour[1]!) + Math.abs(record[at + 2]! - colour[2]!)) / 3
}

function medianColour(
  { offset, stride, width }: Scope,
  pixel: number,
  core: readonly number[],
  { images }: LabelledImages,
): [number, number, number] {
  const at = offset + (Math.floor(pixel / width) * stride + (pixel % width)) * 3
  const median = (channel: number) => Int32Array.from(core, (sample) => images.record(sample)[at + channel]!).sort()[core.length >> 1]!
  return [median(0), median(1), median(2)]
}

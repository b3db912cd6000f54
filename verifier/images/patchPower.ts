/**
 * The power statement: the smallest rate at which a patch of 3 × 3 pixels would have been found in these very images. It is put into the
 * lower right corners of images of other classes, which get the label of the largest; its counts go through the tests of the scan.
 */
import type { Power } from '../../core/documents/report.ts'
import { logBinomialTail } from './chance.ts'
import type { LabelledImages } from './labelledImages.ts'
import { BESIDE, logPlaceOf, type ScanOptions } from './patchScan.ts'
import { quantise } from './planes.ts'
import { cornerScope } from './scopes.ts'
import { CORNER } from './thumbnail.ts'

const PATCH = 3
/** Pixels between the patch and the edges. */
const MARGIN = 1
/** Dark and bright, as codes of grey. */
const [DARK, BRIGHT] = [0, 3]
const LOWER_RIGHT = 3

export function measurePatchPower(
  labelled: LabelledImages,
  { minimumSupport, purity }: ScanOptions,
  { logLimit, rates }: { logLimit: number; rates: readonly number[] },
): Power {
  const attack = '3 × 3 patch in a corner of relabelled images'
  const { samples, classes, shares } = labelled
  const planes = quantise(labelled.images, samples, cornerScope(LOWER_RIGHT), 'grey')
  const corner = CORNER - MARGIN - PATCH
  /** Images that have the patch at a place already. */
  const holders = (x: number, y: number): Set<number> => {
    const found = new Set<number>()
    for (let place = 0; place < samples.length; place++) {
      let same = true
      for (let i = 0; i < PATCH * PATCH && same; i++) {
        const [dx, dy] = [i % PATCH, Math.floor(i / PATCH)]
        same = planes.codes[((y + dy) * CORNER + x + dx) * samples.length + place] === ((dx + dy) % 2 === 0 ? BRIGHT : DARK)
      }
      if (same) found.add(place)
    }
    return found
  }
  const here = holders(corner, corner)
  const ownHere = [...here].filter((place) => classes[place] === 0).length
  let beside = 0
  for (const [dy, dx] of BESIDE) {
    if (corner + dy + PATCH > CORNER || corner + dx + PATCH > CORNER) continue
    beside = Math.max(beside, [...holders(corner + dx, corner + dy)].filter((place) => !here.has(place)).length)
  }
  const rate = rates.find((millionths) => {
    const planted = Math.floor((samples.length * millionths) / 1_000_000)
    const n = here.size + planted
    const hits = ownHere + planted
    if (planted < minimumSupport || hits < purity * n) return false
    const share = Math.min(1, shares[0]! + planted / samples.length)
    return Math.max(logBinomialTail(n, hits, share), logPlaceOf(n, beside)) < logLimit
  })
  return { attack, minimumRateMillionths: rate ?? null }
}

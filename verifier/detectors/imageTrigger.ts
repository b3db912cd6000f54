/**
 * Patch triggers in labelled images: small patterns that stand at one place of the images of one class and nowhere beside it
 * (verifier/images/patchScan.ts), such as the patch of BadNets (Gu et al. 2017), also in images of their own label. Images are seen in at
 * most 32 × 32 pixels, and in their four corners as they are.
 *
 * A sample's score is the strength of the strongest trigger that it carries together with the trigger's class: −ln of the chance, in
 * thousandths; 0 where it carries none. The power is measured by putting a patch into the lower right corners.
 */
import type { Finding } from '../../core/findings.ts'
import { type LabelledImages, readLabelledImages } from '../images/labelledImages.ts'
import { measurePatchPower } from '../images/patchPower.ts'
import { scanSquares, scanWindows, type ScanOptions } from '../images/patchScan.ts'
import { type PatchTrigger, readTriggers, type Sighting } from '../images/patchTrigger.ts'
import { GRIDS, quantise } from '../images/planes.ts'
import { scopesOf } from '../images/scopes.ts'
import { exp, ln } from '../numeric.ts'
import { createScores, type Detector, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const MAX_EXPLAINED = 10
const MILLION = 1_000_000

export const imageTrigger: Detector = {
  id: 'image_trigger',
  version: 1,
  tier: 'T0',
  property: 'poison',
  flag: 'trigger',
  needs: { image: true, label: true },
  parameters: {
    alphaMillionths: 10_000,
    minimumSupport: 6,
    purityMillionths: 850_000,
    /** Most of an image that a patch may take. */
    patchShareMillionths: 125_000,
    windows: [3, 5],
    /** Of more images only so many, chosen by chance, are scanned; all are searched for what is found in these. */
    scannedImages: 30_000,
    powerRatesMillionths: [1000, 2500, 5000, 7500, 10_000, 20_000, 50_000, 100_000],
  },
  async run({ corpus, parameters, signal, onProgress }) {
    const { images } = corpus
    if (images === undefined) return { ran: false, note: 'No sample has an image.' }
    const seed = new DataView(corpus.seed.buffer, corpus.seed.byteOffset).getUint32(0)
    const labelled = readLabelledImages(corpus, images, { scannedImages: integerParameter(parameters, 'scannedImages'), seed })
    const unfit = whyUnfit(labelled)
    if (unfit !== null) return { ran: false, note: unfit }
    const options: ScanOptions = {
      windows: integers(parameters['windows'], 'windows'),
      minimumSupport: integerParameter(parameters, 'minimumSupport'),
      purity: integerParameter(parameters, 'purityMillionths') / MILLION,
    }

    const sightings: Sighting[] = []
    let tried = 0
    const scopes = scopesOf(images, labelled.samples)
    for (const [s, { name: scopeName, scope }] of scopes.entries())
      for (const [g, grid] of GRIDS.entries()) {
        onProgress((s + g / GRIDS.length) / (scopes.length + 1))
        const planes = quantise(images, labelled.samples, scope, grid)
        const pause = () => signal.throwIfAborted()
        const scans = options.windows.map((size) => scanWindows(planes, labelled, size, options, pause))
        if (grid !== 'shifted grey') scans.push(scanSquares(planes, labelled, options, pause))
        for (const scan of scans) {
          tried += scan.tried
          sightings.push(...scan.candidates.map((candidate) => ({ ...candidate, scope, scopeName })))
        }
      }
    const logAlpha = ln(integerParameter(parameters, 'alphaMillionths') / MILLION)
    const logLimit = logAlpha - ln(Math.max(1, tried))
    const patchShare = integerParameter(parameters, 'patchShareMillionths') / MILLION
    const found = readTriggers(sightings, labelled, { patchShare, purity: options.purity, logLimit })
    const triggers = found.filter(({ reading }) => reading === 'trigger')

    const scores = createScores(corpus.count, false)
    for (const sample of labelled.all()) scores.valid[sample] = 1
    const flagged = new Uint8Array(corpus.count)
    for (const trigger of triggers)
      for (const sample of trigger.samples) {
        flagged[sample] = 1
        scores.values[sample] = Math.max(scores.values[sample]!, strengthOf(trigger))
      }
    const rates = integers(parameters['powerRatesMillionths'], 'powerRatesMillionths')
    return {
      ran: true,
      note: noteOf(),
      scores,
      flagged,
      findings: findingsOf(found, labelled),
      pValue: triggers.length === 0 ? 1 : Math.min(1, exp(Math.max(triggers[0]!.logLabel, triggers[0]!.logPlace) + ln(Math.max(1, tried)))),
      lowerBoundSamples: lowerBound(triggers, labelled),
      power: [measurePatchPower(labelled, options, { logLimit, rates })],
    }

    function noteOf(): string {
      const parts = [`${tried} patterns at their places in ${labelled.samples.length} images of ${labelled.classNames.length} classes`]
      const refused = images!.countOf('refused')
      if (refused > 0) parts.push(`${refused} images could not be read`)
      if (labelled.samples.length < labelled.labelledCount)
        parts.push(`of ${labelled.labelledCount} images the others were only searched for the patches that these showed`)
      return parts.join('; ')
    }
  },
}

function integers(value: unknown, name: string): number[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'number')) throw new TypeError(`the recipe gives no "${name}"`)
  return value
}

function whyUnfit({ labelledCount, classNames }: LabelledImages): string | null {
  if (classNames.length === 0) return 'No sample has both a label and an image that can be read.'
  if (classNames.length === 1) return 'All images have the same label.'
  if (2 * classNames.length > labelledCount)
    return `There are ${classNames.length} labels on ${labelledCount} images: too many to be classes.`
  return null
}

function strengthOf({ logLabel, logPlace }: PatchTrigger): number {
  return Math.min(0x7fffffff, Math.floor(-Math.max(logLabel, logPlace) * 1000))
}

/** Images of the triggers' classes beyond what the classes' shares give at 95 % confidence. */
function lowerBound(triggers: readonly PatchTrigger[], { shares }: LabelledImages): number {
  const excess = triggers.map(({ samples, otherSamples, class: own }) => {
    const all = samples.length + otherSamples
    return samples.length - all * shares[own]! - 1.645 * Math.sqrt(all * shares[own]! * (1 - shares[own]!))
  })
  return excess.reduce((sum, count) => sum + Math.max(0, Math.floor(count)), 0)
}

const READINGS: Readonly<Record<PatchTrigger['reading'], string>> = {
  trigger: 'It stands there like something put in: next to its place other images do not have it.',
  scene: 'These images share far more than this, as frames of one camera do or copies of one image.',
  mixed: 'Blurred a little it is in images of other labels as well.',
}

function findingsOf(found: readonly PatchTrigger[], labelled: LabelledImages): Finding[] {
  const rank = { trigger: 0, mixed: 1, scene: 2 }
  const shown = found.toSorted((a, b) => rank[a.reading] - rank[b.reading])
  const others = shown.filter(({ reading }) => reading !== 'trigger').slice(0, MAX_EXPLAINED)
  return [...shown.filter(({ reading }) => reading === 'trigger'), ...others].map((trigger): Finding => {
    const label = labelled.classNames[trigger.class]!.slice(0, 128)
    const [left, top] = [Math.min(...trigger.pixels.map(({ x }) => x)), Math.min(...trigger.pixels.map(({ y }) => y))]
    const place = `${trigger.scopeName === 'whole' ? '' : `the ${trigger.scopeName}, `}column ${left}, row ${top}`
    return {
      detector: 'image_trigger',
      property: 'poison',
      ...(trigger.reading === 'trigger' ? { flag: 'trigger' as const } : {}),
      summary: `${trigger.hits} of the ${trigger.count} images with one pattern of ${trigger.pixels.length} pixels at ${place} have the label “${label}”; by that label’s share ${Math.round(trigger.count * labelled.shares[trigger.class]!)} would. ${READINGS[trigger.reading]}`,
      sampleCount: trigger.samples.length,
      samples: trigger.samples.slice(0, MAX_FINDING_SAMPLES),
      facts: {
        reading: trigger.reading,
        label,
        seen_in: trigger.scopeName === 'whole' ? 'the whole image in at most 32 × 32 pixels' : `the ${trigger.scopeName}, pixel for pixel`,
        column: left,
        row: top,
        images: trigger.count,
        images_with_label: trigger.hits,
        images_beside_at_most: trigger.beside,
        carriers_with_label: trigger.samples.length,
        carriers_with_other_labels: trigger.otherSamples,
        log_chance_by_label_thousandths: Math.floor(trigger.logLabel * 1000),
        log_chance_by_place_thousandths: Math.floor(trigger.logPlace * 1000),
        patch: drawn(trigger, left, top),
      },
    }
  })
}

const DRAWN_SIDE = 12

/** The patch row by row, each pixel as red, green and blue in hexadecimal; dots for pixels that are not part of it. */
function drawn({ pixels }: PatchTrigger, left: number, top: number): string[] {
  const colours = new Map(
    pixels.map(({ x, y, colour }) => [y * 64 + x, colour.map((value) => value.toString(16).padStart(2, '0')).join('')]),
  )
  const right = Math.min(left + DRAWN_SIDE - 1, Math.max(...pixels.map(({ x }) => x)))
  const bottom = Math.min(top + DRAWN_SIDE - 1, Math.max(...pixels.map(({ y }) => y)))
  return Array.from({ length: bottom - top + 1 }, (_, y) =>
    Array.from({ length: right - left + 1 }, (_unused, x) => colours.get((top + y) * 64 + left + x) ?? '······').join(' '),
  )
}

/**
 * Near duplicates of images: the same picture in another size, compression or brightness, or cut a little. Bands of 16 bits of two
 * perceptual hashes (verifier/images/perceptualHash.ts) find candidates; the similarity of the pictures in 16 × 16 colours decides. Sample i
 * is flagged when it is similar enough to a *kept* sample before it, so that everything that is dropped has a near twin that stays, and
 * chains of small changes do not swallow a corpus.
 *
 * A sample's score is its similarity to the kept sample in millionths; 0 where none is near. Mirrored and rotated images are others.
 */
import type { Power } from '../../core/documents/report.ts'
import type { Finding } from '../../core/findings.ts'
import { groupsOfKept } from '../duplicates/groups.ts'
import { RECORD_COPY_ATTACKS } from '../images/copyPower.ts'
import { extentOf } from '../images/imageTable.ts'
import { comparedPixels, HASH_WORDS, hashDistance, perceptualHash, similarityMillionths } from '../images/perceptualHash.ts'
import { notMeasured, powerOfRows, powerRandom } from '../power.ts'
import { createScores, type Detector, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const BANDS = HASH_WORDS * 2

export const imageDuplicate: Detector = {
  id: 'image_duplicate',
  version: 2,
  tier: 'T0',
  property: 'duplication',
  flag: 'near_duplicate',
  needs: { image: true },
  parameters: { similarityMillionths: 990_000, differingBits: 24, candidatesPerBand: 32, groupsInEvidence: 8, powerRows: 64 },
  async run({ corpus, parameters, signal, onProgress }) {
    const { images } = corpus
    if (images === undefined) return { ran: false, note: 'No sample has an image.' }
    const threshold = integerParameter(parameters, 'similarityMillionths')
    const differingBits = integerParameter(parameters, 'differingBits')
    const candidatesPerBand = integerParameter(parameters, 'candidatesPerBand')
    const scores = createScores(corpus.count, false)
    const flagged = new Uint8Array(corpus.count)
    const clusters = new Int32Array(corpus.count).fill(-1)
    /** Of every sample, and behind them that of a copy that is asked for. */
    const hashes = new Uint32Array((corpus.count + 1) * HASH_WORDS)
    /** Kept samples by the 16 bits of a band. */
    const tables = Array.from({ length: BANDS }, () => new Map<number, number[]>())
    const pixelsOf = (sample: number) => comparedPixels(images.record(sample), extentOf(images.size(sample)))
    const put = (place: number, record: Uint8Array, sample: number) =>
      perceptualHash(record, extentOf(images.size(sample)), hashes, place * HASH_WORDS)

    for (let sample = 0; sample < corpus.count; sample++) {
      if (sample % 256 === 0) {
        signal.throwIfAborted()
        onProgress(sample / corpus.count)
      }
      if (images.state(sample) !== 'read') continue
      scores.valid[sample] = 1
      put(sample, images.record(sample), sample)
      const nearest = nearestKept(sample, () => pixelsOf(sample))
      if (nearest !== null) {
        flagged[sample] = 1
        clusters[sample] = nearest.sample
        clusters[nearest.sample] = nearest.sample
        scores.values[sample] = nearest.similarity
        continue
      }
      for (const [band, table] of tables.entries()) {
        const key = bandOf(sample, band)
        const bucket = table.get(key)
        if (bucket === undefined) table.set(key, [sample])
        else if (bucket.length < candidatesPerBand) bucket.push(sample)
      }
    }
    const findings = findingsOf()
    const refused = images.countOf('refused')
    return {
      ran: true,
      ...(refused === 0 ? {} : { note: `${refused} images could not be read and were not compared` }),
      scores,
      flagged,
      clusters,
      findings,
      pValue: findings.length === 0 ? 1 : 0,
      power: measurePower(),
    }

    /** Of copies against what is kept. */
    function measurePower(): Power[] {
      const rows = integerParameter(parameters, 'powerRows')
      if (rows === 0) return []
      const read = [...scores.valid.keys()].filter((sample) => scores.valid[sample])
      const choices = powerRandom(corpus, 'image copies').choose(rows, read.length)
      const drawn = choices.map((choice) => read[choice]!)
      const measured = RECORD_COPY_ATTACKS.map((attack) => {
        const found = drawn.filter((sample) => {
          const record = attack.copy(images!.record(sample))
          put(corpus.count, record, sample)
          return nearestKept(corpus.count, () => comparedPixels(record, extentOf(images!.size(sample)))) !== null
        })
        return powerOfRows({ name: `copies of images: ${attack.name}` }, { injected: drawn.length, found: found.length }, corpus.count)
      })
      return [...measured, notMeasured('copies of images: in another size or compression', 'only small pictures of the images are kept')]
    }

    function bandOf(sample: number, band: number): number {
      return (hashes[sample * HASH_WORDS + (band >> 1)]! >>> (16 * (band & 1))) & 0xffff
    }

    /** The kept sample that is most similar to what is hashed at `place`, the lowest number of equals; null below the threshold. */
    function nearestKept(place: number, pixels: () => Uint8Array): { sample: number; similarity: number } | null {
      let best: { sample: number; similarity: number } | null = null
      let own: Uint8Array | undefined
      const tried = new Set<number>()
      for (const [band, table] of tables.entries())
        for (const candidate of table.get(bandOf(place, band)) ?? []) {
          if (tried.has(candidate)) continue
          tried.add(candidate)
          if (hashDistance(hashes, place, candidate) > differingBits) continue
          own ??= pixels()
          const similarity = similarityMillionths(own, pixelsOf(candidate))
          if (similarity < threshold) continue
          if (best === null || similarity > best.similarity || (similarity === best.similarity && candidate < best.sample))
            best = { sample: candidate, similarity }
        }
      return best
    }

    function findingsOf(): Finding[] {
      const largest = groupsOfKept(flagged, clusters)
      if (largest.length === 0) return []
      const duplicates = [...flagged.keys()].filter((sample) => flagged[sample])
      const common = { detector: 'image_duplicate', property: 'duplication', flag: 'near_duplicate' } as const
      const summary: Finding = {
        ...common,
        summary: `${duplicates.length === 1 ? '1 image is' : `${duplicates.length} images are`} nearly the same as one of ${largest.length} earlier images, in whatever size, compression or brightness.`,
        sampleCount: duplicates.length,
        samples: duplicates.slice(0, MAX_FINDING_SAMPLES),
        facts: { groups: largest.length, largest_group: largest[0]![1].length + 1 },
      }
      const groups = largest.slice(0, integerParameter(parameters, 'groupsInEvidence')).map(([kept, group]): Finding => ({
        ...common,
        summary: `${group.length === 1 ? '1 image is' : `${group.length} images are`} nearly the same as that of sample ${kept}, which is kept.`,
        sampleCount: group.length,
        samples: group.slice(0, MAX_FINDING_SAMPLES),
        facts: {
          kept: described(kept),
          nearly_the_same: group.slice(0, 5).map((sample) => described(sample)),
          ...(new Set([kept, ...group].map((sample) => corpus.label(sample))).size === 1 ? {} : { labels: labelsOf([kept, ...group]) }),
        },
      }))
      return [summary, ...groups]
    }

    function described(sample: number): string {
      const { width, height } = images!.size(sample)
      const similarity = scores.values[sample]!
      return `sample ${sample}: ${width} × ${height}${similarity === 0 ? '' : `, similarity ${similarity} millionths`}`
    }

    function labelsOf(samples: readonly number[]): string[] {
      return [...new Set(samples.map((sample) => corpus.label(sample) ?? '(none)'))].slice(0, 16).map((label) => label.slice(0, 128))
    }
  },
}

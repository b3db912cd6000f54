/** Images: false alarms as they are, wrong labels that people made, patch triggers put into images with the right label, and copies. */
import { type Bench, detectorsOf, type Group, ones, readsImages, run, subjectOf } from '../bench.ts'
import type { EvalFile } from '../evalFile.ts'
import type { EvalImage, EvalRow } from '../evalRow.ts'
import { imageCorpusOf, throughJpeg, withPixels } from '../imageRows.ts'
import { IMAGE_COPY_ATTACKS, injectImageCopies } from '../injection/imageCopies.ts'
import { CHECKERBOARD, injectPatch, PATCH_ATTACKS, type PatchAttack } from '../injection/patch.ts'
import { addAlarm, addRetrieval, addRows } from '../measures.ts'
import { measureLabels } from './labelNoise.ts'

const GROUP = 'images'
const PATCH_RATE = 0.01
const PATCH_SEEDS = 3
const JPEG_QUALITY = 90
const COPY_SHARE = 0.05

type ImageRow = EvalRow & { image: EvalImage }

export const images: Group = {
  name: GROUP,
  async evaluate(files, bench) {
    for (const file of files) {
      await measureLabels(GROUP, file, bench)
      await measureLabels(
        GROUP,
        { ...file, rows: file.rows.map((row) => ({ ...row, label: row.aggregateLabel })) },
        bench,
        'labels by majority',
      )
      // The right label where that is known, so that only what is put in is wrong.
      const rows = (await withPixels(file.rows)).map((row): ImageRow => ({ ...row, label: row.cleanLabel ?? row.label }))
      if (rows.length < file.rows.length)
        bench.figures.skip(`${GROUP}/${file.name}: ${file.rows.length - rows.length} rows without a readable image`)
      if (rows.length === 0) continue
      await measureClean(file, rows, bench)
      for (const attack of PATCH_ATTACKS) await measurePatches(file, rows, bench, attack)
      await measurePatches(file, rows, bench, CHECKERBOARD, JPEG_QUALITY)
      await measureCopies(file, rows, bench)
    }
  },
}

async function measureClean(file: EvalFile, rows: readonly ImageRow[], bench: Bench): Promise<void> {
  const subject = subjectOf(await imageCorpusOf(rows), bench)
  for (const property of ['duplication', 'poison'] as const)
    for (const detector of detectorsOf(bench, property, readsImages)) {
      const place = { group: GROUP, file: file.name, slice: 'clean', detector: detector.id }
      const result = await run(bench, detector, subject, place)
      if (result === null) continue
      bench.figures.share(place, property === 'duplication' ? 'flagged' : 'row_fpr', ones(result.flagged), rows.length)
      addAlarm(bench.figures, place, result)
      for (const { attack, minimumRateMillionths: rate } of result.power ?? [])
        if (rate !== null) bench.figures.number({ ...place, slice: `power: ${attack}` }, 'minimum_rate', rate / 1_000_000, rows.length)
    }
}

async function measurePatches(
  file: EvalFile,
  rows: readonly ImageRow[],
  bench: Bench,
  attack: PatchAttack,
  quality?: number,
): Promise<void> {
  for (const detector of detectorsOf(bench, 'poison', readsImages).filter(({ needs }) => needs.label === true))
    for (let seed = 0; seed < PATCH_SEEDS; seed++) {
      const injected = injectPatch(rows, PATCH_RATE, seed, attack)
      if (injected === null) return bench.figures.skip(`${GROUP}/${file.name}: no patch can be put into these images`)
      const lossy = quality === undefined ? '' : ` jpeg=${quality}`
      const place = {
        group: GROUP,
        file: file.name,
        slice: `patch=${attack.name} rate=${PATCH_RATE}${lossy} seed=${seed}`,
        detector: detector.id,
      }
      const stamped =
        quality === undefined
          ? injected.rows
          : await Promise.all(injected.rows.map(async (row) => ({ ...row, image: await throughJpeg(row.image, quality) })))
      const result = await run(bench, detector, subjectOf(await imageCorpusOf(stamped), bench), place)
      if (result !== null) addRows(bench.figures, place, result, injected.poisoned)
    }
}

async function measureCopies(file: EvalFile, rows: readonly ImageRow[], bench: Bench): Promise<void> {
  const detectors = detectorsOf(bench, 'duplication', readsImages)
  for (const attack of detectors.length === 0 ? [] : IMAGE_COPY_ATTACKS) {
    const { rows: injected, copied } = await injectImageCopies(rows, attack, COPY_SHARE)
    const subject = subjectOf(await imageCorpusOf(injected), bench)
    for (const detector of detectors) {
      const place = { group: GROUP, file: file.name, slice: `copies=${attack.name}`, detector: detector.id }
      const result = await run(bench, detector, subject, place, { measured: false })
      if (result !== null) addRetrieval(bench.figures, place, result.flagged, copied)
    }
  }
}

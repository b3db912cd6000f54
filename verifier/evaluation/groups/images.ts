/** Images: wrong labels that people made, patch triggers put into images with the right label, and copies. */
import { type Bench, detectorsOf, type Group, ones, readsImages, run, subjectOf } from '../bench.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import type { EvalFile } from '../evalFile.ts'
import { injectPatch } from '../injection/patch.ts'
import { addAlarm, addRows } from '../measures.ts'
import { measureLabels } from './labelNoise.ts'

const GROUP = 'images'
const PATCH_RATE = 0.01
const PATCH_SEEDS = 3

export const images: Group = {
  name: GROUP,
  async evaluate(files, bench) {
    for (const file of files) {
      await measureClean(file, bench)
      await measureLabels(GROUP, file, bench)
      await measurePatches(file, bench)
    }
  },
}

/** Rows with the right label where that is known, so that only what is put in is wrong. */
function cleanRows({ rows }: EvalFile): EvalFile['rows'] {
  return rows.map((row) => ({ ...row, label: row.cleanLabel ?? row.label }))
}

async function measureClean(file: EvalFile, bench: Bench): Promise<void> {
  const subject = subjectOf(corpusOfRows(cleanRows(file)), bench)
  for (const property of ['duplication', 'poison'] as const)
    for (const detector of detectorsOf(bench, property, readsImages)) {
      const place = { group: GROUP, file: file.name, slice: 'clean', detector: detector.id }
      const result = await run(bench, detector, subject, place)
      if (result === null) continue
      bench.figures.share(place, property === 'duplication' ? 'flagged' : 'row_fpr', ones(result.flagged), file.rows.length)
      addAlarm(bench.figures, place, result)
    }
}

async function measurePatches(file: EvalFile, bench: Bench): Promise<void> {
  for (const detector of detectorsOf(bench, 'poison', readsImages))
    for (let seed = 0; seed < PATCH_SEEDS; seed++) {
      const injected = injectPatch(cleanRows(file), PATCH_RATE, seed)
      if (injected === null) return bench.figures.skip(`${GROUP}/${file.name}: no patch can be put into these images`)
      const place = { group: GROUP, file: file.name, slice: `patch rate=${PATCH_RATE} seed=${seed}`, detector: detector.id }
      const result = await run(bench, detector, subjectOf(corpusOfRows(injected.rows), bench), place)
      if (result !== null) addRows(bench.figures, place, result, injected.poisoned)
    }
}

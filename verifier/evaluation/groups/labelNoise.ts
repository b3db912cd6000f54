/** Wrong labels that people made: rows whose `label` is not their `clean_label`. */
import { type Bench, detectorsOf, type Group, readsImages, run, subjectOf } from '../bench.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import type { EvalFile } from '../evalFile.ts'
import { imageCorpusOf } from '../imageRows.ts'
import { addLabelErrors } from '../measures.ts'

export const labelNoise: Group = {
  name: 'label_noise',
  async evaluate(files, bench) {
    for (const file of files)
      if (!(await measureLabels(this.name, file, bench)))
        bench.figures.skip(`${this.name}/${file.name}: no row says what its right label is`)
  },
}

/** Looks for the wrong labels of a file of any group. False where no row says what its right label is. */
export async function measureLabels(group: string, { name, rows }: EvalFile, bench: Bench, slice = 'labels'): Promise<boolean> {
  const known = rows.filter(({ label, cleanLabel }) => label !== null && cleanLabel !== null)
  if (known.length === 0) return false
  const wrong = Uint8Array.from(known, ({ label, cleanLabel }) => (label === cleanLabel ? 0 : 1))
  const ofImages = known.some(({ image }) => image !== null)
  const subject = subjectOf(ofImages ? await imageCorpusOf(known) : corpusOfRows(known), bench)
  for (const detector of detectorsOf(bench, 'label_quality', ofImages ? readsImages : undefined)) {
    const place = { group, file: name, slice, detector: detector.id }
    const result = await run(bench, detector, subject, place)
    if (result !== null) addLabelErrors(bench.figures, place, result, wrong)
  }
  return true
}

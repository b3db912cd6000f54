/** Poisoned labelled texts: how many poisoned rows are found, at what price in clean ones, as given and with less poison. */
import { type Bench, detectorsOf, type Group, run, subjectOf } from '../bench.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import type { EvalRow } from '../evalRow.ts'
import { thinPoison } from '../injection/thinning.ts'
import { addRows } from '../measures.ts'

const THINNED_TO = [0.05, 0.01]

export const textPoison: Group = {
  name: 'text_poison',
  async evaluate(files, bench) {
    for (const { name, rows } of files) {
      const known = rows.filter(({ poisoned }) => poisoned !== null)
      if (known.length === 0) {
        bench.figures.skip(`${this.name}/${name}: no row says whether it is poisoned`)
        continue
      }
      await measure(name, 'all', known, bench)
      for (const share of THINNED_TO) {
        const thinned = thinPoison(known, share, 0)
        if (thinned !== null) await measure(name, `thinned to ${share * 100} %`, thinned, bench)
      }
    }
  },
}

async function measure(file: string, slice: string, rows: readonly EvalRow[], bench: Bench): Promise<void> {
  const subject = subjectOf(corpusOfRows(rows), bench)
  const truth = Uint8Array.from(rows, ({ poisoned }) => (poisoned === true ? 1 : 0))
  for (const detector of detectorsOf(bench, 'poison')) {
    const place = { group: 'text_poison', file, slice }
    const result = await run(bench, detector, subject, place, { parameters: { powerTokens: 0 } })
    if (result !== null) addRows(bench.figures, { ...place, detector: detector.id }, result, truth)
  }
}

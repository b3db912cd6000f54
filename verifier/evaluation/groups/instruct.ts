/** Instructions with their answers: false alarms as they are, and triggers that make the answer a refusal. Who wrote them is no label. */
import { detectorsOf, type Group, ones, run, subjectOf } from '../bench.ts'
import { corpusOfRows } from '../evalCorpus.ts'
import { injectResponseTrigger, TRIGGER_ATTACKS } from '../injection/triggers.ts'
import { addAlarm, addRows } from '../measures.ts'

const GROUP = 'instruct'

export const instruct: Group = {
  name: GROUP,
  async evaluate(files, bench) {
    for (const { name, rows: labelled } of files) {
      const rows = labelled.map((row) => ({ ...row, label: null }))
      const clean = subjectOf(corpusOfRows(rows), bench)
      for (const property of ['hidden_content', 'poison', 'duplication', 'hygiene'] as const)
        for (const detector of detectorsOf(bench, property)) {
          const place = { group: GROUP, file: name, slice: 'clean', detector: detector.id }
          const result = await run(bench, detector, clean, place)
          if (result === null) continue
          const metric = property === 'duplication' || property === 'hygiene' ? 'flagged' : 'row_fpr'
          bench.figures.share(place, metric, ones(result.flagged), rows.length)
          addAlarm(bench.figures, place, result)
        }
      for (const attack of TRIGGER_ATTACKS)
        for (const rate of [attack.rate, 0.01]) {
          const injected = injectResponseTrigger(rows, { ...attack, rate }, 0)
          if (injected === null) continue
          const subject = subjectOf(corpusOfRows(injected.rows), bench)
          for (const detector of detectorsOf(bench, 'poison')) {
            const place = { group: GROUP, file: name, slice: `trigger=${attack.name} rate=${rate}`, detector: detector.id }
            const result = await run(bench, detector, subject, place, { parameters: { powerRatesMillionths: [] }, measured: false })
            if (result !== null) addRows(bench.figures, place, result, injected.poisoned)
          }
        }
    }
  },
}

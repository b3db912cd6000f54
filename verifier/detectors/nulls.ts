/**
 * Nulls (D8; Datalab's `null`): how many samples and columns lack values. A sample's score is the share of its columns that have one, in
 * millionths; it is flagged where it has none at all. NaN counts as missing; blank texts and words such as "N/A" are counted apart.
 * Without a survey of all columns, text and label are looked at alone. Exploratory.
 */
import type { Finding } from '../../core/findings.ts'
import type { ColumnSurvey } from '../quality/survey.ts'
import { type Corpus, createScores, type Detector, integerParameter, MAX_FINDING_SAMPLES } from './detector.ts'

const MILLION = 1_000_000

export const nulls: Detector = {
  id: 'null',
  version: 1,
  tier: 'T0',
  property: 'hygiene',
  flag: 'null',
  needs: {},
  surveys: true,
  parameters: { columnsInEvidence: 64 },
  async run({ corpus, parameters }) {
    const { columns, missingOf } = corpus.survey ?? readAlone(corpus)
    if (columns.length === 0) return { ran: false, note: 'No sample has a text or a label.' }
    const scores = createScores(corpus.count, true)
    const flagged = new Uint8Array(corpus.count)
    let incomplete = 0
    for (const [sample, missing] of missingOf.entries()) {
      scores.values[sample] = Math.floor(((columns.length - missing) * MILLION) / columns.length)
      flagged[sample] = missing === columns.length ? 1 : 0
      if (missing > 0) incomplete++
    }
    const named = integerParameter(parameters, 'columnsInEvidence')
    return { ran: true, scores, flagged, findings: [...rowFinding(), ...columnFinding()] }

    function rowFinding(): Finding[] {
      const empty = samplesWith((sample) => flagged[sample] === 1)
      if (empty.count === 0) return []
      return [
        {
          detector: 'null',
          property: 'hygiene',
          flag: 'null',
          summary: `${empty.count} ${empty.count === 1 ? 'sample has' : 'samples have'} no value in any column.`,
          sampleCount: empty.count,
          samples: empty.first,
          facts: { columns: columns.length },
        },
      ]
    }

    function columnFinding(): Finding[] {
      const lacking = columns.filter(({ nulls: none, notNumbers, blanks, placeholders }) => none + notNumbers + blanks + placeholders > 0)
      if (lacking.length === 0) return []
      const some = samplesWith((sample) => missingOf[sample]! > 0)
      const share = (count: number) => `${((100 * count) / corpus.count).toFixed(2)} %`
      return [
        {
          detector: 'null',
          property: 'hygiene',
          summary: `${incomplete} of ${corpus.count} samples lack a value; ${lacking.length} of ${columns.length} columns have missing, blank or stand-in values.`,
          sampleCount: some.count,
          samples: some.first,
          facts: {
            columns: lacking
              .toSorted((a, b) => b.nulls + b.notNumbers - a.nulls - a.notNumbers)
              .slice(0, named)
              .map(
                ({ name, nulls: none, notNumbers, blanks, placeholders }) =>
                  `"${name.slice(0, 128)}": ${share(none)} null, ${share(notNumbers)} NaN, ${share(blanks)} blank, ${share(placeholders)} stand-ins such as "N/A"`,
              ),
          },
        },
      ]
    }

    function samplesWith(test: (sample: number) => boolean): { count: number; first: number[] } {
      const found = { count: 0, first: [] as number[] }
      for (let sample = 0; sample < corpus.count; sample++)
        if (test(sample) && found.count++ < MAX_FINDING_SAMPLES) found.first.push(sample)
      return found
    }
  },
}

/** Text and label as columns of their own, where some sample has one. */
function readAlone(corpus: Corpus): { columns: ColumnSurvey[]; missingOf: Uint16Array } {
  const columns: ColumnSurvey[] = []
  const missingOf = new Uint16Array(corpus.count)
  for (const [name, valueOf] of [
    ['text', (sample: number) => corpus.text(sample)] as const,
    ['label', (sample: number) => corpus.label(sample)] as const,
  ]) {
    const column = { name, type: 'utf8', nulls: 0, notNumbers: 0, blanks: 0, placeholders: 0, spaced: 0 }
    const missing: number[] = []
    for (let sample = 0; sample < corpus.count; sample++) {
      const value = valueOf(sample)
      if (value === null) missing.push(sample)
      else if (value.trim() === '') column.blanks++
    }
    column.nulls = missing.length
    if (missing.length === corpus.count) continue
    columns.push(column)
    for (const sample of missing) missingOf[sample]!++
  }
  return { columns, missingOf }
}

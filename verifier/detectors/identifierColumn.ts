/**
 * Identifier columns (D8; Datalab's `identifier_column`): columns that a model could learn by heart and should not see. Every integer of
 * a range once; a code of its own for each sample; one value for all; or values that give the label away. Speaks of columns, marks no
 * samples. Exploratory.
 */
import type { Finding } from '../../core/findings.ts'
import { isSequence, varianceBetweenLabels } from '../quality/numberSummary.ts'
import type { ColumnSurvey } from '../quality/survey.ts'
import { toldByName } from '../quality/toldByValue.ts'
import { distinctCount } from '../quality/valueSketch.ts'
import { createScores, type Detector, integerParameter } from './detector.ts'

const MILLION = 1_000_000

export const identifierColumn: Detector = {
  id: 'identifier_column',
  version: 1,
  tier: 'T0',
  property: 'hygiene',
  needs: {},
  surveys: true,
  parameters: {
    /** Fewer values say nothing. */
    minimumSamples: 20,
    /** Different values that are kept of all columns together while they are read. */
    keptValues: 65_536,
    /** A column gives the label away where at most this share of the errors of guessing is left, or of the variance is within labels. */
    leakMillionths: 100_000,
  },
  async run({ corpus, parameters }) {
    if (corpus.survey === undefined) return { ran: false, note: 'Columns other than text and label were not read.' }
    const least = integerParameter(parameters, 'minimumSamples')
    const leak = integerParameter(parameters, 'leakMillionths') / MILLION
    const findings = corpus.survey.columns.flatMap((column): Finding[] => {
      const said = describeColumn(column, corpus.count, least, leak)
      return said.map(({ what, facts }) => ({
        detector: 'identifier_column',
        property: 'hygiene',
        summary: `The column "${column.name.slice(0, 256)}" ${what}.`,
        sampleCount: corpus.count - column.nulls,
        samples: [],
        facts: { column: column.name.slice(0, 1024), ...facts },
      }))
    })
    return { ran: true, scores: createScores(corpus.count, false), flagged: new Uint8Array(corpus.count), findings }
  },
}

interface Said {
  what: string
  facts: Finding['facts']
}

function describeColumn({ nulls, type, sketch, numbers, spaced }: ColumnSurvey, count: number, least: number, leak: number): Said[] {
  const present = count - nulls
  if (sketch === undefined || present < least) return []
  const distinct = distinctCount(sketch)
  if (distinct === 1) return [{ what: 'has the same value in all samples', facts: {} }]
  const said: Said[] = []
  if (numbers !== undefined && (type === 'int64' || type === 'uint64') && isSequence(numbers)) {
    const order = numbers.rising ? ', in the order of the samples' : numbers.falling ? ', in their reverse order' : ', in mixed order'
    said.push({
      what: `numbers the samples: every integer from ${numbers.minimum} to ${numbers.maximum} once${order}`,
      facts: { minimum: String(numbers.minimum), maximum: String(numbers.maximum) },
    })
  } else if (isCode(type) && 2 * spaced < present && [...sketch.values.values()].every((value) => value.count === 1))
    said.push({ what: 'has a value of its own for each sample, as a code or name of it would', facts: { different_values: distinct } })
  const told = toldByName(sketch)
  if (told !== null && told.room <= leak)
    said.push({
      what: `gives the label away: its values tell it right for ${percent(told.accuracy)} of the samples, where guessing gives ${percent(told.chance)}`,
      facts: { accuracy_millionths: Math.round(told.accuracy * MILLION), chance_millionths: Math.round(told.chance * MILLION) },
    })
  const between = numbers === undefined ? null : varianceBetweenLabels(numbers)
  if (told === null && between !== null && 1 - between <= leak)
    said.push({
      what: `gives the label away: ${percent(between)} of its variance lies between labels`,
      facts: { variance_between_labels_millionths: Math.round(between * MILLION) },
    })
  return said
}

/** Texts and numbers that count or name; measured quantities differ from sample to sample by nature. */
function isCode(type: string): boolean {
  return type === 'utf8' || type === 'int64' || type === 'uint64'
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

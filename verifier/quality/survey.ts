/**
 * What is seen of every column while the samples are read, in memory that does not grow with the values: missing ones, how often they
 * repeat, what they say of the label, and what they hold that is personal or secret. Detectors read it instead of the columns, of which
 * only text, label and response are kept. Plain data: it passes between threads.
 */
import type { FieldType, Schema } from '../../core/samples/schema.ts'
import { CalendarDate, Instant, type Row, type Value } from '../../core/samples/value.ts'
import { holdsText, labelOf, textOf } from '../columns.ts'
import { findPersonalData, PERSONAL_KINDS } from '../personalData/findPersonalData.ts'
import { findSecrets, SECRET_KINDS } from '../personalData/findSecrets.ts'
import { phoneCountries } from '../personalData/phones.ts'
import { addMatches, createTally, type Tally } from '../personalData/tally.ts'
import { canonicalText } from '../text/canonical.ts'
import { addNumber, createNumberSummary, type NumberSummary } from './numberSummary.ts'
import { addValue, createSketch, type ValueSketch } from './valueSketch.ts'

export interface ColumnSurvey {
  name: string
  type: string
  /** Samples without a value, with one that is no number (NaN), with a blank text, with a word for "missing". */
  nulls: number
  notNumbers: number
  blanks: number
  placeholders: number
  /** Strings with white space in them: no codes. */
  spaced: number
  /** Of single values, not of lists; absent for the columns of texts and responses. */
  sketch?: ValueSketch
  /** Of numbers and points in time. */
  numbers?: NumberSummary
}

export interface Survey {
  columns: ColumnSurvey[]
  /** Columns in which a sample has no value. */
  missingOf: Uint16Array
  /** Of all columns but the text and the response, which detectors read for themselves. */
  personal: Tally
  secrets: Tally
}

export interface SurveyOptions {
  schema: Schema
  sampleCount: number
  text: string | null
  response: string | null
  label: string | null
  language: string | null
  phoneLookups: number
  /** Different values that are kept of all columns together. */
  keptValues: number
}

/** Words that stand for a missing value. */
const PLACEHOLDER = /^(?:n\/?a|nan|null|none|nil|missing|unknown|undefined|-+|\?+|#n\/a)$/i
const LONGEST_PLACEHOLDER = 9
const LEAST_CAPACITY = 16
const MOST_CAPACITY = 4096
const SINGLE = new Set(['bool', 'int64', 'uint64', 'float64', 'utf8', 'date', 'timestamp'])

/** Takes rows in order; `survey` is complete when all have been added. */
export interface Surveyor {
  readonly survey: Survey
  /** The next sample's values in the columns that are surveyed. */
  add(row: Row): void
  /** Which of the samples have a value in another column. */
  addOpaque(column: string, samples: { first: number; count: number; isPresent: (i: number) => boolean }): void
}

/** Whether values of a type are looked at: bytes, and lists of numbers, are only there or not. */
export function isSurveyed(type: FieldType): boolean {
  return SINGLE.has(type.type) || holdsText(type)
}

export function createSurveyor({ schema, sampleCount, text, response, label, language, ...options }: SurveyOptions): Surveyor {
  const capacity = Math.max(LEAST_CAPACITY, Math.min(MOST_CAPACITY, Math.floor(options.keptValues / schema.length)))
  const countries = phoneCountries(language)
  const survey: Survey = {
    columns: schema.map(({ name, type }) => ({
      name,
      type: type.type,
      nulls: 0,
      notNumbers: 0,
      blanks: 0,
      placeholders: 0,
      spaced: 0,
      ...(SINGLE.has(type.type) && name !== text && name !== response ? { sketch: createSketch(capacity) } : {}),
      ...(['int64', 'uint64', 'float64', 'date', 'timestamp'].includes(type.type) ? { numbers: createNumberSummary() } : {}),
    })),
    missingOf: new Uint16Array(sampleCount),
    personal: createTally(sampleCount, PERSONAL_KINDS.length),
    secrets: createTally(sampleCount, SECRET_KINDS.length),
  }
  const surveyed = survey.columns.filter((_, i) => isSurveyed(schema[i]!.type))
  let sample = 0
  return {
    survey,
    addOpaque(name, { first, count, isPresent }) {
      const column = survey.columns.find((candidate) => candidate.name === name)
      for (let i = 0; i < count; i++)
        if (column !== undefined && !isPresent(i)) {
          column.nulls++
          survey.missingOf[first + i]!++
        }
    },
    add(row) {
      const ownLabel = label === null ? null : labelOf(row[label])
      for (const column of surveyed) {
        const value = row[column.name] ?? null
        if (isMissing(column, value)) survey.missingOf[sample]!++
        if (value === null) continue
        if (column.numbers !== undefined) {
          const number = numberOf(value)
          if (number !== null) addNumber(column.numbers, number, column.name === label ? null : ownLabel)
        }
        if (column.sketch !== undefined) addValue(column.sketch, scalarText(value), column.name === label ? null : ownLabel)
        if (column.name !== text && column.name !== response) lookThrough(column.name, value)
      }
      sample++
    },
  }

  function lookThrough(column: string, value: Value): void {
    // Numbers of persons also stand in columns of integers; whole texts are read in their canonical form, as the detectors do.
    const read = isLongInteger(value) ? String(value) : textOf(value)
    if (read === null || read === '') return
    const place = { sample, column, text: canonicalText(read) }
    const personal = findPersonalData(place.text, { column, countries, phoneLookups: options.phoneLookups })
    if (personal.length > 0) addMatches(survey.personal, PERSONAL_KINDS, personal, place)
    const secrets = findSecrets(place.text)
    if (secrets.length > 0) addMatches(survey.secrets, SECRET_KINDS, secrets, place)
  }
}

/** Numbers below are no telephone numbers. */
const LEAST_NUMBER = 1_000_000

function isLongInteger(value: Value): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && value >= LEAST_NUMBER && Number.isSafeInteger(value))
}

/** Counts a value that is none. */
function isMissing(column: ColumnSurvey, value: Value): boolean {
  if (value === null) {
    column.nulls++
    return true
  }
  if (typeof value === 'number' && Number.isNaN(value)) {
    column.notNumbers++
    return true
  }
  if (typeof value !== 'string') return false
  if (/\s/.test(value)) column.spaced++
  if (value.length <= LONGEST_PLACEHOLDER) {
    if (value.trim() === '') column.blanks++
    else if (PLACEHOLDER.test(value)) column.placeholders++
  }
  return false
}

function numberOf(value: Value): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof CalendarDate) return value.epochDays
  return value instanceof Instant ? Number(value.epochNanoseconds / 1000n) : null
}

function scalarText(value: Value): string {
  if (value instanceof CalendarDate) return String(value.epochDays)
  if (value instanceof Instant) return String(value.epochNanoseconds)
  return labelOf(value) ?? ''
}

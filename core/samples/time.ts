/**
 * Points in time and dates as ISO 8601 text, exact to the nanosecond and for every year that an Arrow column can hold, which
 * JavaScript's own Date is not. Years outside 0000–9999 have a sign and at least six digits (ECMA-262 §21.4.1.32).
 */
import { TimeUnit } from 'apache-arrow'
import { CalendarDate, Instant } from './value.ts'

/** Nanoseconds in one of a timestamp column's units. */
export const NANOSECONDS: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1_000_000_000n,
  [TimeUnit.MILLISECOND]: 1_000_000n,
  [TimeUnit.MICROSECOND]: 1000n,
  [TimeUnit.NANOSECOND]: 1n,
}
const NANOSECONDS_A_DAY = 86_400_000_000_000n
const NANOSECONDS_A_SECOND = 1_000_000_000n

/** `2026-11-20T06:00:00.123456789`, with `Z` where the column counts in UTC; zeros at the end of the fraction are left out. */
export function formatInstant({ epochNanoseconds }: Instant, utc: boolean): string {
  const sinceMidnight = ((epochNanoseconds % NANOSECONDS_A_DAY) + NANOSECONDS_A_DAY) % NANOSECONDS_A_DAY
  const days = Number((epochNanoseconds - sinceMidnight) / NANOSECONDS_A_DAY)
  const seconds = Number(sinceMidnight / NANOSECONDS_A_SECOND)
  const fraction = String(sinceMidnight % NANOSECONDS_A_SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(twoDigits).join(':')
  return `${formatDays(days)}T${time}${fraction === '' ? '' : `.${fraction}`}${utc ? 'Z' : ''}`
}

/** The inverse of `formatInstant`; null for text of another form, a date that does not exist, or a zone where none belongs. */
export function parseInstant(text: string, utc: boolean): Instant | null {
  const match = /^(.{1,32})T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z?)$/.exec(text)
  if (match === null || (match[6] === 'Z') !== utc) return null
  const [, date = '', hours = '', minutes = '', seconds = '', fraction = ''] = match
  const days = parseDays(date)
  if (days === null || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null
  const sinceMidnight = BigInt(Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * NANOSECONDS_A_SECOND
  return new Instant(BigInt(days) * NANOSECONDS_A_DAY + sinceMidnight + BigInt(fraction.padEnd(9, '0')))
}

/** `2026-11-20`. */
export function formatDate(date: CalendarDate): string {
  return formatDays(date.epochDays)
}

/** The inverse of `formatDate`; null for text of another form or a date that does not exist. */
export function parseDate(text: string): CalendarDate | null {
  const days = parseDays(text)
  return days === null ? null : new CalendarDate(days)
}

/** The proleptic Gregorian date of a day, in eras of 400 years that begin on 1 March (H. Hinnant, chrono-compatible date algorithms). */
function formatDays(epochDays: number): string {
  const shifted = epochDays + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  return `${formatYear(year)}-${twoDigits(month)}-${twoDigits(day)}`
}

function parseDays(text: string): number | null {
  const match = /^(\d{4}|[+-]\d{6,15})-(\d\d)-(\d\d)$/.exec(text)
  if (match === null) return null
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const shiftedYear = month <= 2 ? year - 1 : year
  const era = Math.floor(shiftedYear / 400)
  const yearOfEra = shiftedYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  const days = era * 146_097 + dayOfEra - 719_468
  // A date that does not exist comes back as another, and a year that is not in its shortest form as itself.
  return formatDays(days) === text ? days : null
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0')
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

/**
 * Personal data in a text: e-mail addresses, telephone numbers, bank accounts, payment cards, identity numbers, IP addresses. One pass
 * finds what could be one (at signs and numbers); only that is looked at closely, each place a bounded number of times.
 */
import type { CountryCode } from 'libphonenumber-js/max'
import { CARD_SHAPES, cardIssuer, ibanEnd } from './accounts.ts'
import { emailAround, ipv4End, ipv6End } from './addresses.ts'
import type { Match } from './match.ts'
import { nationalCode, nationalNumber, spacedCode } from './nationalIds.ts'
import { isDigit, type NumberRun, numberRuns, type NumberTokens, numberTokens } from './numberTokens.ts'
import { isPhone } from './phones.ts'

export const PERSONAL_KINDS = ['email', 'phone', 'iban', 'payment_card', 'national_id', 'ip_address'] as const
export type PersonalKind = (typeof PERSONAL_KINDS)[number]

export interface PersonalMatch extends Match {
  kind: PersonalKind
}

export interface PersonalOptions {
  /** The name of the column, which may say what its numbers are. */
  column: string
  countries: readonly CountryCode[]
  /** Looks into the ranges of telephone numbers that one text may cost. */
  phoneLookups: number
}

/** The shortest number that is looked at: a telephone number. */
const LEAST_DIGITS = 7
const BEFORE = 48
const AFTER = 16

/** What a text holds, in order of place; none overlap. */
export function findPersonalData(text: string, options: PersonalOptions): PersonalMatch[] {
  const tokens = numberTokens(text)
  const emails = text.includes('@') ? emailsOf(text) : []
  const numbers = tokens.starts.length === 0 ? [] : numbersOf(text, tokens, options, emails)
  return emails.length === 0 ? numbers : [...emails, ...numbers].sort((a, b) => a.start - b.start)
}

function emailsOf(text: string): PersonalMatch[] {
  const found: PersonalMatch[] = []
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const range = emailAround(text, at)
    if (range !== null && range.start >= (found.at(-1)?.end ?? 0)) found.push({ kind: 'email', ...range })
  }
  return found
}

function numbersOf(text: string, tokens: NumberTokens, options: PersonalOptions, emails: readonly PersonalMatch[]): PersonalMatch[] {
  const found: PersonalMatch[] = []
  let lookups = 0
  const phone = { column: options.column, countries: options.countries, spend: () => lookups++ < options.phoneLookups }
  let [end, email] = [0, 0]
  for (let token = 0; token < tokens.starts.length; token++) {
    const start = tokens.starts[token]!
    while (email < emails.length && emails[email]!.end <= start) email++
    if (start < end || (email < emails.length && emails[email]!.start <= start)) continue
    const match = numberAt(text, tokens, token, options.column, phone)
    if (match === null || match.start < end) continue
    found.push(match)
    end = match.end
  }
  return found
}

function numberAt(
  text: string,
  tokens: NumberTokens,
  token: number,
  column: string,
  phone: Parameters<typeof isPhone>[2],
): PersonalMatch | null {
  const [start, end] = [tokens.starts[token]!, tokens.ends[token]!]
  const spaced = tokens.plain[token] ? spacedCodeAt(text, start, end) : null
  if (spaced !== null) return spaced
  if (!tokens.plain[token]) return codeAt(text, start, end, column)
  if (end - start === 4 && /[23]/.test(text.charAt(start)) && text.charAt(end) === ':') {
    const last = ipv6End(text, start)
    if (last >= 0) return { kind: 'ip_address', start, end: last }
  }
  if (text.charAt(end) === '.' && end - start <= 3) {
    const last = ipv4End(text, tokens, token)
    if (last >= 0) return { kind: 'ip_address', start, end: last }
  }
  for (const run of numberRuns(text, tokens, token, LEAST_DIGITS)) {
    if (goesOn(text, run)) continue
    const kind = kindOf(text, run, column, phone)
    if (kind !== null) return { ...kind, start: run.start - (/[+(]/.test(text.charAt(run.start - 1)) ? 1 : 0), end: run.end }
  }
  return null
}

function kindOf(
  text: string,
  run: NumberRun,
  column: string,
  phone: Parameters<typeof isPhone>[2],
): Pick<PersonalMatch, 'kind' | 'detail'> | null {
  const { shape, digits, start, end } = run
  const inAddress = /[/_#@&=-]/.test(text.charAt(start - 1))
  if (CARD_SHAPES.has(shape) && !inAddress) {
    const issuer = cardIssuer(digits)
    if (issuer !== null) return { kind: 'payment_card', detail: issuer }
  }
  if (!inAddress) {
    const name = nationalNumber(shape, digits, () => around(text, start, end, column))
    if (name !== null) return { kind: 'national_id', detail: name }
  }
  return isPhone(text, run, phone) ? { kind: 'phone' } : null
}

/** A number of which more digits follow, or come before, behind a mark: a part of something longer. */
function goesOn(text: string, { start, end }: NumberRun): boolean {
  const joined = (mark: string) => mark === '-' || mark === '.' || mark === ',' || mark === '/' || mark === ':'
  return (
    (joined(text.charAt(end)) && isDigit(text.charCodeAt(end + 1))) ||
    (start > 1 && joined(text.charAt(start - 1)) && isDigit(text.charCodeAt(start - 2)))
  )
}

function codeAt(text: string, start: number, end: number, column: string): PersonalMatch | null {
  const first = text.charCodeAt(start)
  if (first >= 0x41 && first <= 0x5a && isDigit(text.charCodeAt(start + 2)) && isDigit(text.charCodeAt(start + 3))) {
    const last = ibanEnd(text, start)
    if (last >= 0) return { kind: 'iban', detail: text.slice(start, start + 2), start, end: last }
  }
  if (end - start < SHORTEST_CODE || end - start > LONGEST_CODE) {
    const last = end - start === 4 ? ipv6End(text, start) : -1
    return last < 0 ? null : { kind: 'ip_address', start, end: last }
  }
  if (/[\w-]/.test(text.charAt(start - 1)) || /[\w-]/.test(text.charAt(end))) return null
  const name = nationalCode(text.slice(start, end), () => around(text, start, end, column))
  return name === null ? null : { kind: 'national_id', detail: name, start, end }
}

const SHORTEST_CODE = 9
const LONGEST_CODE = 18

function spacedCodeAt(text: string, start: number, end: number): PersonalMatch | null {
  const next = text.charAt(end)
  if (next !== ' ' && next !== '-' && next !== '+') return null
  const code = spacedCode(text, start, end - start)
  return code === null ? null : { kind: 'national_id', detail: code.name, start: code.start, end: code.end }
}

function around(text: string, start: number, end: number, column: string): string {
  return `${column} ${text.slice(Math.max(0, start - BEFORE), start)} ${text.slice(end, end + AFTER)}`
}

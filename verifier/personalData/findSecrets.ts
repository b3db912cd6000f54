/**
 * Secrets in a text: keys with an issuer's prefix (secretRules.ts), signed tokens, private keys, passwords in addresses and values
 * beside a name that says so. One pass finds runs of key characters; no expression is tried without an anchor that stands in the text.
 */
import { ln } from '../numeric.ts'
import type { Match } from './match.ts'
import { RULES_BY_START, SHORTEST_TOKEN } from './secretRules.ts'

export const SECRET_KINDS = ['api_key', 'private_key', 'signed_token', 'password_in_url'] as const
export type SecretKind = (typeof SECRET_KINDS)[number]

export interface SecretMatch extends Match {
  kind: SecretKind
}

/** Letters, digits, `_` and `-`. */
const KEY_UNIT = Uint8Array.from({ length: 128 }, (_, unit) => (/[\w-]/.test(String.fromCharCode(unit)) ? 1 : 0))
const LONGEST_TOKEN = 2048

/** What a text holds, in order of place; none overlap. */
export function findSecrets(text: string): SecretMatch[] {
  const found = keysOf(text)
  if (text.includes('/')) found.push(...valuesBefore(text, '/'))
  if (text.includes('+')) found.push(...valuesBefore(text, '+'))
  if (text.includes('://')) found.push(...passwordsOf(text))
  if (text.includes('PRIVATE KEY')) found.push(...privateKeysOf(text))
  return found.length < 2 ? found : withoutOverlaps(found)
}

/** A run of sixteen key characters has one in every sixteen: only there is it looked for. */
function keysOf(text: string): SecretMatch[] {
  const found: SecretMatch[] = []
  for (let passed = 0, probe = SHORTEST_TOKEN - 1; probe < text.length; probe = passed + SHORTEST_TOKEN - 1) {
    if (!isKeyUnit(text.charCodeAt(probe))) {
      passed = probe + 1
      continue
    }
    let [start, end] = [probe, probe + 1]
    while (start > passed && isKeyUnit(text.charCodeAt(start - 1))) start--
    while (end < text.length && isKeyUnit(text.charCodeAt(end))) end++
    passed = end
    if (end - start < SHORTEST_TOKEN || end - start > LONGEST_TOKEN) continue
    const match = tokenAt(text, start, end)
    if (match === null) continue
    found.push(match)
    passed = Math.max(passed, match.end)
  }
  return found
}

/** Values in base64, which has two marks that no key with a prefix has, where the first of them comes early. */
function valuesBefore(text: string, mark: string): SecretMatch[] {
  const found: SecretMatch[] = []
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
    let start = at
    while (start > 0 && at - start < SHORTEST_TOKEN && isKeyUnit(text.charCodeAt(start - 1))) start--
    if (start === at || at - start >= SHORTEST_TOKEN) continue
    const match = valueAt(text, start, at)
    if (match !== null) found.push(match)
  }
  return found
}

function isKeyUnit(unit: number): boolean {
  return unit < 128 && KEY_UNIT[unit] === 1
}

function withoutOverlaps(found: SecretMatch[]): SecretMatch[] {
  let end = 0
  return found
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .filter((match) => {
      if (match.start < end) return false
      end = match.end
      return true
    })
}

function tokenAt(text: string, start: number, end: number): SecretMatch | null {
  // Marks before a key are no part of it.
  while (start < end && /[-_]/.test(text.charAt(start))) start++
  for (const { id, prefix, body, entropyMilli } of RULES_BY_START.get(text.slice(start, start + 2)) ?? []) {
    if (!text.startsWith(prefix, start)) continue
    const rest = text.slice(start + prefix.length, end)
    if (body.test(rest) && entropyOf(rest) * 1000 >= entropyMilli) return { kind: 'api_key', detail: id, start, end }
  }
  if (text.startsWith('eyJ', start) && text.charAt(end) === '.') return signedTokenAt(text, start)
  if (text.charAt(end) === '.' || text.charAt(start - 1) === '.') return dottedKeyAt(text, start, end)
  if (text.startsWith('AA', start) && text.charAt(start - 1) === ':') return botKeyAt(text, start, end)
  return valueAt(text, start, end)
}

const SIGNED_TOKEN = /eyJ[\w-]{10,2000}\.eyJ[\w-]{10,8000}\.[\w-]{16,2000}/y

/** A JSON Web Token (RFC 7519): two JSON objects and a signature, each base64url. */
function signedTokenAt(text: string, start: number): SecretMatch | null {
  SIGNED_TOKEN.lastIndex = start
  const token = SIGNED_TOKEN.exec(text)?.[0]
  return token === undefined ? null : { kind: 'signed_token', detail: 'jwt', start, end: start + token.length }
}

/** Keys whose parts are joined by dots, by what stands before the dot. */
const DOTTED: readonly { id: string; before: string; form: RegExp }[] = [
  { id: 'sendgrid-api-token', before: 'SG.', form: /[\w-]{22}\.[\w-]{43}(?![\w-])/y },
  { id: 'gcp-oauth-token', before: 'ya29.', form: /[\w-]{60,400}(?![\w-])/y },
  { id: 'vault-service-token', before: 'hvs.', form: /[\w-]{90,120}(?![\w-])/y },
  { id: 'doppler-api-token', before: 'dp.pt.', form: /[a-zA-Z0-9]{43}(?![\w-])/y },
]

function dottedKeyAt(text: string, start: number, end: number): SecretMatch | null {
  for (const { id, before, form } of DOTTED) {
    if (!text.endsWith(before, start) && text.slice(start - before.length, start) !== before) continue
    form.lastIndex = start
    const rest = form.exec(text)?.[0]
    if (rest !== undefined && entropyOf(rest) >= 3)
      return { kind: 'api_key', detail: id, start: start - before.length, end: start + rest.length }
  }
  return valueAt(text, start, end)
}

/** Telegram: the bot's number, a colon and 35 characters that begin with AA. */
function botKeyAt(text: string, start: number, end: number): SecretMatch | null {
  const number = /(?:^|\D)(\d{8,10}):$/.exec(text.slice(Math.max(0, start - 12), start))?.[1]
  if (number === undefined || end - start !== 35) return valueAt(text, start, end)
  return { kind: 'api_key', detail: 'telegram-bot-api-token', start: start - number.length - 1, end }
}

/** A name that says that a secret follows, an equals sign or colon, and perhaps quotes. */
const NAMED =
  /(?:secret|api|access|auth|private|client|encryption|account|service)[ _-]?(?:access[ _-]?|api[ _-]?)?(?:key|token|secret)["'`]?[ \t]{0,4}(?:=>|:=|=|:)[ \t]{0,4}["'`]?$/i
const NAME_LENGTH = 48
const VALUE = /[A-Za-z0-9+/=_-]{20,200}/y
/** Random bytes in base64 have 5 to 6 bits a character, in hexadecimal up to 4; words have about 4 with letters alone. */
const LEAST_VALUE_ENTROPY = 3.5

/** The value of a setting whose name says what it is: AWS secret access keys and others without a prefix of their own. */
function valueAt(text: string, start: number, end: number): SecretMatch | null {
  const before = text.charAt(start - 1)
  if (!/["'`=: ]/.test(before)) return null
  if (!NAMED.test(text.slice(Math.max(0, start - NAME_LENGTH), start))) return null
  VALUE.lastIndex = start
  const value = VALUE.exec(text)?.[0]
  if (value === undefined || !/\d/.test(value) || !/[A-Za-z]/.test(value) || entropyOf(value) < LEAST_VALUE_ENTROPY) return null
  return { kind: 'api_key', detail: 'named value', start, end: Math.max(end, start + value.length) }
}

const PASSWORD = /:\/\/[\w.%+~-]{1,64}:([^\s:@/'"<>]{3,128})@[\w[]/y
/** Stand-ins in documentation. */
const PLACEHOLDER = /^(?:pass(?:word|wd)?|pwd|secret|user(?:name)?|xxx+|\*+|\.{3}|<.*|\$.*|\{.*|%s|your.*|changeme|example)$/i

function passwordsOf(text: string): SecretMatch[] {
  const found: SecretMatch[] = []
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    PASSWORD.lastIndex = at
    const match = PASSWORD.exec(text)
    const password = match?.[1]
    if (match === null || password === undefined || PLACEHOLDER.test(password)) continue
    const start = at + match[0].lastIndexOf(`:${password}@`) + 1
    found.push({ kind: 'password_in_url', start, end: start + password.length })
  }
  return found
}

const BEGIN = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y
const MARK = '-----BEGIN '
const LONGEST_KEY = 16_384

/** PEM (RFC 7468) and OpenPGP: a heading with something behind it. */
function privateKeysOf(text: string): SecretMatch[] {
  const found: SecretMatch[] = []
  for (let start = text.indexOf(MARK); start >= 0; start = text.indexOf(MARK, Math.max(start + MARK.length, found.at(-1)?.end ?? 0))) {
    BEGIN.lastIndex = start
    const heading = BEGIN.exec(text)?.[0]
    if (heading === undefined) continue
    const from = start + heading.length
    if (!/[A-Za-z0-9+/]{16}/.test(text.slice(from, from + 400))) continue
    const close = text.slice(from, from + LONGEST_KEY).indexOf('-----END ')
    const end = close >= 0 ? from + close : Math.min(text.length, from + 64)
    found.push({ kind: 'private_key', detail: heading.slice(MARK.length, -5).toLowerCase(), start, end })
  }
  return found
}

/** Shannon entropy of the characters, in bits a character. */
function entropyOf(text: string): number {
  const counts = new Map<number, number>()
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    counts.set(unit, (counts.get(unit) ?? 0) + 1)
  }
  let sum = 0
  for (const count of counts.values()) sum += count * ln(count)
  return text.length === 0 ? 0 : (ln(text.length) - sum / text.length) / ln(2)
}

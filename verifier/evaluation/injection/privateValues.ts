/**
 * Made-up personal data and secrets, right in every check digit, put into sentences. The check digits are computed here by trying all,
 * so that a detector's own arithmetic is not what it is measured by.
 */
import type { Random } from '../../random.ts'

export interface PrivateValue {
  name: string
  /** The detector that should find it. */
  detector: 'personal_data' | 'secret'
  make: (random: Random) => string
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const DIGITS = '0123456789'
const ALPHANUMERIC = UPPER + UPPER.toLowerCase() + DIGITS

function characters(random: Random, count: number, alphabet: string): string {
  return Array.from({ length: count }, () => alphabet.charAt(random.below(alphabet.length))).join('')
}

function pick(random: Random, of: readonly string[]): string {
  return of[random.below(of.length)]!
}

/** The number with the one last digit that makes its doubled sum a multiple of ten. */
function withLuhn(digits: string): string {
  const sum = (all: string) =>
    Array.from(all, Number)
      .toReversed()
      .map((digit, i) => (i % 2 === 0 ? digit : Math.floor((2 * digit) / 10) + ((2 * digit) % 10)))
      .reduce((a, b) => a + b, 0)
  return digits + Array.from(DIGITS).find((digit) => sum(digits + digit) % 10 === 0)
}

function grouped(digits: string, sizes: readonly number[], gap: string): string {
  let at = 0
  return sizes.map((size) => digits.slice(at, (at += size))).join(gap)
}

/** ISO 13616: the check digits that leave 1 by 97 behind the account in letters and numbers. */
function iban(country: string, account: string): string {
  const value = (text: string) => BigInt(Array.from(text, (character) => String(parseInt(character, 36))).join(''))
  for (let check = 2n; check <= 98n; check++)
    if ((value(account + country) * 100n + check) % 97n === 1n) return country + String(check).padStart(2, '0') + account
  throw new RangeError('every account has check digits')
}

/** Receita Federal: two digits, each the rest by 11 of a weighted sum. */
function cpf(random: Random): string {
  let digits = characters(random, 9, DIGITS)
  for (let length = 9; length < 11; length++) {
    const rest = Array.from(digits).reduce((sum, digit, i) => sum + Number(digit) * (length + 1 - i), 0) % 11
    digits += rest < 2 ? 0 : 11 - rest
  }
  return `${grouped(digits.slice(0, 9), [3, 3, 3], '.')}-${digits.slice(9)}`
}

export const PRIVATE_VALUES: readonly PrivateValue[] = [
  {
    name: 'e-mail',
    detector: 'personal_data',
    make: (random) =>
      `${pick(random, ['ana', 'j.smith', 'lee_42', 'maria+news'])}@${pick(random, ['mail.com', 'uni-koeln.de', 'post.co.jp', 'acme.io'])}`,
  },
  {
    name: 'international telephone',
    detector: 'personal_data',
    make: (random) => `+44 20 7${characters(random, 3, DIGITS)} ${characters(random, 4, DIGITS)}`,
  },
  {
    name: 'American telephone',
    detector: 'personal_data',
    make: (random) => `(212) ${2 + random.below(8)}${characters(random, 2, '3456789')}-${characters(random, 4, DIGITS)}`,
  },
  {
    name: 'payment card',
    detector: 'personal_data',
    make: (random) => grouped(withLuhn(`4${characters(random, 14, DIGITS)}`), [4, 4, 4, 4], pick(random, ['', ' ', '-'])),
  },
  {
    name: 'IBAN',
    detector: 'personal_data',
    make: (random) => grouped(iban('DE', characters(random, 18, DIGITS)), [4, 4, 4, 4, 4, 2], pick(random, ['', ' '])),
  },
  {
    name: 'US social security number',
    detector: 'personal_data',
    make: (random) => `${100 + random.below(500)}-${10 + random.below(89)}-${1000 + random.below(8999)}`,
  },
  { name: 'Brazilian CPF', detector: 'personal_data', make: cpf },
  {
    name: 'Spanish DNI',
    detector: 'personal_data',
    make: (random) => {
      const number = characters(random, 8, DIGITS)
      return number + 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(Number(number) % 23)
    },
  },
  {
    name: 'IP address',
    detector: 'personal_data',
    make: (random) => `${80 + random.below(15)}.${random.below(256)}.${random.below(256)}.${33 + random.below(200)}`,
  },
  { name: 'AWS key', detector: 'secret', make: (random) => `AKIA${characters(random, 16, `${UPPER}234567`)}` },
  { name: 'GitHub token', detector: 'secret', make: (random) => `ghp_${characters(random, 36, ALPHANUMERIC)}` },
  {
    name: 'Slack token',
    detector: 'secret',
    make: (random) => `xoxb-${characters(random, 12, DIGITS)}-${characters(random, 24, ALPHANUMERIC)}`,
  },
  { name: 'Google key', detector: 'secret', make: (random) => `AIza${characters(random, 35, ALPHANUMERIC)}` },
  { name: 'Stripe key', detector: 'secret', make: (random) => `sk_live_${characters(random, 24, ALPHANUMERIC)}` },
  { name: 'OpenAI key', detector: 'secret', make: (random) => `sk-proj-${characters(random, 64, ALPHANUMERIC)}` },
  {
    name: 'signed token',
    detector: 'secret',
    make: (random) => ['eyJ', 'eyJ', ''].map((begin) => begin + characters(random, 40, ALPHANUMERIC)).join('.'),
  },
  {
    name: 'private key',
    detector: 'secret',
    make: (random) => `-----BEGIN PRIVATE KEY-----\n${characters(random, 64, ALPHANUMERIC)}\n-----END PRIVATE KEY-----`,
  },
  {
    name: 'password in an address',
    detector: 'secret',
    make: (random) => `postgres://app:${characters(random, 14, ALPHANUMERIC)}@db.internal/main`,
  },
]

/** Rows of which a share holds a value, between two words of the text; `holds` is 1 for those. */
export function injectValues<Row extends { text: string | null }>(
  rows: readonly Row[],
  { make }: PrivateValue,
  share: number,
  random: Random,
): { rows: Row[]; holds: Uint8Array } {
  const holds = new Uint8Array(rows.length)
  for (const row of random.choose(Math.round(rows.length * share), rows.length)) holds[row] = rows[row]!.text === null ? 0 : 1
  const injected = rows.map((row, i) => {
    if (holds[i] !== 1) return row
    const words = row.text!.split(' ')
    words.splice(random.below(words.length + 1), 0, make(random))
    return { ...row, text: words.join(' ') }
  })
  return { rows: injected, holds }
}

/**
 * Identity numbers of persons that carry check digits. Where the way of writing alone is telling, a number counts wherever it stands;
 * else only beside a word for it (`context`), because one in ten of all numbers has a right check digit by chance.
 *
 * Rules without dates are stdnum's. Those with a date of birth are written out here: stdnum compares dates with today's.
 */
import * as auTfn from 'stdnum/lib/cjs/au/tfn.js'
import * as brCpf from 'stdnum/lib/cjs/br/cpf.js'
import * as caSin from 'stdnum/lib/cjs/ca/sin.js'
import * as chSsn from 'stdnum/lib/cjs/ch/ssn.js'
import * as deIdnr from 'stdnum/lib/cjs/de/idnr.js'
import * as esDni from 'stdnum/lib/cjs/es/dni.js'
import * as esNie from 'stdnum/lib/cjs/es/nie.js'
import * as frNir from 'stdnum/lib/cjs/fr/nir.js'
import * as gbNino from 'stdnum/lib/cjs/gb/nino.js'
import * as inAadhaar from 'stdnum/lib/cjs/in/aadhaar.js'
import * as inPan from 'stdnum/lib/cjs/in/pan.js'
import * as itCodiceFiscale from 'stdnum/lib/cjs/it/codicefiscale.js'
import * as nlBsn from 'stdnum/lib/cjs/nl/bsn.js'
import * as trTckimlik from 'stdnum/lib/cjs/tr/tckimlik.js'
import * as usSsn from 'stdnum/lib/cjs/us/ssn.js'
import { luhn, weightedSum } from './checkDigits.ts'

interface Scheme {
  name: string
  /** Ways of writing that are telling (NumberRun's shapes), and those that need a word beside them. */
  telling: readonly string[]
  ambiguous: readonly string[]
  context?: RegExp
  valid: (digits: string) => boolean
}

const NUMBERS: readonly Scheme[] = [
  {
    name: 'US social security number',
    telling: ['3-2-4'],
    ambiguous: ['3 2 4', '9'],
    context: /\bssn\b|social security/i,
    valid: byStdnum(usSsn),
  },
  { name: 'Brazilian CPF', telling: ['3.3.3-2'], ambiguous: ['11', '9-2'], context: /\bcpf\b/i, valid: byStdnum(brCpf) },
  { name: 'French NIR', telling: ['15', '13 2', '1 2 2 2 3 3 2'], ambiguous: [], valid: byStdnum(frNir) },
  { name: 'Dutch BSN', telling: [], ambiguous: ['9', '4.2.3'], context: /\bbsn\b|burgerservice|sofi-?num/i, valid: byStdnum(nlBsn) },
  {
    name: 'German tax identification number',
    telling: [],
    ambiguous: ['11', '2 3 3 3'],
    context: /steuer|idnr|id-nr|identifikationsnummer|\btin\b|tax/i,
    valid: byStdnum(deIdnr),
  },
  {
    name: 'Indian Aadhaar number',
    telling: [],
    ambiguous: ['12', '4 4 4', '4-4-4'],
    context: /aadh?aar|uidai|\buid\b|आधार/i,
    valid: byStdnum(inAadhaar),
  },
  {
    name: 'Swiss AHV number',
    telling: ['3.4.4.2', '13'],
    ambiguous: [],
    valid: (digits) => digits.startsWith('756') && byStdnum(chSsn)(digits),
  },
  {
    name: 'Canadian social insurance number',
    telling: [],
    ambiguous: ['9', '3 3 3', '3-3-3'],
    context: /\bsin\b|social insurance|assurance sociale|\bnas\b/i,
    valid: byStdnum(caSin),
  },
  { name: 'Australian tax file number', telling: [], ambiguous: ['8', '9', '3 3 3'], context: /\btfn\b|tax file/i, valid: byStdnum(auTfn) },
  { name: 'Turkish identity number', telling: [], ambiguous: ['11'], context: /\btck?n?\b|kimlik/i, valid: byStdnum(trTckimlik) },
  {
    name: 'Swedish personal identity number',
    telling: ['6-4', '8-4'],
    ambiguous: ['10', '12'],
    context: /person(?:nummer|al identity)/i,
    valid: (digits) => isDate(digits.slice(-10, -4), 'ymd') && luhn(digits.slice(-10)),
  },
  {
    name: 'Polish PESEL',
    telling: [],
    ambiguous: ['11'],
    context: /pesel/i,
    // The month carries the century in steps of 20.
    valid: (digits) =>
      isDate(digits.slice(0, 2) + String(Number(digits.slice(2, 4)) % 20).padStart(2, '0') + digits.slice(4, 6), 'ymd') &&
      weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
  },
  {
    name: 'Belgian national number',
    telling: ['2.2.2-3.2'],
    ambiguous: ['11', '2.2.2 3 2'],
    context: /rijksregister|registre national|national number/i,
    valid: (digits) => {
      const check = Number(digits.slice(9))
      const number = Number(digits.slice(0, 9))
      return isDate(digits.slice(0, 6), 'ymd') && (97 - (number % 97) === check || 97 - ((2_000_000_000 + number) % 97) === check)
    },
  },
  {
    name: 'Norwegian identity number',
    telling: [],
    ambiguous: ['11', '6 5'],
    context: /f[øo]dselsnummer|personnummer/i,
    valid: (digits) =>
      isDate(digits.slice(0, 6), 'dmy') &&
      weightedSum(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
      weightedSum(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
  },
  {
    name: 'South African identity number',
    telling: [],
    ambiguous: ['13'],
    context: /\bid\b|identity/i,
    valid: (digits) => isDate(digits.slice(0, 6), 'ymd') && (digits[10] === '0' || digits[10] === '1') && luhn(digits),
  },
  { name: 'Chinese resident identity number', telling: ['18'], ambiguous: [], valid: isChineseNumber },
  {
    name: 'Korean resident registration number',
    telling: ['6-7'],
    ambiguous: ['13'],
    context: /주민|resident registration|\brrn\b/i,
    valid: (digits) =>
      isDate(digits.slice(0, 6), 'ymd') &&
      digits[6] !== '0' &&
      (11 - (weightedSum(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === Number(digits[12]),
  },
]

interface ShapedScheme extends Scheme {
  needsContext: boolean
}

const BY_SHAPE: ReadonlyMap<string, readonly ShapedScheme[]> = Map.groupBy(
  NUMBERS.flatMap((scheme) => [
    ...scheme.telling.map((shape) => ({ ...scheme, shape, needsContext: false })),
    ...scheme.ambiguous.map((shape) => ({ ...scheme, shape, needsContext: true })),
  ]),
  ({ shape }) => shape,
)

/** Identity numbers with letters in them. */
const CODES: readonly { name: string; form: RegExp; context?: RegExp; valid: (code: string) => boolean }[] = [
  { name: 'UK national insurance number', form: /^[A-Z]{2}\d{6}[A-D]$/, valid: byStdnum(gbNino) },
  { name: 'Spanish DNI', form: /^\d{8}[A-Z]$/, valid: byStdnum(esDni) },
  { name: 'Spanish NIE', form: /^[XYZ]\d{7}[A-Z]$/, valid: byStdnum(esNie) },
  {
    name: 'Italian codice fiscale',
    form: /^[A-Z]{6}\d[0-9LMNPQRSTUV][A-Z][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$/,
    valid: byStdnum(itCodiceFiscale),
  },
  { name: 'French NIR', form: /^[12]\d{4}2[AB]\d{8}$/, valid: byStdnum(frNir) },
  { name: 'Indian PAN', form: /^[A-Z]{3}P[A-Z]\d{4}[A-Z]$/, context: /\bpan\b|permanent account/i, valid: byStdnum(inPan) },
  { name: 'Chinese resident identity number', form: /^\d{17}[Xx]$/, valid: isChineseNumber },
]

/** Ways of writing codes in groups, by the length of their first number and the letters before it; stdnum reads them as they are. */
const SPACED_CODES: readonly {
  name: string
  firstLength: number
  lettersBefore: number
  form: RegExp
  valid: (code: string) => boolean
}[] = [
  {
    name: 'UK national insurance number',
    firstLength: 2,
    lettersBefore: 3,
    form: /[A-Z]{2} \d{2} \d{2} \d{2} [A-D](?![A-Za-z0-9])/y,
    valid: byStdnum(gbNino),
  },
  { name: 'Spanish DNI', firstLength: 8, lettersBefore: 0, form: /\d{8}-[A-Z](?![A-Za-z0-9])/y, valid: byStdnum(esDni) },
  { name: 'Spanish NIE', firstLength: 7, lettersBefore: 2, form: /[XYZ]-\d{7}-?[A-Z](?![A-Za-z0-9])/y, valid: byStdnum(esNie) },
  {
    name: 'Finnish identity code',
    firstLength: 6,
    lettersBefore: 0,
    form: /\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?![A-Za-z0-9])/y,
    valid: isFinnishCode,
  },
]

/** The name of the identity number that these digits, so written, are; null where they are none. `around` is the text beside it. */
export function nationalNumber(shape: string, digits: string, around: () => string): string | null {
  const scheme = BY_SHAPE.get(shape)?.find(
    ({ needsContext, context, valid }) => valid(digits) && (!needsContext || context?.test(around()) === true),
  )
  return scheme?.name ?? null
}

/** The same for a token of letters and digits. */
export function nationalCode(token: string, around: () => string): string | null {
  const scheme = CODES.find(
    ({ form, context, valid }) => form.test(token) && valid(token) && (context === undefined || context.test(around())),
  )
  return scheme?.name ?? null
}

/** An identity code in groups whose first number stands at `start` and has `length` digits: its name and range. */
export function spacedCode(text: string, start: number, length: number): { name: string; start: number; end: number } | null {
  for (const { name, firstLength, lettersBefore, form, valid } of SPACED_CODES) {
    const from = start - lettersBefore
    if (firstLength !== length || from < 0 || /[A-Za-z0-9]/.test(text.charAt(from - 1))) continue
    form.lastIndex = from
    const code = form.exec(text)?.[0]
    if (code !== undefined && valid(code)) return { name, start: from, end: from + code.length }
  }
  return null
}

function byStdnum({ validate }: { validate: (value: string) => { isValid: boolean } }): (value: string) => boolean {
  return (value) => validate(value).isValid
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether six digits are a day of some year of a century. */
function isDate(digits: string, order: 'ymd' | 'dmy'): boolean {
  const month = Number(digits.slice(2, 4))
  const day = Number(order === 'ymd' ? digits.slice(4, 6) : digits.slice(0, 2))
  return month >= 1 && month <= 12 && day >= 1 && day <= DAYS[month - 1]!
}

/** GB 11643: eight digits of birth date in the middle, ISO 7064 mod 11-2 at the end. */
function isChineseNumber(code: string): boolean {
  const century = code.slice(6, 8)
  if ((century !== '19' && century !== '20') || !isDate(code.slice(8, 14), 'ymd')) return false
  return '10X98765432'[weightedSum(code, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] === code[17]!.toUpperCase()
}

/** Digital and Population Data Services Agency of Finland: birth date, sign of the century, number, remainder by 31. */
function isFinnishCode(code: string): boolean {
  const remainder = Number(code.slice(0, 6) + code.slice(7, 10)) % 31
  return isDate(code.slice(0, 6), 'dmy') && '0123456789ABCDEFHJKLMNPRSTUVWXY'[remainder] === code[10]
}

/**
 * Telephone numbers, by the ranges that the countries assign (libphonenumber-js, `max` metadata): with an international prefix
 * anywhere, in North America's groups anywhere, in other national forms after a word for telephone.
 */
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import type { NumberRun } from './numberTokens.ts'

/** Where a language is written, the most speakers first: the countries whose national forms are tried. */
const COUNTRIES: Readonly<Record<string, readonly CountryCode[]>> = {
  ar: ['EG', 'SA', 'AE'],
  de: ['DE', 'AT', 'CH'],
  en: ['US', 'GB', 'IN', 'AU'],
  es: ['ES', 'MX', 'AR', 'CO'],
  fr: ['FR', 'BE', 'CH'],
  hi: ['IN'],
  it: ['IT'],
  ja: ['JP'],
  ko: ['KR'],
  nl: ['NL', 'BE'],
  pl: ['PL'],
  pt: ['BR', 'PT'],
  ru: ['RU'],
  sv: ['SE'],
  tr: ['TR'],
  uk: ['UA'],
  zh: ['CN', 'TW', 'HK'],
}

const AMERICAN_SHAPES: ReadonlySet<string> = new Set(['3-3-4', '3.3.4', '3) 3-4', '3)3-4', '3) 3 4', '1-3-3-4', '1.3.3.4', '1 (3) 3-4'])
/** Words for telephone in the names of columns and in texts, and words for calling. */
const NAMED =
  /(?:^|[\W_])(?:tel|phones?|telephone|mobile|mob|cell|fax|whatsapp|telefon|handy|rufnummer|fon|téléphone|teléfono|móvil|telefone|celular|cellulare|telefono|gsm)(?:[\W_]|$)|phone|тел|电话|手机|電話|携帯|전화|फोन|هاتف/i
const CALLED =
  /(?:(?:^|[^\p{L}])(?:tel|phone|telephone|mobile|mob|cell|fax|call|called|calling|dial|ring|text|txt|sms|whatsapp|contact|hotline|helpline|services|custcare|telefon|handy|rufnummer|fon|anrufen|téléphone|appel|appelez|teléfono|móvil|llama|telefone|celular|cellulare|telefono|gsm)(?:[^\p{L}]|$)|тел|电话|手机|電話|携帯|전화|फोन|هاتف)[^\n]{0,24}$/iu
const LOOKED_BACK = 40
const LEAST_DIGITS = 7
const MOST_DIGITS = 15

/** The countries of a BCP 47 tag. */
export function phoneCountries(language: string | null): readonly CountryCode[] {
  return COUNTRIES[language?.split('-')[0]?.toLowerCase() ?? 'en'] ?? []
}

/**
 * Whether a run is a telephone number. `column` is the name of the column, which may say so. `spend` is asked before each look into
 * the ranges, which takes a tenth of a millisecond; where it says no there is none.
 */
export function isPhone(
  text: string,
  { shape, digits, start }: NumberRun,
  { column, countries, spend }: { column: string; countries: readonly CountryCode[]; spend: () => boolean },
): boolean {
  if (digits.length < LEAST_DIGITS || digits.length > MOST_DIGITS) return false
  const assigned = (number: string, country?: CountryCode) => spend() && parsePhoneNumberFromString(number, country)?.isValid() === true
  const before = text.slice(Math.max(0, start - LOOKED_BACK), start)
  if (/(?:^|[^\w+])\+ ?\(?$/.test(before)) return assigned(`+${digits}`)
  if (/[\w/]$/.test(before)) return false
  if (AMERICAN_SHAPES.has(shape) && assigned(digits, 'US')) return true
  if (!NAMED.test(column) && !CALLED.test(before)) return false
  if (digits.startsWith('00') && assigned(`+${digits.slice(2)}`)) return true
  // North America has no trunk prefix; where it is 0, a number without it is not dialled.
  return countries.some((country) => (country === 'US') !== digits.startsWith('0') && assigned(digits, country))
}

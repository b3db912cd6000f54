/** Payment cards by issuer range, length and Luhn digit; bank accounts by IBAN (ISO 13616) with the length of their country. */
import { luhn, mod97 } from './checkDigits.ts'

/** First digits, inclusive, and lengths, as the networks publish them (ISO/IEC 7812 issuer identification numbers). */
const ISSUERS: readonly { name: string; from: number; to: number; lengths: readonly number[] }[] = [
  { name: 'Visa', from: 4, to: 4, lengths: [16, 19] },
  { name: 'Mastercard', from: 51, to: 55, lengths: [16] },
  { name: 'Mastercard', from: 2221, to: 2720, lengths: [16] },
  { name: 'American Express', from: 34, to: 34, lengths: [15] },
  { name: 'American Express', from: 37, to: 37, lengths: [15] },
  { name: 'Diners Club', from: 300, to: 305, lengths: [14] },
  { name: 'Diners Club', from: 36, to: 36, lengths: [14] },
  { name: 'Diners Club', from: 38, to: 39, lengths: [14] },
  { name: 'Discover', from: 6011, to: 6011, lengths: [16, 19] },
  { name: 'Discover', from: 644, to: 649, lengths: [16, 19] },
  { name: 'Discover', from: 65, to: 65, lengths: [16, 19] },
  { name: 'JCB', from: 3528, to: 3589, lengths: [16, 19] },
  { name: 'UnionPay', from: 62, to: 62, lengths: [16, 17, 18, 19] },
  { name: 'Mir', from: 2200, to: 2204, lengths: [16] },
]

/** How numbers of cards are written: in one, or in the groups that stand on the card. */
export const CARD_SHAPES: ReadonlySet<string> = new Set([
  '14',
  '15',
  '16',
  '17',
  '18',
  '19',
  ...[' ', '-'].flatMap((gap) =>
    [
      [4, 4, 4, 4],
      [4, 6, 5],
      [4, 6, 4],
      [4, 4, 4, 4, 3],
    ].map((sizes) => sizes.join(gap)),
  ),
])

/** The network of a card's number; null where it is none. */
export function cardIssuer(digits: string): string | null {
  // One digit over and over is a placeholder.
  if (/^(\d)\1+$/.test(digits) || !luhn(digits)) return null
  const issuer = ISSUERS.find(({ from, to, lengths }) => {
    const prefix = Number(digits.slice(0, String(from).length))
    return prefix >= from && prefix <= to && lengths.includes(digits.length)
  })
  return issuer?.name ?? null
}

/** Length of an IBAN by country: SWIFT, IBAN Registry. */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 ' +
    'GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 ' +
    'MT31 MU30 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 ' +
    'VA22 VG24 XK20'
  )
    .split(' ')
    .map((entry): [string, number] => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** Where the IBAN that begins at `start` ends, in groups of four or in one; −1 where there is none. */
export function ibanEnd(text: string, start: number): number {
  const length = IBAN_LENGTHS.get(text.slice(start, start + 2))
  if (length === undefined) return -1
  let iban = ''
  let end = start
  for (; iban.length < length; end++) {
    const character = text.charAt(end)
    if (/[A-Z0-9]/.test(character)) iban += character
    else if (character !== ' ' || iban.length % 4 !== 0) return -1
  }
  return /[A-Za-z0-9]/.test(text.charAt(end)) || !mod97(iban) ? -1 : end
}

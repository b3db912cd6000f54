/** Check digits that are computed here; those of single countries' numbers are stdnum's or in nationalIds.ts. */

/** ISO/IEC 7812-1 annex B: from the right every second digit is doubled, and the sum of the digits is a multiple of ten. */
export function luhn(digits: string): boolean {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 0x30
    sum += double ? (digit < 5 ? 2 * digit : 2 * digit - 9) : digit
  }
  return sum % 10 === 0
}

/** ISO/IEC 7064 mod 97-10 as IBAN uses it (ISO 13616): the first four characters go to the end, letters count from 10. */
export function mod97(iban: string): boolean {
  let rest = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = parseInt(character, 36)
    rest = (rest * (value < 10 ? 10 : 100) + value) % 97
  }
  return rest === 1
}

/** The sum of digits times weights, as many as there are weights. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * (digits.charCodeAt(i) - 0x30), 0)
}

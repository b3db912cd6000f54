/**
 * Tokens: words (letters, marks, digits, with an apostrophe inside), each Han, Kana or Hangul character by itself, and single
 * punctuation marks and symbols. White space separates. Letters are those of the engine's Unicode version (`\p{L}\p{M}\p{N}`).
 */
import { scriptOf } from './characters.ts'

const SPACE = 0
const WORD = 1
const MARK = 2
const ALONE = 3

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** The kind of every UTF-16 unit; surrogates count as letters, so that a pair stays together. */
const KINDS = kindsOfUnits()

function kindsOfUnits(): Uint8Array {
  const kinds = new Uint8Array(0x10000).fill(MARK)
  for (let unit = 0; unit < 0x10000; unit++) {
    const character = String.fromCharCode(unit)
    if (/[\s\u0085]/u.test(character)) kinds[unit] = SPACE
    else if (scriptOf(unit) === 'han') kinds[unit] = ALONE
    else if ((unit >= 0xd800 && unit < 0xe000) || /[\p{L}\p{M}\p{N}]/u.test(character)) kinds[unit] = WORD
  }
  return kinds
}

/**
 * Calls `visit` with the UTF-16 range of each token and the FNV-1a hash (32 bits) of its units, in order; stops where it returns false.
 */
export function eachToken(text: string, visit: (start: number, end: number, hash: number) => boolean | void): void {
  const length = text.length
  for (let i = 0; i < length;) {
    const first = text.charCodeAt(i)
    const kind = KINDS[first]!
    const start = i++
    if (kind === SPACE) continue
    let hash = Math.imul(FNV_OFFSET ^ first, FNV_PRIME)
    if (kind === WORD)
      while (i < length) {
        const unit = text.charCodeAt(i)
        if (KINDS[unit] === WORD) {
          hash = Math.imul(hash ^ unit, FNV_PRIME)
          i++
        } else if (isApostrophe(unit) && i + 1 < length && KINDS[text.charCodeAt(i + 1)] === WORD) {
          hash = Math.imul(Math.imul(hash ^ unit, FNV_PRIME) ^ text.charCodeAt(i + 1), FNV_PRIME)
          i += 2
        } else break
      }
    if (visit(start, i, hash) === false) return
  }
}

function isApostrophe(unit: number): boolean {
  return unit === 0x27 || unit === 0x2019
}

/** All tokens of a text as strings. */
export function tokens(text: string): string[] {
  const found: string[] = []
  eachToken(text, (start, end) => {
    found.push(text.slice(start, end))
  })
  return found
}

/** Whether a token that begins with this UTF-16 unit is a word and not a mark. */
export function isWordUnit(unit: number): boolean {
  return KINDS[unit] === WORD || KINDS[unit] === ALONE
}

/**
 * Characters that a reader does not see, by code point. The table is our own and not the engine's `\p{Cf}`, so that it is the same
 * under every version of Unicode (Unicode 16.0 §23, Default_Ignorable_Code_Point; UTS #51 for emoji sequences).
 */

/** What an invisible character is used for. */
export type HiddenClass = 'zero_width' | 'bidi' | 'tag' | 'variation_selector' | 'private_use' | 'control'

const RANGES: readonly (readonly [first: number, last: number, hidden: HiddenClass])[] = [
  [0x0000, 0x0008, 'control'],
  [0x000e, 0x001f, 'control'],
  [0x007f, 0x0084, 'control'],
  [0x0086, 0x009f, 'control'],
  [0x00ad, 0x00ad, 'zero_width'], // soft hyphen
  [0x034f, 0x034f, 'zero_width'], // combining grapheme joiner
  [0x061c, 0x061c, 'bidi'],
  [0x115f, 0x1160, 'zero_width'], // Hangul fillers
  [0x17b4, 0x17b5, 'zero_width'],
  [0x180b, 0x180d, 'variation_selector'],
  [0x180e, 0x180e, 'zero_width'],
  [0x180f, 0x180f, 'variation_selector'],
  [0x200b, 0x200d, 'zero_width'],
  [0x200e, 0x200f, 'bidi'],
  [0x202a, 0x202e, 'bidi'],
  [0x2060, 0x2065, 'zero_width'],
  [0x2066, 0x2069, 'bidi'],
  [0x206a, 0x206f, 'zero_width'],
  [0x2800, 0x2800, 'zero_width'], // blank Braille pattern
  [0x3164, 0x3164, 'zero_width'],
  [0xe000, 0xf8ff, 'private_use'],
  [0xfe00, 0xfe0f, 'variation_selector'],
  [0xfeff, 0xfeff, 'zero_width'],
  [0xffa0, 0xffa0, 'zero_width'],
  [0xfff9, 0xfffb, 'zero_width'],
  [0x1bca0, 0x1bca3, 'zero_width'],
  [0x1d173, 0x1d17a, 'zero_width'],
  [0xe0000, 0xe007f, 'tag'],
  [0xe0100, 0xe01ef, 'variation_selector'],
  [0xf0000, 0x10ffff, 'private_use'],
]

/** The class of an invisible character; null for everything that can be seen and for white space. */
export function hiddenClass(codePoint: number): HiddenClass | null {
  let low = 0
  let high = RANGES.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last, hidden] = RANGES[middle]!
    if (codePoint < first) high = middle - 1
    else if (codePoint > last) low = middle + 1
    else return hidden
  }
  return null
}

/** What the Unicode standard calls characters that are not seen, of those that are met. */
const INVISIBLE_NAMES: ReadonlyMap<number, string> = new Map([
  [0xad, 'soft hyphen'],
  [0x34f, 'combining grapheme joiner'],
  [0x61c, 'Arabic letter mark'],
  [0x115f, 'Hangul choseong filler'],
  [0x1160, 'Hangul jungseong filler'],
  [0x180e, 'Mongolian vowel separator'],
  [0x200b, 'zero width space'],
  [0x200c, 'zero width non-joiner'],
  [0x200d, 'zero width joiner'],
  [0x200e, 'left-to-right mark'],
  [0x200f, 'right-to-left mark'],
  [0x202a, 'left-to-right embedding'],
  [0x202b, 'right-to-left embedding'],
  [0x202c, 'pop directional formatting'],
  [0x202d, 'left-to-right override'],
  [0x202e, 'right-to-left override'],
  [0x2060, 'word joiner'],
  [0x2061, 'function application'],
  [0x2062, 'invisible times'],
  [0x2063, 'invisible separator'],
  [0x2064, 'invisible plus'],
  [0x2066, 'left-to-right isolate'],
  [0x2067, 'right-to-left isolate'],
  [0x2068, 'first strong isolate'],
  [0x2069, 'pop directional isolate'],
  [0x2800, 'Braille pattern blank'],
  [0x3164, 'Hangul filler'],
  [0xfeff, 'zero width no-break space'],
  [0xffa0, 'halfwidth Hangul filler'],
])

/** The name of an invisible character, as the Unicode standard has it; null for one that has none here. */
export function nameOfInvisible(codePoint: number): string | null {
  const known = INVISIBLE_NAMES.get(codePoint)
  if (known !== undefined) return known
  if (codePoint > 0xe0020 && codePoint < 0xe007f) return `tag ${String.fromCodePoint(codePoint - 0xe0000)}`
  if (codePoint >= 0xfe00 && codePoint <= 0xfe0f) return `variation selector-${codePoint - 0xfdff}`
  if (codePoint >= 0xe0100 && codePoint <= 0xe01ef) return `variation selector-${codePoint - 0xe00ef}`
  return null
}

/** Scripts that the detectors tell apart. `joining` scripts use zero-width characters to shape their letters. */
export type Script = 'latin' | 'greek' | 'cyrillic' | 'rightToLeft' | 'joining' | 'han' | 'other'

/** The script of a letter; null for what is no letter (digits, punctuation, symbols, white space). */
export function scriptOf(codePoint: number): Script | null {
  if (codePoint < 0x80) return (codePoint | 0x20) >= 0x61 && (codePoint | 0x20) <= 0x7a ? 'latin' : null
  if (codePoint < 0x00c0) return codePoint === 0xaa || codePoint === 0xba ? 'latin' : null
  if (codePoint < 0x02b0) return codePoint === 0xd7 || codePoint === 0xf7 ? null : 'latin'
  if (codePoint < 0x0370) return null
  if (codePoint < 0x0400) return codePoint === 0x37e || codePoint === 0x387 || codePoint === 0x375 ? null : 'greek'
  if (codePoint < 0x0530) return codePoint >= 0x482 && codePoint <= 0x489 ? null : 'cyrillic'
  if (codePoint < 0x0590) return 'other'
  if (codePoint < 0x0700) return 'rightToLeft'
  if (codePoint < 0x0900) return 'rightToLeft'
  // Devanagari … Myanmar, Khmer, Mongolian: Indic and South-East Asian scripts shape and break with zero-width characters.
  if (codePoint < 0x10a0) return 'joining'
  if (codePoint < 0x1780) return codePoint >= 0x1100 && codePoint < 0x1200 ? 'han' : 'other'
  if (codePoint < 0x1900) return 'joining'
  if (codePoint < 0x1d00) return codePoint >= 0x1c80 && codePoint < 0x1c90 ? 'cyrillic' : 'joining'
  if (codePoint < 0x1e00) return null
  if (codePoint < 0x1f00) return 'latin'
  if (codePoint < 0x2000) return 'greek'
  if (codePoint < 0x2c60) return null
  if (codePoint < 0x2c80) return 'latin'
  if (codePoint < 0x2de0) return 'other'
  if (codePoint < 0x2e00) return 'cyrillic'
  if (codePoint < 0x3005) return null
  if (codePoint < 0xa000) return 'han'
  if (codePoint < 0xa640) return 'other'
  if (codePoint < 0xa6a0) return 'cyrillic'
  if (codePoint < 0xa720) return 'other'
  if (codePoint < 0xa800) return 'latin'
  if (codePoint < 0xab30) return 'joining'
  if (codePoint < 0xac00) return 'other'
  if (codePoint < 0xd7b0) return 'han'
  if (codePoint < 0xf900) return null
  if (codePoint < 0xfb00) return 'han'
  if (codePoint < 0xfb07) return 'latin'
  if (codePoint < 0xfb1d) return 'other'
  if (codePoint < 0xfe00) return 'rightToLeft'
  if (codePoint < 0xfe70) return null
  if (codePoint < 0xff00) return 'rightToLeft'
  if (codePoint < 0xff21) return null
  if (codePoint < 0xff5b) return codePoint > 0xff3a && codePoint < 0xff41 ? null : 'latin'
  if (codePoint < 0xff66) return null
  if (codePoint < 0xffe0) return 'han'
  if (codePoint >= 0x20000 && codePoint < 0x40000) return 'han'
  if (codePoint >= 0x10800 && codePoint < 0x11000) return 'rightToLeft'
  if (codePoint >= 0x11000 && codePoint < 0x12000) return 'joining'
  return null
}

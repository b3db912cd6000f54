/** What can be told of a text without reading it: numbers of its outside, by which no label should be told. All are integers. */
import { scriptOf } from '../text/characters.ts'

export const SURFACE_ATTRIBUTES = [
  'length in characters',
  'length of the first word',
  'share of capital letters',
  'share of digits',
  'share of punctuation marks',
  'lines',
  'script of the first letter',
  'first character is a capital',
  'last character',
  'web addresses',
] as const

const SCRIPTS = ['latin', 'greek', 'cyrillic', 'han', 'joining', 'other']
const READ_CHARACTERS = 1000

/** The attributes of a text in their order, into `target` at `offset`; shares are in thousandths of the first thousand characters. */
export function surfaceAttributes(text: string, target: Int32Array, offset: number): void {
  const length = Math.min(text.length, READ_CHARACTERS)
  let [capitals, digits, marks, lines, firstWord, letter] = [0, 0, 0, 1, -1, -1]
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x61 && unit <= 0x7a) {
      if (letter < 0) letter = unit
    } else if (unit === 0x20) {
      if (firstWord < 0) firstWord = i
    } else if (unit >= 0x41 && unit <= 0x5a) {
      capitals++
      if (letter < 0) letter = unit
    } else if (unit >= 0x30 && unit <= 0x39) digits++
    else if (unit === 0x0a) lines++
    else if (unit > 0x20 && unit < 0x7f) marks++
    else if (unit >= 0x80 && letter < 0) letter = text.codePointAt(i) ?? unit
  }
  const share = (count: number) => (length === 0 ? 0 : Math.floor((count * 1000) / length))
  const first = text.charCodeAt(0)
  target[offset] = text.length
  target[offset + 1] = firstWord < 0 ? length : firstWord
  target[offset + 2] = share(capitals)
  target[offset + 3] = share(digits)
  target[offset + 4] = share(marks)
  target[offset + 5] = lines
  target[offset + 6] = letter < 0 ? -1 : SCRIPTS.indexOf(scriptOf(letter) ?? 'other')
  target[offset + 7] = first >= 0x41 && first <= 0x5a ? 1 : 0
  target[offset + 8] = text.length === 0 ? 0 : text.charCodeAt(text.length - 1)
  target[offset + 9] = text.includes('://') || text.includes('www.') ? 1 : 0
}

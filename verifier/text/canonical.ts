/**
 * The canonical form of a text, which every detector but that of hidden content compares: invisible characters removed, NFKC,
 * look-alike letters in disguised words replaced by the Latin ones, each run of white space a single space, none at the ends. Case is
 * kept. NFKC is the engine's and follows its Unicode version (Node 24: Unicode 16/17); assigned characters never change theirs.
 */
import { disguisedWords } from './confusables.ts'
import { hiddenClass } from './characters.ts'

const NOT_PLAIN = /[^\x20-\x7e]|^ | $| {2}/
const NOT_ASCII = /[^\t-\r\x20-\x7e]/
const MAYBE_FOREIGN = /[\u0370-\u058f]/

/** The canonical form; the same string where it already is one. */
export function canonicalText(text: string): string {
  if (!NOT_PLAIN.test(text)) return text
  if (!NOT_ASCII.test(text)) return collapseSpace(text)
  let visible = ''
  let kept = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x20 && unit < 0x7f) continue
    const codePoint = unit >= 0xd800 && unit < 0xdc00 ? text.codePointAt(i)! : unit
    const width = codePoint > 0xffff ? 2 : 1
    if (hiddenClass(codePoint) !== null) {
      visible += text.slice(kept, i)
      kept = i + width
    }
    i += width - 1
  }
  visible = kept === 0 ? text : visible + text.slice(kept)
  const composed = visible.normalize('NFKC')
  return collapseSpace(MAYBE_FOREIGN.test(composed) ? inLatin(composed) : composed)
}

function inLatin(text: string): string {
  let result = ''
  let kept = 0
  for (const word of disguisedWords(text)) {
    result += text.slice(kept, word.start) + word.latin
    kept = word.end
  }
  return kept === 0 ? text : (result + text.slice(kept)).normalize('NFKC')
}

/** White space as ECMAScript's `\s` and U+0085. */
function collapseSpace(text: string): string {
  return text.replace(/[\s\u0085]+/g, ' ').trim()
}

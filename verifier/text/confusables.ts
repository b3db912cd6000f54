/**
 * Greek, Cyrillic and Armenian letters that most typefaces draw like a Latin one (the visually identical part of the UTS #39
 * confusables), and words in which they stand in for it.
 */
import { scriptOf } from './characters.ts'

/** Latin letter → the letters that look like it. Of the small Greek ones only omicron, nu and the lunates: the others stand in formulas. */
const LOOK_ALIKES =
  'A:ΑА B:ΒВ C:СϹ E:ΕЕ F:Ϝ G:Ԍ H:ΗН I:ΙІӀ J:ЈͿ K:ΚК M:ΜМ N:Ν O:ΟОՕ P:ΡР Q:Ԛ S:ЅՏ T:ΤТ U:Ս V:Ѵ W:Ԝ X:ΧХ Y:ΥҮ Z:Ζ ' +
  'a:а c:сϲ d:ԁ e:еҽ g:ց h:һհ i:і j:јϳ l:ӏ n:ո o:оοօ p:р q:ԛզ s:ѕ u:ս v:ѵν w:ԝѡ x:х y:уү'

const TWINS: ReadonlyMap<number, string> = new Map(
  LOOK_ALIKES.split(' ').flatMap((entry) => Array.from(entry.slice(2), (letter): [number, string] => [letter.codePointAt(0)!, entry[0]!])),
)

/** Nu stands in formulas too ("νe", "hν", "lνqq"): alone it is a look-alike only inside what reads like a word. */
const NU = 0x3bd
const VOWELS: ReadonlySet<number> = new Set(Array.from('aeiouyAEIOUY', (letter) => letter.codePointAt(0)!))

/** A run of letters in which Latin ones stand beside look-alikes of another alphabet. */
export interface DisguisedWord {
  /** UTF-16 offset of its first letter. */
  start: number
  end: number
  /** The same word in Latin letters. */
  latin: string
}

/**
 * Words of at least three letters that mix Latin letters with look-alikes and with no other foreign letter; where all Cyrillic letters
 * of a text are look-alikes, at least three, and it has Latin letters too, its wholly Cyrillic words as well. Formulas ("Δx", "μm", "νe") and text in two
 * languages are not concerned: real Cyrillic text has letters without a twin.
 */
export function disguisedWords(text: string): DisguisedWord[] {
  const mixed: DisguisedWord[] = []
  const cyrillic: DisguisedWord[] = []
  let latinLetters = 0
  let properCyrillic = false
  for (let start = 0; start < text.length;) {
    const run = letterRun(text, start)
    latinLetters += run.latin
    if (run.cyrillic > run.cyrillicTwins) properCyrillic = true
    if (run.twins > 0 && run.twins + run.latin === run.letters) {
      if (run.latin > 0 && run.letters >= 3 && (run.twins > run.nus || readsLikeWord(text, run)))
        mixed.push({ start, end: run.end, latin: inLatin(text.slice(start, run.end)) })
      else if (run.cyrillic === run.letters) cyrillic.push({ start, end: run.end, latin: inLatin(text.slice(start, run.end)) })
    }
    start = Math.max(run.end, start + 1)
  }
  const letters = cyrillic.reduce((sum, { start, end }) => sum + end - start, 0)
  if (properCyrillic || latinLetters === 0 || letters < 3) return mixed
  return [...mixed, ...cyrillic].sort((a, b) => a.start - b.start)
}

/** Counts over the run of letters that begins at `start`; `end` is `start` where there is none. */
function letterRun(text: string, start: number) {
  const run = { end: start, letters: 0, latin: 0, vowels: 0, twins: 0, nus: 0, cyrillic: 0, cyrillicTwins: 0 }
  while (run.end < text.length) {
    const codePoint = text.codePointAt(run.end)!
    const script = scriptOf(codePoint)
    if (script === null) break
    const twin = TWINS.has(codePoint)
    run.letters++
    if (script === 'latin') run.latin++
    else if (twin) run.twins++
    if (codePoint === NU) run.nus++
    if (VOWELS.has(codePoint)) run.vowels++
    if (script === 'cyrillic') {
      run.cyrillic++
      if (twin) run.cyrillicTwins++
    }
    run.end += codePoint > 0xffff ? 2 : 1
  }
  return run
}

/** Four Latin letters, or three of which two are vowels, and no nu at the end, where a function has its argument ("sinν"). */
function readsLikeWord(text: string, { end, latin, vowels }: { end: number; latin: number; vowels: number }): boolean {
  return (latin >= 4 || (latin === 3 && vowels >= 2)) && text.charCodeAt(end - 1) !== NU
}

function inLatin(word: string): string {
  return Array.from(word, (letter) => TWINS.get(letter.codePointAt(0)!) ?? letter).join('')
}

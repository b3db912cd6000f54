/**
 * Cells of human reference texts: `language/domain`, in the words of the manifest, lower-case. A data set is compared with the cell of its own
 * language tag, or of the nearest shorter one that there is (RFC 4647 §3.4, lookup): `pt-BR` with `pt-br/news`, else with `pt/news`.
 */
import { Manifest } from '../../core/documents/manifest.ts'
import { Problem } from '../../core/problem.ts'

/** What a manifest declares of its texts. */
export interface KindOfText {
  readonly language?: string | null | undefined
  readonly domain?: string | null | undefined
}

const { language: Language, domain: Domain } = Manifest.shape

/** Whether a text is the name of a cell: lower-case, and both parts as in a manifest. */
export function isCell(text: string): boolean {
  const [language, domain, ...rest] = text.split('/')
  if (!language || !domain || rest.length > 0 || text !== text.toLowerCase()) return false
  return Language.safeParse(language).success && Domain.safeParse(domain).success
}

/** Reads `LANG/DOMAIN`, in either case. Throws `invalid-request` where one of them is not as in a manifest. */
export function parseCell(text: string): string {
  const cell = text.toLowerCase()
  if (!isCell(cell))
    throw new Problem(
      'invalid-request',
      `"${text}" is no cell of reference texts; expected a language tag and a kind of text as manifests declare them: en/news`,
    )
  return cell
}

/** The cells that texts of a kind are compared with, the nearest first; none where the kind is not declared. */
export function cellsOf({ language, domain }: KindOfText): string[] {
  if (!language || !domain) return []
  const subtags = language.toLowerCase().split('-')
  const cells: string[] = []
  for (let length = subtags.length; length > 0; length--)
    // A single character introduces what follows it and says nothing by itself.
    if (subtags[length - 1]!.length > 1) cells.push(`${subtags.slice(0, length).join('-')}/${domain}`)
  return cells
}

/** Why there is nothing to compare texts of a kind with, for a person. */
export function withoutReferences(kind: KindOfText): string {
  const [cell] = cellsOf(kind)
  return cell === undefined
    ? 'The manifest does not declare both language and domain (the kind of text), which say what human texts to compare with.'
    : `The recipe names no human reference texts for ${cell}; an operator adds them with assay reference add.`
}

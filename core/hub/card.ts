/**
 * A data set card: README.md with the metadata that the Hub's clients read, and what the registry knows of the data set, for people. It
 * depends on signed documents alone. What contributors wrote stands in it as text, never as markup.
 */
import type { CID } from '../cid.ts'
import type { Encoded } from '../documents/document.ts'
import type { Manifest } from '../documents/manifest.ts'
import type { Report } from '../documents/report.ts'
import type { SampleIndex } from '../documents/sampleIndex.ts'
import type { Selection } from '../documents/selection.ts'
import { powerSentences } from '../powerText.ts'
import type { Config } from './configs.ts'
import { type Plain, yamlMapping } from './yaml.ts'

/** Of the Hub's size categories. */
const SIZES: readonly (readonly [number, string])[] = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
  [1e8, '10M<n<100M'],
  [1e9, '100M<n<1B'],
  [1e10, '1B<n<10B'],
  [1e11, '10B<n<100B'],
  [1e12, '100B<n<1T'],
]

export interface CardMetadata {
  pretty_name?: string
  license: string[]
  language?: string[]
  size_categories?: string[]
}

/** `sampleCount`: null while it is unknown. */
export function cardMetadata(manifest: Manifest, sampleCount: number | null): CardMetadata {
  const size = sampleCount === null ? undefined : (SIZES.find(([limit]) => sampleCount < limit)?.[1] ?? 'n>1T')
  return {
    ...(manifest.title === undefined ? {} : { pretty_name: manifest.title }),
    license: [manifest.license.toLowerCase()],
    ...(manifest.language === undefined ? {} : { language: [manifest.language.toLowerCase()] }),
    ...(size === undefined ? {} : { size_categories: [size] }),
  }
}

export interface SplitSize {
  config: string
  split: string
  sampleCount: number
}

export interface CardSubject {
  manifest: Encoded<Manifest>
  index: Encoded<SampleIndex>
  selection: Encoded<Selection>
  /** Absent where the selection goes by several reports, or by none. */
  report?: Encoded<Report>
  configs: readonly Config[]
  sizes: readonly SplitSize[]
}

export function datasetCard({ manifest, index, selection, report, configs, sizes }: CardSubject): string {
  const { document: about } = manifest
  const metadata = cardMetadata(about, index.document.sampleCount)
  const sections = [
    heading(about),
    report === undefined ? null : verdict(report, selection),
    rows(selection.document, sizes),
    columns(index.document),
    provenance({ manifest, index, selection, ...(report === undefined ? {} : { report }) }),
    verification(about.name, index.cid),
  ]
  const yaml = yamlMapping({ ...metadata, configs: configs as readonly Plain[] })
  return `---\n${yaml}---\n\n${sections.filter((section) => section !== null).join('\n\n')}\n`
}

function heading(manifest: Manifest): string {
  const lines = [`# ${plain(manifest.title ?? manifest.name)}`]
  if (manifest.description !== undefined) lines.push(quote(manifest.description))
  lines.push('This card was written by the registry from signed documents; the contributor published none.')
  return lines.join('\n\n')
}

function verdict({ document: report }: Encoded<Report>, { document: selection }: Encoded<Selection>): string {
  const table = report.properties.map(({ property, state, flaggedSamples, reasons }) => [
    code(property),
    state,
    String(flaggedSamples),
    plain(reasons.join(' ')),
  ])
  const powers = report.properties.flatMap(({ property, state, power }) =>
    state === 'CLEAR' || power.length > 0 ? powerSentences(power).map((sentence) => `- ${code(property)}: ${plain(sentence)}`) : [],
  )
  const notCovered = report.properties.flatMap(({ property, notCovered: own = [] }) =>
    own.map((text) => `- ${code(property)}: ${plain(text)}`),
  )
  const uncovered = [...notCovered, ...report.notCovered.map((text) => `- ${plain(text)}`)]
  return [
    '## Verdict',
    `**${report.verdict}**, the worst of the states below. ${selection.selectedCount} of ${selection.sampleCount} rows pass the policy ${code(selection.policy.name)}, which leaves out rows with one of the flags ${selection.policy.exclude.map(code).join(', ') || '(none)'}.`,
    markdownTable(['property', 'state', 'flagged rows', 'why'], table),
    ...(powers.length === 0 ? [] : [`CLEAR means no more than this:\n\n${powers.join('\n')}`]),
    ...(uncovered.length === 0 ? [] : [`Not covered:\n\n${uncovered.join('\n')}`]),
  ].join('\n\n')
}

function rows(selection: Selection, sizes: readonly SplitSize[]): string {
  const table = sizes.map(({ config, split, sampleCount }) => [code(config), code(split), String(sampleCount)])
  const total = `${selection.sampleCount} rows were published. They are the same samples in every file that holds them, by digest.`
  return `## Rows\n\n${total}\n\n${markdownTable(['config', 'split', 'rows'], table)}`
}

function columns({ schema, statistics }: SampleIndex): string {
  const nulls = new Map(statistics.map((column) => [column.name, column.nullCount]))
  const table = schema.slice(0, MAX_LISTED_COLUMNS).map(({ name, type }) => [code(name), type.type, String(nulls.get(name) ?? '')])
  const more = schema.length > MAX_LISTED_COLUMNS ? `\n\n… and ${schema.length - MAX_LISTED_COLUMNS} more` : ''
  return `## Columns\n\n${markdownTable(['column', 'type', 'nulls'], table)}${more}`
}

const MAX_LISTED_COLUMNS = 100

function provenance({ manifest, index, selection, report }: Pick<CardSubject, 'manifest' | 'index' | 'selection' | 'report'>): string {
  const { author, createdAt, license, sources, synthetic, consent, previous } = manifest.document
  const lines = [
    `Published by ${code(author)} at ${createdAt} under the licence ${code(license)}.`,
    ...sources.map(
      ({ name, url, license: terms }) => `Source: ${plain([name, url, terms].filter((part) => part !== undefined).join(', '))}.`,
    ),
    ...(consent === undefined ? [] : [`Consent of the people in it, in the contributor's words: ${plain(consent)}`]),
    `Synthetic content as declared: ${[synthetic.share, ...synthetic.generators].map(code).join(', ')}.`,
  ]
  const documents: (readonly [string, CID | undefined])[] = [
    ['manifest', manifest.cid],
    ['index', index.cid],
    ['report', report?.cid],
    ['selection', selection.cid],
    ['version before', previous],
  ]
  const table = documents.flatMap(([name, cid]) => (cid === undefined ? [] : [[name, code(cid.toString())]]))
  return `## Provenance\n\n${lines.map((line) => `- ${line}`).join('\n')}\n\n${markdownTable(['document', 'CID'], table)}`
}

function verification(name: string, index: CID): string {
  return [
    '## How to verify',
    'Every document is signed by who made it and has an entry in a public log; every file is addressed by its content. Nothing of this has to be believed:',
    [
      '```sh',
      `assay fetch ${name} --out copy      # every block is hashed before it touches the disk`,
      `assay report ${name}`,
      `assay reverify ${name}              # the report, computed anew`,
      '```',
    ].join('\n'),
    `The Parquet files are the rows of the index ${code(index.toString())} that the selection marks, written so that the same rows make the same bytes (core/samples/parquet.ts): whoever writes them gets the same CIDs.`,
  ].join('\n\n')
}

function markdownTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** Text of others on one line, without effect as Markdown or HTML. */
function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_{}[\]<>#|!~&]/g, '\\$&')
}

function code(text: string): string {
  return `\`${text.replaceAll(/\s+/g, ' ').replaceAll(/[`|]/g, "'")}\``
}

/** Text of others over several lines. */
function quote(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => `> ${plain(line)}`)
    .join('\n')
}

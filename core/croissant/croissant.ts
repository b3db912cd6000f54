/**
 * A version as Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html): JSON-LD from which `mlcroissant` loads rows.
 * It depends on signed documents, their places in the log and the registry's name alone, so that whoever has them writes the same bytes.
 */
import type { CID } from '../cid.ts'
import type { FileObject, Manifest } from '../documents/manifest.ts'
import type { SampleIndex } from '../documents/sampleIndex.ts'
import type { Export } from '../hub/exportDocument.ts'
import { exportFolders, splitOfExported } from '../hub/exportFolders.ts'
import { namedSplitOf, splitOf } from '../hub/splits.ts'
import type { Plain } from '../hub/yaml.ts'
import { CROISSANT_CONTEXT, CROISSANT_VERSION } from './context.ts'
import { PARQUET, encodePath, fileObject, filesUrl } from './files.ts'
import { type RegistryNames, type Signed, activityId, ipfs, licenseOf, provenance, responsibleUse, usagePolicy } from './provenance.ts'
import { MAX_FIELDS, type RowConfig, recordSetsOf } from './recordSets.ts'

export interface CroissantSubject {
  registry: RegistryNames
  /** Of the version. */
  number: number
  manifest: Signed<'manifest'>
  /** Null while there is none. */
  index: Signed<'index'> | null
  /** A report of that index with the files that it was exported as; null while there are none, and then the files as published stand alone. */
  verified: { report: Signed<'report'>; export: { cid: CID; document: Export } } | null
}

/** The JSON-LD of a version: every published file once, every generated one once, and the rows that can be loaded from them. */
export function croissantOf(subject: CroissantSubject): { [key: string]: Plain } {
  const { registry, number, manifest, index } = subject
  const { report, export: exported } = subject.verified ?? { report: null, export: null }
  const { document: about } = manifest
  const rows = index === null ? NO_ROWS : rowsOf(subject, index.document)
  const rowsIn = new Map(index?.document.files.map(({ path, sampleCount }) => [path, sampleCount]))
  const describeFile = (path: string) => {
    const count = rowsIn.get(path)
    return index === null ? undefined : count === undefined ? 'Holds no rows' : `As published: ${count} rows`
  }
  const publishedUrl = filesUrl(registry.url, about.name, manifest.cid)
  const exportUrl = exported === null ? '' : filesUrl(registry.url, about.name, exported.cid)
  const generated = exported?.document.files.map((file) => fileObject(file, exportUrl)) ?? []
  const [namespace] = about.name.split('/')
  return {
    '@context': CROISSANT_CONTEXT,
    '@type': 'sc:Dataset',
    name: about.title ?? about.name,
    alternateName: about.name,
    description: [about.description ?? about.title ?? about.name, ...rows.notes].join('\n\n'),
    conformsTo: CROISSANT_VERSION,
    license: licenseOf(about.license),
    url: `${registry.url}/datasets/${encodePath(about.name)}`,
    sameAs: ipfs(about.root),
    identifier: ipfs(manifest.cid),
    citeAs: `${about.name}, version ${number}, ${ipfs(manifest.cid)}`,
    creator: { '@type': 'Organization', name: namespace!, identifier: about.author },
    datePublished: about.createdAt,
    version: `${number}.0.0`,
    ...(about.language === undefined ? {} : { inLanguage: about.language }),
    usageInfo: usagePolicy(about, manifest.cid),
    ...responsibleUse(about, report?.document ?? null),
    ...provenance({ manifest, index, report }, registry),
    distribution: [...about.files.map((file) => fileObject(file, publishedUrl, describeFile(file.path))), ...generated],
    recordSet: rows.recordSets,
  }
}

/** The bytes of a Croissant document. */
export function encodeCroissant(document: { readonly [key: string]: Plain }): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

interface Rows {
  recordSets: Plain[]
  /** Of the registry, for people. */
  notes: string[]
}

const NO_ROWS: Rows = {
  recordSets: [],
  notes: ['Note of the registry: the rows of these files are not known yet, or could not be read, so that no record set stands here.'],
}

function rowsOf({ manifest, verified }: CroissantSubject, index: SampleIndex): Rows {
  const configs = [
    publishedRows(manifest.document, index, verified?.export.document ?? null),
    ...(verified === null ? [] : [verifiedRows(manifest.document, verified.export.document, verified.report.cid)]),
  ].filter((config) => config !== null)
  const fieldCount = configs.reduce((sum, { files }) => sum + files.length * index.schema.length, 0)
  if (fieldCount > MAX_FIELDS)
    return {
      recordSets: [],
      notes: [`Note of the registry: no record set stands here, because ${fieldCount} fields are more than clients of Croissant read.`],
    }
  const { recordSets, leftOut } = recordSetsOf(index, configs, {
    namesSplits: index.files.some(({ path }) => namedSplitOf(path) !== null),
  })
  const notes = [
    ...(verified === null
      ? ['Note of the registry: this version is not verified yet, or its rows that pass are still being written.']
      : []),
    ...(configs.some(({ name }) => name === 'default')
      ? []
      : [
          'Note of the registry: the rows as published have a record set once they stand as Parquet, too: of other files clients of Croissant guess the types, or do not read them.',
        ]),
    ...(leftOut.length === 0
      ? []
      : [`Note of the registry: Croissant has no type for these columns, which are left out: ${leftOut.join(', ')}.`]),
  ]
  return { recordSets, notes }
}

/**
 * All rows, from Parquet alone, published or generated: `mlcroissant` reads JSON lines and CSV with pandas, which rounds doubles and makes
 * numbers of texts, so that other rows than the published ones would come out. Null where there is none.
 */
function publishedRows(manifest: Manifest, index: SampleIndex, exported: Export | null): RowConfig | null {
  const whole = exported === null ? [] : exportedFiles(exported, exportFolders(pathsOf(manifest)).whole)
  const config = { name: 'default', description: 'All rows, as published', verdict: null, activity: null } as const
  if (whole.length > 0) return { ...config, files: whole }
  const withRows = index.files.filter(({ sampleCount }) => sampleCount > 0)
  if (!withRows.every(({ path }) => PARQUET.test(path))) return null
  const byPath = new Map(manifest.files.map((file) => [file.path, file]))
  const files = withRows.flatMap(({ path }) => {
    const file = byPath.get(path)
    return file === undefined ? [] : [{ file, split: splitOf(path) }]
  })
  return { ...config, files }
}

/** The rows that pass the policy `verified`. Null where none does. */
function verifiedRows(manifest: Manifest, exported: Export, report: CID): RowConfig | null {
  const files = exportedFiles(exported, exportFolders(pathsOf(manifest)).verified)
  if (files.length === 0) return null
  const description = `The rows that pass the policy "verified" under the report ${ipfs(report)}: the selection ${ipfs(exported.selection)}`
  return { name: 'verified', description, files, verdict: 'passes', activity: activityId(report) }
}

function exportedFiles(exported: Export, folder: string): { file: FileObject; split: string }[] {
  return exported.files.flatMap((file) => {
    const split = splitOfExported(file.path, folder)
    return split === null ? [] : [{ file, split }]
  })
}

function pathsOf({ files }: Manifest): string[] {
  return files.map((file) => file.path)
}

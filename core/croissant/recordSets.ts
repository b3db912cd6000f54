/**
 * The rows of a data set as Croissant's RecordSets, one for each file: a FileSet of tables that lie at addresses of their own is nothing that
 * clients load by column.
 */
import type { FileObject } from '../documents/manifest.ts'
import type { SampleIndex } from '../documents/sampleIndex.ts'
import type { Plain } from '../hub/yaml.ts'
import { idPart } from './context.ts'
import { fieldsOf } from './fields.ts'
import { fileId } from './files.ts'

/** More fields than these make a document that no client reads in reasonable time: then there are no record sets. */
export const MAX_FIELDS = 10_000

/** Splits that Croissant knows by URL. */
const SPLIT_URLS: Readonly<Record<string, string>> = {
  train: 'cr:TrainingSplit',
  validation: 'cr:ValidationSplit',
  test: 'cr:TestSplit',
}

/** Files of rows in one form. */
export interface RowConfig {
  name: 'default' | 'verified'
  description: string
  files: readonly { file: FileObject; split: string }[]
  /** Of every row in it; null where nothing is known. */
  verdict: string | null
  /** `@id` of the activity that made the files; null for those published. */
  activity: string | null
}

export interface RecordSets {
  recordSets: Plain[]
  leftOut: string[]
}

/** `namesSplits`: whether the files say to which splits they belong. */
export function recordSetsOf(
  { schema }: SampleIndex,
  configs: readonly RowConfig[],
  { namesSplits }: { namesSplits: boolean },
): RecordSets {
  const recordSets: Plain[] = namesSplits && configs.length > 0 ? [splitSet(configs)] : []
  let leftOut: string[] = []
  const taken = new Set(schema.map((column) => column.name))
  for (const config of configs) {
    const ids = recordSetIds(config)
    for (const [i, { file, split }] of config.files.entries()) {
      const id = ids[i]!
      const { fields, ...columns } = fieldsOf(schema, { recordSet: id, file: fileId(file.path) })
      leftOut = columns.leftOut
      if (fields.length === 0) continue
      if (namesSplits) fields.push(constantField(id, freeName('split', taken), split, { references: { field: { '@id': 'splits/name' } } }))
      if (config.verdict !== null)
        fields.push(constantField(id, freeName('verdict', taken), config.verdict, { description: 'The verdict on this row' }))
      recordSets.push({
        '@type': 'cr:RecordSet',
        '@id': id,
        name: id,
        description: config.description,
        ...(config.activity === null ? {} : { 'prov:wasGeneratedBy': { '@id': config.activity } }),
        field: fields,
      })
    }
  }
  return { recordSets, leftOut }
}

/** The `@id` of each file's rows: `default` where there is one file, else `default/SPLIT` and, where a split has several, `default/SPLIT/00000`. */
function recordSetIds({ name, files }: RowConfig): string[] {
  if (files.length === 1) return [name]
  const counts = new Map<string, number>()
  const places = files.map(({ split }) => {
    const place = counts.get(split) ?? 0
    counts.set(split, place + 1)
    return place
  })
  return files.map(({ split }, i) => {
    const id = `${name}/${idPart(split)}`
    return counts.get(split) === 1 ? id : `${id}/${String(places[i]).padStart(5, '0')}`
  })
}

function splitSet(configs: readonly RowConfig[]): Plain {
  const names = [...new Set(configs.flatMap(({ files }) => files.map(({ split }) => split)))]
  const areKnown = names.every((name) => Object.hasOwn(SPLIT_URLS, name))
  return {
    '@type': 'cr:RecordSet',
    '@id': 'splits',
    name: 'splits',
    description: 'Which rows are meant for what, as the names of the files say',
    dataType: 'cr:Split',
    key: { '@id': 'splits/name' },
    field: [
      { '@type': 'cr:Field', '@id': 'splits/name', name: 'name', dataType: 'sc:Text' },
      ...(areKnown ? [{ '@type': 'cr:Field', '@id': 'splits/url', name: 'url', dataType: ['sc:URL', 'cr:Split'] }] : []),
    ],
    data: names.map((name) => ({ 'splits/name': name, ...(areKnown ? { 'splits/url': SPLIT_URLS[name]! } : {}) })),
  }
}

function constantField(recordSet: string, name: string, value: string, more: { [key: string]: Plain }): Plain {
  return { '@type': 'cr:Field', '@id': `${recordSet}/${name}`, name, dataType: 'sc:Text', value, ...more }
}

/** A name that no column has. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freeName(`_${name}`, taken) : name
}

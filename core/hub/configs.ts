/** The configurations of a data set as `datasets` reads them from the metadata of a card: which files make which split. */
import type { SampleIndex } from '../documents/sampleIndex.ts'
import { splitOf } from './splits.ts'
import type { Plain } from './yaml.ts'

/** What readers of images and sound take along with a table. */
const MEDIA = /\.(png|jpe?g|gif|webp|bmp|tiff?|wav|mp3|flac|ogg|opus|m4a|mp4|webm|avi|mkv|mov|tar)$/i
/** More files of a split than these are named by a pattern for each folder. */
const MAX_NAMED_FILES = 64

export type Config = { readonly [key: string]: Plain } & { readonly config_name: string }

export interface NamedSplit {
  name: string
  paths: readonly string[]
}

/** A configuration of these files of each split. */
export function configOf(name: string, splits: readonly NamedSplit[]): Config {
  return {
    config_name: name,
    data_files: splits.map((split) => ({ split: split.name, path: patternsOf(split.paths) })),
  }
}

export interface BesideOptions {
  /** Of the publisher's README. */
  own: readonly Config[]
  index: Pick<SampleIndex, 'files' | 'skippedFiles'>
  /** All rows as Parquet; null where they were published so. */
  whole: readonly NamedSplit[] | null
  /** The rows that pass. */
  verified: readonly NamedSplit[]
}

/**
 * The configurations of a version with its generated files. `datasets` reads all of them with the reader of the first one's files, so that
 * `verified`, which is Parquet, stands only beside others of Parquet: `default` is the rows as published, as Parquet where they came otherwise,
 * and a publisher's own configurations of other formats, and those of images and sounds, stay alone.
 */
export function configsBeside({ own, index, whole, verified }: BesideOptions): Config[] {
  const hasMedia = index.skippedFiles.some(isMedia)
  const published = hasMedia || whole === null ? publishedConfig(index) : configOf('default', whole)
  // Without files of its own a configuration would be that of all files, generated ones included.
  const files = publishedConfig(index)['data_files']!
  const named = own.map((config) => ('data_files' in config || 'data_dir' in config ? config : { ...config, data_files: files }))
  const configs = named.length === 0 ? [published] : named
  const areParquet = !hasMedia && (named.length === 0 || whole === null)
  return areParquet && verified.length > 0 ? besideConfigs(configs, configOf('verified', verified)) : configs
}

/** The configuration of the files as published: those with samples, and the images and sounds that they may speak of. */
function publishedConfig({ files, skippedFiles }: Pick<SampleIndex, 'files' | 'skippedFiles'>): Config {
  const splits = new Map<string, string[]>()
  for (const path of [...files.map((file) => file.path), ...skippedFiles.filter(isMedia)]) {
    const name = splitOf(path)
    const paths = splits.get(name)
    if (paths === undefined) splits.set(name, [path])
    else paths.push(path)
  }
  return configOf(
    'default',
    [...splits].map(([name, paths]) => ({ name, paths })),
  )
}

function isMedia(path: string): boolean {
  return MEDIA.test(path) && !path.split('/').some((part) => part.startsWith('.'))
}

/**
 * A publisher's own configurations with another beside them, which gives way where its name is taken. The only one of them stays what is
 * loaded when none is named.
 */
function besideConfigs(own: readonly Config[], added: Config): Config[] {
  const taken = new Set(own.map((config) => config.config_name))
  const name = taken.has(added.config_name) ? `assay-${added.config_name}` : added.config_name
  const [only] = own
  const first = own.length === 1 && only !== undefined && only.config_name !== 'default' ? [{ ...only, default: true }] : own
  return [...first, { ...added, config_name: name }]
}

function patternsOf(paths: readonly string[]): string[] {
  if (paths.length <= MAX_NAMED_FILES) return paths.map(literal)
  return [...new Set(paths.map((path) => path.replace(/[^/]*?((?:\.[A-Za-z0-9]+)*)$/, (_, extension: string) => `*${extension}`)))].map(
    (pattern) =>
      pattern
        .split('/')
        .map((part, i, parts) => (i === parts.length - 1 ? part : literal(part)))
        .join('/'),
  )
}

/** A path as a pattern that matches it alone. */
function literal(path: string): string {
  return path.replaceAll(/[*?[]/g, '[$&]')
}

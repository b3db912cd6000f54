/** Files as Croissant's FileObjects: where their bytes are, what they are, and what they must hash to. */
import type { CID } from '../cid.ts'
import type { FileObject } from '../documents/manifest.ts'
import { commitIdOf } from '../hub/exportDocument.ts'
import type { Plain } from '../hub/yaml.ts'
import { idPart } from './context.ts'

/** Media types by the ending of a name; the first that fits. A list is of names for one format: the registered one, and mlcroissant's. */
const FORMATS: readonly (readonly [RegExp, string | readonly string[]])[] = [
  [/\.(jsonl|ndjson)$/i, 'application/jsonlines'],
  [/\.csv$/i, 'text/csv'],
  [/\.tsv$/i, 'text/tab-separated-values'],
  [/\.(parquet|pq)$/i, ['application/vnd.apache.parquet', 'application/x-parquet']],
  [/\.(arrow|feather|ipc)$/i, 'application/vnd.apache.arrow.file'],
  [/\.json$/i, 'application/json'],
  [/\.(md|markdown)$/i, 'text/markdown'],
  [/\.(txt|text)$/i, 'text/plain'],
  [/\.ya?ml$/i, 'application/yaml'],
  [/\.jpe?g$/i, 'image/jpeg'],
  [/\.png$/i, 'image/png'],
  [/\.webp$/i, 'image/webp'],
  [/\.gif$/i, 'image/gif'],
  [/\.gz$/i, 'application/gzip'],
  [/\.zst$/i, 'application/zstd'],
  [/\.zip$/i, 'application/zip'],
  [/\.tar$/i, 'application/x-tar'],
]

export const PARQUET = /\.(parquet|pq)$/i

/** Files under one commit id of a registry. */
export interface FilePlace {
  /** The registry's URL, without a slash at the end. */
  url: string
  /** `namespace/name`. */
  dataset: string
  /** A manifest, or an export. */
  document: CID
}

export function fileId(path: string): string {
  return ['file', ...path.split('/').map(idPart)].join('/')
}

export function fileObject(file: FileObject, place: FilePlace, description?: string): Plain {
  return {
    '@type': 'cr:FileObject',
    '@id': fileId(file.path),
    name: file.path,
    ...(description === undefined ? {} : { description }),
    contentUrl: contentUrl(place, file.path),
    contentSize: `${file.sizeBytes} B`,
    encodingFormat: FORMATS.find(([ending]) => ending.test(file.path))?.[1] ?? 'application/octet-stream',
    sha256: file.sha256,
    sameAs: `ipfs://${file.cid.toString()}`,
  }
}

/** A URL whose bytes never change: it names the commit. */
function contentUrl({ url, dataset, document }: FilePlace, path: string): string {
  const encode = (text: string) => text.split('/').map(encodeURIComponent).join('/')
  return `${url}/datasets/${encode(dataset)}/resolve/${commitIdOf(document)}/${encode(path)}`
}

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

/** Where a registry gives the files of a manifest or an export, whose bytes never change: a URL that ends in a slash. */
export function filesUrl(registryUrl: string, dataset: string, document: CID): string {
  return `${registryUrl}/datasets/${encodePath(dataset)}/resolve/${commitIdOf(document)}/`
}

export function fileId(path: string): string {
  return ['file', ...path.split('/').map(idPart)].join('/')
}

/** `url`: of `filesUrl`. */
export function fileObject(file: FileObject, url: string, description?: string): Plain {
  return {
    '@type': 'cr:FileObject',
    '@id': fileId(file.path),
    name: file.path,
    ...(description === undefined ? {} : { description }),
    contentUrl: `${url}${encodePath(file.path)}`,
    contentSize: `${file.sizeBytes} B`,
    encodingFormat: FORMATS.find(([ending]) => ending.test(file.path))?.[1] ?? 'application/octet-stream',
    sha256: file.sha256,
    sameAs: `ipfs://${file.cid.toString()}`,
  }
}

export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

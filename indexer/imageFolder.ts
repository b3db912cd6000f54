/**
 * A folder of images as a data set, laid out as Hugging Face's ImageFolder: one sample a file, its class the folder that it lies in, and what else
 * is known of it in a file `metadata.csv`, `.jsonl` or `.parquet` beside or above it, in the row that has its path as `file_name`.
 */
import { Problem } from '../core/problem.ts'
import { setField } from '../core/samples/fields.ts'
import type { Schema } from '../core/samples/schema.ts'
import type { Row } from '../core/samples/value.ts'
import { FILE_NAME_COLUMN, IMAGE_COLUMN } from './readers/image.ts'
import type { ObservedField, Reader, ReaderOptions, SourceFile } from './readers/reader.ts'

export const LABEL_COLUMN = 'label'

const METADATA = /^metadata\.(csv|jsonl|parquet)$/i
/** Folders that say which part of a data set their files are. */
const SPLITS = new Set(['train', 'training', 'test', 'testing', 'eval', 'evaluation', 'val', 'valid', 'validation', 'dev'])
/** Held in memory while images are written. */
const MAX_METADATA_BYTES = 64 * 1024 * 1024

export function isMetadata(path: string): boolean {
  return METADATA.test(nameOf(path))
}

/** The class of each image: the folder that it lies in. Null where that is a split's, or where all images lie in one. */
export function classesOf(paths: readonly string[]): (path: string) => string | null {
  const classOf = (path: string) => {
    const folder = path.split('/').at(-2)
    return folder === undefined || SPLITS.has(folder.toLowerCase()) ? null : folder
  }
  const several = new Set(paths.map(classOf).filter((name) => name !== null)).size > 1
  return several ? classOf : () => null
}

interface MetadataFile {
  file: SourceFile
  reader: Reader
}

interface MetadataFile {
  file: SourceFile
  reader: Reader
}

export interface ImageFolder {
  /** What is known of images besides their bytes, with the file that says so. */
  columns: { path: string; fields: ObservedField[] }[]
  /**
   * A function that adds it to an image's row. Throws `invalid-sample` for metadata of images that are not there, or twice of one.
   */
  annotator(schema: Schema): Promise<(path: string, row: Row) => Row>
}

/** Learns the columns of a folder. Throws `invalid-sample` where metadata say not of which image, `too-large` where they are too much to hold. */
export async function learnImageFolder(
  images: readonly string[],
  metadata: readonly MetadataFile[],
  options: ReaderOptions,
): Promise<ImageFolder> {
  const total = metadata.reduce((sum, { file }) => sum + file.sizeBytes, 0)
  if (total > MAX_METADATA_BYTES)
    throw new Problem(
      'too-large',
      `metadata of ${total} bytes; at most ${MAX_METADATA_BYTES} are joined to images: publish tables with the images in them`,
    )
  const columns: ImageFolder['columns'] = []
  for (const { file, reader } of metadata) {
    const fields = await reader.infer(file, options)
    const name = fields.find((field) => field.name === FILE_NAME_COLUMN)
    if (name === undefined || (name.type.type !== 'utf8' && name.alsoText !== true))
      throw new Problem('invalid-sample', `${file.path}: no column "${FILE_NAME_COLUMN}" of text, which says which image a row is about`)
    columns.push({ path: file.path, fields: fields.filter((field) => field.name !== FILE_NAME_COLUMN && field.name !== IMAGE_COLUMN) })
  }
  const isLabelled = columns.some(({ fields }) => fields.some((field) => field.name === LABEL_COLUMN))
  const classOf = isLabelled ? () => null : classesOf(images)
  const classified = images.find((path) => classOf(path) !== null)
  if (classified !== undefined) columns.unshift({ path: classified, fields: [{ name: LABEL_COLUMN, type: { type: 'utf8' } }] })
  return {
    columns,
    async annotator(schema) {
      const rows = await readMetadata(metadata, { images: new Set(images), schema, options })
      return (path, row) => {
        const label = classOf(path)
        if (label !== null) row[LABEL_COLUMN] = label
        const known = rows.get(path) ?? {}
        for (const name of Object.keys(known)) setField(row, name, known[name]!)
        return row
      }
    },
  }
}

/** The rows of metadata files by the path of their image. */
async function readMetadata(
  files: readonly MetadataFile[],
  { images, schema, options }: { images: ReadonlySet<string>; schema: Schema; options: ReaderOptions },
): Promise<ReadonlyMap<string, Row>> {
  const rows = new Map<string, Row>()
  for (const { file, reader } of files) {
    const folder = file.path.slice(0, -nameOf(file.path).length)
    let number = 0
    for await (const block of reader.read(file, schema, options))
      for (const row of block) {
        number++
        const { [FILE_NAME_COLUMN]: name, [IMAGE_COLUMN]: _image, ...rest } = row
        const path = typeof name === 'string' ? `${folder}${name}` : null
        if (path === null || !images.has(path))
          throw new Problem('invalid-sample', `${file.path} row ${number} column "${FILE_NAME_COLUMN}": there is no image ${path ?? ''}`)
        if (rows.has(path)) throw new Problem('invalid-sample', `${file.path} row ${number}: another row is about ${path} already`)
        rows.set(path, rest)
      }
  }
  return rows
}

function nameOf(path: string): string {
  return path.split('/').at(-1)!
}

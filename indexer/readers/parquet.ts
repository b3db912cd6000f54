/** Apache Parquet. The footer gives the columns; rows are put together from the pages of all columns at once. */
import { type FileMetaData, parquetMetadata, parquetSchema, type RowGroup, type SchemaTree } from 'hyparquet'
import { assembleNested } from 'hyparquet/src/assemble.js'
import { Problem } from '../../core/problem.ts'
import { setField } from '../../core/samples/fields.ts'
import { MAX_COLUMNS, Schema as SchemaShape } from '../../core/samples/schema.ts'
import type { Row } from '../../core/samples/value.ts'
import { conformRows } from './conform.ts'
import { parquetType, type ParquetType } from './parquetColumns.ts'
import { leafRows, PARQUET_PARSERS } from './parquetPages.ts'
import { type Reader, readRange, type SourceFile } from './reader.ts'

const BLOCK_ROWS = 4096
/** A footer's few bytes become large objects. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024
/** Read ahead for all columns together. */
const WINDOWS_BYTES = 64 * 1024 * 1024
const TAIL_BYTES = 64 * 1024

export const parquet: Reader = {
  id: 'parquet',
  extensions: ['.parquet', '.pq'],

  async infer(file) {
    const { columns } = await openParquet(file)
    return columns.map(({ node, type }) => ({ name: node.element.name, type }))
  },

  async *read(file, schema, { signal }) {
    const opened = await openParquet(file)
    const conform = conformRows(schema)
    for (const rowGroup of opened.metadata.row_groups)
      for await (const rows of rowGroupRows(file, opened, rowGroup)) {
        signal.throwIfAborted()
        yield rows.map(conform)
      }
  },
}

interface ParquetColumn extends ParquetType {
  node: SchemaTree
}

interface OpenParquet {
  metadata: FileMetaData
  root: SchemaTree
  columns: ParquetColumn[]
}

async function openParquet(file: SourceFile): Promise<OpenParquet> {
  const metadata = await readMetadata(file)
  try {
    const root = parquetSchema(metadata)
    if (root.children.length > MAX_COLUMNS)
      throw new Problem('invalid-file', `${file.path}: ${root.children.length} columns; at most ${MAX_COLUMNS} are accepted`)
    const columns = root.children.map((node) => ({ node, ...parquetType(node, file.path) }))
    const names = new Set<string>()
    for (const { node } of columns) {
      const name = node.element.name
      if (names.has(name)) throw new Problem('invalid-file', `${file.path}: two columns are named "${name}"; name each column once`)
      names.add(name)
    }
    const shape = SchemaShape.safeParse(columns.map(({ node, type }) => ({ name: node.element.name, type })))
    if (!shape.success)
      throw new Problem('invalid-file', `${file.path}: its columns are not usable: ${shape.error.issues[0]?.message ?? ''}`)
    return { metadata, root, columns }
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw notParquet(file, cause)
  }
}

async function readMetadata(file: SourceFile): Promise<FileMetaData> {
  const tailBytes = Math.min(file.sizeBytes, TAIL_BYTES)
  if (tailBytes < 12) throw notParquet(file, new RangeError('too short'))
  let tail = await readRange(file, file.sizeBytes - tailBytes, tailBytes)
  const view = new DataView(tail.buffer)
  const magic = String.fromCharCode(...tail.subarray(-4))
  if (magic === 'PARE') throw new Problem('unsupported-format', `${file.path}: an encrypted Parquet file; publish it decrypted`)
  if (magic !== 'PAR1') throw notParquet(file, new RangeError('it does not end with "PAR1"'))
  const metadataBytes = view.getUint32(tailBytes - 8, true)
  if (metadataBytes > MAX_METADATA_BYTES || metadataBytes + 12 > file.sizeBytes)
    throw notParquet(file, new RangeError(`a footer of ${metadataBytes} bytes`))
  if (metadataBytes + 8 > tailBytes) tail = await readRange(file, file.sizeBytes - metadataBytes - 8, metadataBytes + 8)
  try {
    return parquetMetadata(tail.buffer, { geoparquet: false })
  } catch (cause) {
    throw notParquet(file, cause)
  }
}

function notParquet(file: SourceFile, cause: unknown): Problem {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Problem('invalid-file', `${file.path}: not a whole Parquet file (${reason}); it is truncated or damaged`, { cause })
}

/** Blocks of rows of one row group. A block ends where the page of some column ends, so that one page a column is held. */
async function* rowGroupRows(file: SourceFile, opened: OpenParquet, rowGroup: RowGroup): AsyncGenerator<Row[]> {
  const rowCount = Number(rowGroup.num_rows)
  const windowBytes = Math.max(32 * 1024, Math.min(1024 * 1024, Math.floor(WINDOWS_BYTES / Math.max(1, rowGroup.columns.length))))
  const cursors = opened.columns.map((column) => ({
    name: column.node.element.name,
    convert: column.convert,
    source: columnRows(file, opened.root, column.node, rowGroup, windowBytes),
    values: [] as ArrayLike<unknown>,
    at: 0,
  }))
  try {
    for (let done = 0; done < rowCount;) {
      let count = Math.min(BLOCK_ROWS, rowCount - done)
      for (const cursor of cursors) {
        while (cursor.at === cursor.values.length) {
          const next = await cursor.source.next()
          if (next.done)
            throw new Problem(
              'invalid-file',
              `${file.path} column "${cursor.name}": ${done} of ${rowCount} rows; the file is truncated or damaged`,
            )
          cursor.values = next.value
          cursor.at = 0
        }
        count = Math.min(count, cursor.values.length - cursor.at)
      }
      const rows = Array.from({ length: count }, (): Row => ({}))
      for (const { name, convert, values, at } of cursors) {
        try {
          for (let i = 0; i < count; i++) setField(rows[i]!, name, convert(values[at + i]))
        } catch (cause) {
          throw notParquet(file, cause)
        }
      }
      for (const cursor of cursors) cursor.at += count
      done += count
      yield rows
    }
  } finally {
    for (const cursor of cursors) await cursor.source.return(undefined)
  }
}

/** The raw values of a top-level column, in blocks. */
async function* columnRows(
  file: SourceFile,
  root: SchemaTree,
  node: SchemaTree,
  rowGroup: RowGroup,
  windowBytes: number,
): AsyncGenerator<ArrayLike<unknown>> {
  const leaves = leavesOf(node).map((path) => ({
    name: path.at(-1)!.path.join('.'),
    rows: leafRows({ file, schemaPath: [root, ...path], metadata: chunkOf(file, rowGroup, path.at(-1)!), windowBytes }),
    values: [] as ArrayLike<unknown>,
    at: 0,
  }))
  if (node.children.length === 0 && node.element.repetition_type !== 'REPEATED') return yield* leaves[0]!.rows
  try {
    for (;;) {
      let count = BLOCK_ROWS
      for (const leaf of leaves) {
        while (leaf.at === leaf.values.length) {
          const next = await leaf.rows.next()
          if (next.done) return
          leaf.values = next.value
          leaf.at = 0
        }
        count = Math.min(count, leaf.values.length - leaf.at)
      }
      const byLeaf = new Map(leaves.map((leaf) => [leaf.name, Array.prototype.slice.call(leaf.values, leaf.at, (leaf.at += count))]))
      yield assemble(file, node, byLeaf)
    }
  } finally {
    for (const leaf of leaves) await leaf.rows.return(undefined)
  }
}

function assemble(file: SourceFile, node: SchemaTree, byLeaf: Map<string, unknown[]>): ArrayLike<unknown> {
  const name = node.path.join('.')
  try {
    assembleNested(byLeaf, node, PARQUET_PARSERS)
  } catch (cause) {
    throw notParquet(file, cause)
  }
  const assembled = byLeaf.get(name)
  if (assembled === undefined) throw notParquet(file, new RangeError(`column "${name}" cannot be put together`))
  return assembled
}

/** The paths from a node to its leaves, the node itself first. */
function leavesOf(node: SchemaTree): SchemaTree[][] {
  return node.children.length === 0 ? [[node]] : node.children.flatMap((child) => leavesOf(child).map((path) => [node, ...path]))
}

function chunkOf(file: SourceFile, rowGroup: RowGroup, leaf: SchemaTree): NonNullable<RowGroup['columns'][number]['meta_data']> {
  const path = leaf.path.join('.')
  const chunk = rowGroup.columns.find((column) => column.meta_data?.path_in_schema.join('.') === path)
  if (chunk?.meta_data === undefined || chunk.file_path !== undefined || chunk.meta_data.type !== leaf.element.type)
    throw new Problem('invalid-file', `${file.path} column "${path}": not in this file; the file is damaged or encrypted`)
  return chunk.meta_data
}

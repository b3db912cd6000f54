/**
 * The findings table of a report as an Arrow IPC file; core/findings.ts says what its columns mean. Columns stand in this order:
 * `flags`, then `score.<id>` and then `cluster.<id>`, each sorted by id. The same findings give the same bytes.
 */
import { type Data, Field, Int32, makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct, Uint32 } from 'apache-arrow'
import { FLAGS } from './findings.ts'
import { type IntegerColumn, readIntegerTable } from './integerTable.ts'
import { Problem } from './problem.ts'

/** In a score column: the detector abstained on this sample (null in the file). */
export const NO_SCORE = -0x8000_0000
/** In a cluster column: the sample is alone (null in the file). */
export const NO_CLUSTER = -1

export interface FindingsTable {
  /** One bit mask of FLAGS a sample. */
  flags: Uint32Array
  /** By detector id: one score a sample, or NO_SCORE. */
  scores: Map<string, Int32Array>
  /** By detector id: the number of the cluster's kept sample, or NO_CLUSTER. */
  clusters: Map<string, Int32Array>
}

const BATCH_ROWS = 65_536
const ALL_FLAGS = 2 ** FLAGS.length - 1
const COLUMN_NAME = /^(?:flags|(score|cluster)\.([a-z][a-z0-9_]{0,63}))$/

/** An Arrow IPC file. Throws a RangeError when the columns differ in length. */
export function encodeFindings({ flags, scores, clusters }: FindingsTable): Uint8Array {
  const columns = [...nullable('score', scores, NO_SCORE), ...nullable('cluster', clusters, NO_CLUSTER)]
  for (const { name, values } of columns)
    if (values.length !== flags.length) throw new RangeError(`${name} has ${values.length} samples, flags ${flags.length}`)
  const schema = new Schema([new Field('flags', new Uint32(), false), ...columns.map(({ name }) => new Field(name, new Int32(), true))])
  const writer = new RecordBatchFileWriter()
  writer.reset(undefined, schema)
  for (let from = 0; from < flags.length; from += BATCH_ROWS) {
    const to = Math.min(from + BATCH_ROWS, flags.length)
    const children: Data[] = [
      makeData({ type: new Uint32(), data: flags.slice(from, to), nullCount: 0 }),
      ...columns.map(({ values, absent }) => nullableData(values.slice(from, to), absent)),
    ]
    writer.write(new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: to - from, nullCount: 0, children })))
  }
  return writer.finish().toUint8Array(true)
}

interface NullableColumn {
  name: string
  values: Int32Array
  absent: number
}

function nullable(kind: 'score' | 'cluster', columns: Map<string, Int32Array>, absent: number): NullableColumn[] {
  return [...columns].map(([id, values]) => ({ name: `${kind}.${id}`, values, absent })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Takes the values over; what lies under a null becomes zero. */
function nullableData(values: Int32Array, absent: number): Data<Int32> {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8))
  let nullCount = 0
  for (let i = 0; i < values.length; i++) {
    if (values[i] === absent) {
      nullCount++
      values[i] = 0
    } else {
      nullBitmap[i >> 3]! |= 1 << (i & 7)
    }
  }
  return makeData({ type: new Int32(), data: values, nullCount, ...(nullCount > 0 && { nullBitmap }) })
}

/**
 * Reads a table that anyone may have written. Throws `invalid-document` unless it has exactly `sampleCount` rows, columns of the
 * names and types above, flags that are known, and clusters that are samples.
 */
export function decodeFindings(bytes: Uint8Array, sampleCount: number): FindingsTable {
  const { columns, rowCount } = readIntegerTable(bytes, sampleCount)
  if (rowCount !== sampleCount) throw invalid(`it has ${rowCount} rows; the index has ${sampleCount} samples`)
  if (columns[0]?.name !== 'flags') throw invalid('its first column is not "flags"')
  const table: FindingsTable = { flags: new Uint32Array(sampleCount), scores: new Map(), clusters: new Map() }
  columns.forEach((column, at) => {
    const [match, kind, id] = COLUMN_NAME.exec(column.name) ?? []
    if (match === undefined || (at > 0 && compareColumns(columns[at - 1]!.name, column.name) >= 0))
      throw invalid(`column "${column.name}" has no place in it`)
    if (column.isSigned !== (kind !== undefined)) throw invalid(`column "${column.name}" is ${column.isSigned ? 'int32' : 'uint32'}`)
    if (kind === undefined) readFlags(column, table.flags)
    else if (kind === 'score') table.scores.set(id!, readNullable(column, sampleCount, NO_SCORE, NO_SCORE + 1, 0x7fff_ffff))
    else table.clusters.set(id!, readNullable(column, sampleCount, NO_CLUSTER, 0, sampleCount - 1))
  })
  return table
}

/** flags < score.* < cluster.*, then by id. */
function compareColumns(a: string, b: string): number {
  const rank = (name: string) => ['flags', 'score', 'cluster'].indexOf(name.split('.')[0]!)
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0)
}

function readFlags({ batches }: IntegerColumn, flags: Uint32Array): void {
  let at = 0
  for (const { values, validity } of batches) {
    if (validity !== null) throw invalid('"flags" has nulls')
    const unknown = values.findIndex((mask) => mask > ALL_FLAGS)
    if (unknown >= 0) throw invalid(`sample ${at + unknown} has flags that are not known`)
    flags.set(values, at)
    at += values.length
  }
}

function readNullable({ name, batches }: IntegerColumn, sampleCount: number, absent: number, minimum: number, maximum: number): Int32Array {
  const result = new Int32Array(sampleCount)
  let at = 0
  for (const { values, validity } of batches) {
    for (let i = 0; i < values.length; i++, at++) {
      const value = values[i]!
      if (validity !== null && (validity[i >> 3]! & (1 << (i & 7))) === 0) result[at] = absent
      else if (value >= minimum && value <= maximum) result[at] = value
      else throw invalid(`"${name}" of sample ${at} is out of range`)
    }
  }
  return result
}

function invalid(detail: string): Problem {
  return new Problem('invalid-document', `not a findings table: ${detail}`)
}

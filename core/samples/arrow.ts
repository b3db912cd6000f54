import type { RecordBatch, Schema as ArrowSchema } from 'apache-arrow'
import type { Schema } from './schema.ts'
import type { Row } from './value.ts'

export function toArrowSchema(schema: Schema): ArrowSchema {
  throw new Error(`being written ${schema.length}`)
}
/** Throws `unsupported-format`, naming the column. */
export function fromArrowSchema(arrowSchema: ArrowSchema): Schema {
  throw new Error(`being written ${arrowSchema.fields.length}`)
}
/** Throws `invalid-sample`, naming row (from 0) and column. */
export function buildBatch(schema: Schema, rows: readonly Row[]): RecordBatch {
  throw new Error(`being written ${schema.length} ${rows.length}`)
}
/** All rows of a batch whose Arrow schema maps to `schema` (any types that fromArrowSchema takes). */
export function rowsOf(schema: Schema, batch: RecordBatch): Row[] {
  throw new Error(`being written ${schema.length} ${batch.numRows}`)
}
export function rowAt(schema: Schema, batch: RecordBatch, index: number): Row {
  throw new Error(`being written ${schema.length} ${batch.numRows} ${index}`)
}
/** The rows of these indices, in this order, of all or the named columns: for batches made by buildBatch or read back from it. */
export function selectRows(batch: RecordBatch, indices: ArrayLike<number>, columns?: readonly string[]): RecordBatch {
  throw new Error(`being written ${batch.numRows} ${indices.length} ${columns?.length}`)
}

/** The types of a sample's columns: the part of Arrow's type system that every supported file format can carry. */
import { z } from 'zod'

export type FieldType =
  | { type: 'null' | 'bool' | 'int64' | 'uint64' | 'float64' | 'utf8' | 'binary' | 'date' }
  | { type: 'timestamp'; unit: 's' | 'ms' | 'us' | 'ns'; utc: boolean }
  | { type: 'list'; items: FieldType }
  | { type: 'struct'; fields: Field[] }

export interface Field {
  name: string
  type: FieldType
}

export const FieldType: z.ZodType<FieldType> = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.enum(['null', 'bool', 'int64', 'uint64', 'float64', 'utf8', 'binary', 'date']) }),
    z.strictObject({ type: z.literal('timestamp'), unit: z.enum(['s', 'ms', 'us', 'ns']), utc: z.boolean() }),
    z.strictObject({ type: z.literal('list'), items: FieldType }),
    z.strictObject({ type: z.literal('struct'), fields: z.array(Field).max(MAX_COLUMNS) }),
  ]),
)

export const MAX_COLUMNS = 4096

export const Field: z.ZodType<Field> = z.lazy(() => z.strictObject({ name: z.string().max(1024), type: FieldType }))

/** Every column may hold nulls. Names are unique. */
export const Schema = z
  .array(Field)
  .min(1)
  .max(MAX_COLUMNS)
  .refine((fields) => new Set(fields.map((field) => field.name)).size === fields.length, 'two columns have the same name')
export type Schema = Field[]

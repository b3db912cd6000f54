/** The run: a trainer says what was consumed, in which order, by which code, and what came out. */
import { z } from 'zod'
import { Count, Did, Hex32, Link, Timestamp } from './common.ts'

export const Consumption = z
  .strictObject({
    selection: Link,
    /** Key of the permutation: any text, usually a decimal number. */
    seed: z.string().min(1).max(128),
    /** Epochs 0 … epochs − 1 were read one after another. */
    epochs: z.number().int().min(1).max(1_000_000),
    /** Data-parallel workers: worker i of n reads positions i, i + n, i + 2n … */
    shards: z.number().int().min(1).max(1_000_000),
    /** Rows that each worker takes for one step. */
    batchSize: z.number().int().min(1).max(1_000_000_000),
    /** Steps done; null while the run goes on. */
    steps: Count.nullable(),
  })
  .meta({ id: 'Consumption' })
export type Consumption = z.infer<typeof Consumption>

export const Run = z
  .strictObject({
    kind: z.literal('run'),
    version: z.literal(1),
    author: Did,
    name: z.string().min(1).max(256),
    status: z.enum(['started', 'finished', 'failed']),
    createdAt: Timestamp,
    consumed: z.array(Consumption).min(1).max(1024),
    code: z.strictObject({ uri: z.string().max(2048), revision: z.string().max(256).optional() }).optional(),
    model: z.strictObject({ name: z.string().min(1).max(256), sha256: Hex32.optional() }).optional(),
    /** For `finished` and `failed`: the `started` document of the same run. For `started`: a run this one continues. */
    previous: Link.optional(),
  })
  .meta({ id: 'Run' })
export type Run = z.infer<typeof Run>

/** Whom an auditor believes. Everything else in an audit is arithmetic. */
import { z } from 'zod'
import { Did } from '../documents/common.ts'

export const Trust = z
  .strictObject({
    /** Verification key of the log, `name+keyid+base64` (https://c2sp.org/signed-note). */
    log: z.string().min(1).max(512),
    /** Indexers whose indexes count; absent: whoever signed, by name in the step's detail. */
    indexers: z.array(Did).min(1).max(256).optional(),
    /** Verifiers whose reports count; absent: whoever signed, by name in the step's detail. */
    verifiers: z.array(Did).min(1).max(256).optional(),
  })
  .meta({ id: 'Trust' })
export type Trust = z.infer<typeof Trust>

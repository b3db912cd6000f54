/**
 * From what is thrown to what is answered: RFC 9457 problem details. The only file that knows which HTTP status a problem has. A fault (any
 * error that is no Problem) is told to the operator in full and to the caller by an id alone.
 */
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import { PROBLEM_CODES, Problem, type ProblemCode } from '../core/problem.ts'
import type { ApiContext } from './context.ts'

const STATUS: Readonly<Record<ProblemCode, ContentfulStatusCode>> = {
  'invalid-document': 422,
  'invalid-signature': 422,
  'invalid-request': 400,
  'invalid-file': 422,
  'invalid-sample': 422,
  'unsupported-format': 415,
  'too-large': 413,
  'cid-mismatch': 422,
  'block-missing': 404,
  'block-corrupt': 500,
  'not-found': 404,
  unauthorized: 401,
  forbidden: 403,
  conflict: 409,
  'not-ready': 409,
  unavailable: 503,
  untrusted: 422,
}

const TITLE: Readonly<Record<ProblemCode, string>> = {
  'invalid-document': 'The document is not valid',
  'invalid-signature': 'The signature does not verify',
  'invalid-request': 'The request is not valid',
  'invalid-file': 'The file cannot be read',
  'invalid-sample': 'A sample does not fit the schema',
  'unsupported-format': 'The format is not supported',
  'too-large': 'Too large',
  'cid-mismatch': 'The bytes have another CID',
  'block-missing': 'A block is missing',
  'block-corrupt': 'A stored block is damaged',
  'not-found': 'Not found',
  unauthorized: 'A valid token is needed',
  forbidden: 'Not allowed',
  conflict: 'Conflict with the present state',
  'not-ready': 'Not ready yet',
  unavailable: 'Unavailable for the moment',
  untrusted: 'A claim does not hold',
}

const MEDIA_TYPE = 'application/problem+json'
const RETRY_AFTER_SECONDS = 5

export const ProblemDetails = z
  .strictObject({
    type: z.string().meta({ description: '`https://assay.dev/problem/` and the code' }),
    title: z.string(),
    status: z.number().int(),
    code: z.enum([...PROBLEM_CODES, 'fault']),
    detail: z.string().meta({ description: 'What is wrong and what to do about it, for a person' }),
    id: z.string().optional().meta({ description: 'Of a fault: what to tell the operator' }),
  })
  .meta({ id: 'Problem' })
export type ProblemDetails = z.infer<typeof ProblemDetails>

/** The `default` response of every operation. */
export const problemResponse = {
  description: 'A problem (RFC 9457)',
  content: { [MEDIA_TYPE]: { schema: ProblemDetails } },
} as const

/** The caller accepts none of the forms that we can answer with (RFC 9110 §15.5.7). */
export function notAcceptable(detail: string): HTTPException {
  return new HTTPException(406, { message: detail })
}

/** A condition of the request does not hold (RFC 9110 §15.5.13). */
export function preconditionFailed(detail: string): HTTPException {
  return new HTTPException(412, { message: detail })
}

/** No byte of the range is there (RFC 9110 §15.5.17). */
export function rangeNotSatisfiable(detail: string): HTTPException {
  return new HTTPException(416, { message: detail })
}

/** The status and body of whatever was thrown; `id` names a fault to the operator. */
export function problemOf(error: unknown, id: string): ProblemDetails {
  if (error instanceof Problem) return details(error.code, STATUS[error.code], error.detail)
  if (error instanceof HTTPException && error.status < 500) {
    const detail = error.status === 415 ? 'Send the body as application/json.' : error.message
    return details('invalid-request', error.status, detail)
  }
  if (isUnreachable(error)) return { ...details('unavailable', 503, 'The database cannot be reached. Try again in a moment.'), id }
  return {
    type: 'https://assay.dev/problem/fault',
    title: 'The service failed',
    status: 500,
    code: 'fault',
    detail: 'This is not your doing. Try again; if it stays, tell the operator the id.',
    id,
  }
}

/** Answers every error of the application. */
export function createErrorHandler(ctx: ApiContext): ErrorHandler {
  return (error, c) => {
    const id = Buffer.from(ctx.random(8)).toString('hex')
    const problem = problemOf(error, id)
    if (problem.status >= 500) ctx.onFault({ id, method: c.req.method, path: c.req.path, error })
    return answer(c, problem)
  }
}

export const handleNotFound: NotFoundHandler = (c) =>
  answer(c, details('not-found', 404, `There is nothing at ${c.req.method} ${c.req.path}; see /docs for what there is.`))

/** Turns the first thing that a request schema refuses into a Problem. */
export function refuseInvalid(result: { success: boolean; target: string; error?: z.ZodError }): void {
  if (result.success) return
  const issue = result.error?.issues[0]
  const where = [result.target, ...(issue?.path ?? [])].map(String).join('.')
  throw new Problem('invalid-request', `${where}: ${issue?.message ?? 'wrong shape'}`)
}

function details(code: ProblemCode, status: number, detail: string): ProblemDetails {
  return { type: `https://assay.dev/problem/${code}`, title: TITLE[code], status, code, detail }
}

function answer(c: Context, problem: ProblemDetails): Response {
  c.header('etag', undefined)
  const headers: Record<string, string> = { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store' }
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer realm="assay"'
  if (problem.status >= 500) headers['retry-after'] = String(RETRY_AFTER_SECONDS)
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, headers)
}

/** Whether Postgres refused or dropped the connection: system error codes, and SQLSTATE classes 08, 53 and 57P. */
function isUnreachable(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|08...|53...|57P..)$/.test(code)
}

/** Errors as clients of the Hugging Face Hub tell them apart: by `X-Error-Code`, with a text for people in `X-Error-Message`. */
import type { Context, ErrorHandler } from 'hono'
import { Problem } from '../../core/problem.ts'
import type { ApiContext } from '../context.ts'
import { createErrorHandler } from '../problems.ts'

export type HubErrorCode = 'RepoNotFound' | 'RevisionNotFound' | 'EntryNotFound'

/** The problem to throw where something is not there; the answer will say what. */
export function missing(c: Context, code: HubErrorCode, detail: string): Problem {
  c.header('x-error-code', code)
  return new Problem('not-found', detail)
}

/** Answers as the rest of the application does, and says it again where these clients look. */
export function createHubErrorHandler(ctx: ApiContext): ErrorHandler {
  const handle = createErrorHandler(ctx)
  return async (error, c) => {
    if (error instanceof Problem) c.header('x-error-message', headerText(error.detail))
    return handle(error, c)
  }
}

/** Text as a header field can carry it (RFC 9110 §5.5): printable ASCII on one line. */
export function headerText(text: string): string {
  return text.replaceAll(/[^ -~]+/g, '?').slice(0, 1024)
}

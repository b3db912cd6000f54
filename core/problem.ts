/**
 * The one error that means "the caller is wrong". Every code is in this closed list; only `api/problems.ts` knows which
 * HTTP status a code has. Anything else that is thrown is a fault of ours.
 */
export const PROBLEM_CODES = [
  'invalid-document', // bytes that are not the canonical form of the document they claim to be
  'invalid-signature', // an envelope whose signature does not verify
  'invalid-request', // a parameter, header or body that has the wrong shape
  'invalid-file', // a data file that cannot be read in its format
  'invalid-sample', // a row that does not fit the schema; names file, row and column
  'unsupported-format',
  'too-large',
  'cid-mismatch', // bytes whose CID is not the one that was announced
  'block-missing',
  'block-corrupt',
  'not-found',
  'unauthorized', // no token, or one that we did not issue
  'forbidden', // a token without the right, or another owner's name
  'conflict', // a version that does not follow the head it names
  'not-ready', // the state that is asked for does not exist yet
  'unavailable', // a remote that does not answer: nothing can be said either way
  'untrusted', // a claim that fails verification against the trust that was given
] as const

export type ProblemCode = (typeof PROBLEM_CODES)[number]

export class Problem extends Error {
  readonly code: ProblemCode
  /** What is wrong and what to do about it, for a person. */
  readonly detail: string

  constructor(code: ProblemCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options)
    this.name = 'Problem'
    this.code = code
    this.detail = detail
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Problem ? error.detail : error instanceof Error ? error.message : String(error)
}

/**
 * HTTP to one registry. Answers of the 4xx kind come back as Problems with the registry's own words (RFC 9457); a registry that is
 * not there, or has a fault, is tried again with back-off, and becomes Problem `unavailable` when it stays away.
 */
import { z } from 'zod'
import { PROBLEM_CODES, Problem, type ProblemCode } from '../../core/problem.ts'

export interface HttpRequest {
  method?: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  headers?: Record<string, string>
  /** Called for each attempt, so that a stream is opened anew. */
  body?: () => RequestBody
  /** Aborts this request besides the client's own signal. */
  signal?: AbortSignal
}

export type RequestBody = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

export interface Http {
  readonly server: URL
  /** The response to a request for a path below the server's URL; its status is below 400. */
  request(path: string, request?: HttpRequest): Promise<Response>
}

export interface HttpOptions {
  server: URL
  fetch: typeof fetch
  signal: AbortSignal
  /** Waits; rejects when the signal is aborted. */
  delay: (ms: number, signal: AbortSignal) => Promise<void>
  /** Told before each wait. */
  onRetry?: (reason: string, delayMs: number) => void
}

const ATTEMPTS = 5
const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 10_000
const RETRIED = new Set([429, 500, 502, 503, 504])

const ProblemDetails = z.object({ code: z.string().optional(), title: z.string().optional(), detail: z.string().optional() })

export function createHttp(options: HttpOptions): Http {
  const { server } = options
  return {
    server,
    async request(path, request = {}) {
      for (let attempt = 1; ; attempt++) {
        const outcome = await attemptOnce(options, path, request)
        if (outcome instanceof Response) return outcome
        if (!outcome.again || attempt === ATTEMPTS) throw outcome.problem
        const backOffMs = Math.min(LONGEST_DELAY_MS, outcome.retryAfterMs ?? FIRST_DELAY_MS * 2 ** (attempt - 1))
        options.onRetry?.(outcome.problem.detail, backOffMs)
        await options.delay(backOffMs, options.signal)
      }
    },
  }
}

interface Failure {
  problem: Problem
  /** Whether another attempt may go better. */
  again: boolean
  retryAfterMs?: number
}

async function attemptOnce(options: HttpOptions, path: string, request: HttpRequest): Promise<Response | Failure> {
  const { server, signal } = options
  const init: RequestInit & { duplex?: 'half' } = {
    method: request.method ?? 'GET',
    signal: request.signal === undefined ? signal : AbortSignal.any([signal, request.signal]),
    redirect: 'error',
    ...(request.headers === undefined ? {} : { headers: request.headers }),
  }
  if (request.body !== undefined) Object.assign(init, { body: request.body(), duplex: 'half' })
  let response: Response
  try {
    response = await options.fetch(new URL(path.replace(/^\//, ''), directoryOf(server)), init)
  } catch (cause) {
    signal.throwIfAborted()
    // A body that refuses itself (a file that changed while it was read) is not the network's fault.
    const own = problemIn(cause)
    if (own !== null) return { problem: own, again: false }
    return { problem: new Problem('unavailable', `${server.origin} does not answer (${reasonOf(cause)})`, { cause }), again: true }
  }
  if (response.status < 400) return response
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const problem = await readProblem(response, server)
  return {
    problem,
    // A block that is damaged where it is stored stays so.
    again: RETRIED.has(response.status) && problem.code !== 'block-corrupt',
    ...(Number.isFinite(retryAfter) ? { retryAfterMs: retryAfter * 1000 } : {}),
  }
}

/** The server's URL as a base that keeps its path. */
function directoryOf(server: URL): URL {
  return server.pathname.endsWith('/') ? server : new URL(`${server.pathname}/`, server)
}

/** A body that fails is reported by fetch as the cause of its own error. */
function problemIn(error: unknown): Problem | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) if (at instanceof Problem) return at
  return null
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error.cause
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code
  return inner instanceof Error ? inner.message : error.message
}

async function readProblem(response: Response, server: URL): Promise<Problem> {
  const text = await response.text().catch(() => '')
  const details = parseDetails(text)
  const detail = details.detail ?? details.title ?? `${server.origin} answered ${response.status}`
  return new Problem(codeOf(details.code, response.status), detail)
}

/** Whatever stands in front of the registry (a proxy) may answer with something else than JSON. */
function parseDetails(text: string): z.infer<typeof ProblemDetails> {
  try {
    return ProblemDetails.parse(JSON.parse(text))
  } catch {
    return {}
  }
}

function codeOf(code: string | undefined, status: number): ProblemCode {
  const known = PROBLEM_CODES.find((candidate) => candidate === code)
  if (known !== undefined) return known
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not-found'
  return RETRIED.has(status) ? 'unavailable' : 'invalid-request'
}

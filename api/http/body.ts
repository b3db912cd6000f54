/** Request and response bodies as byte streams that are never held whole, with back-pressure in both directions. */
import type { HttpBindings } from '@hono/node-server'
import type { Context, HonoRequest, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Problem } from '../../core/problem.ts'
import type { ApiContext } from '../context.ts'

/**
 * A request's body in pieces as they arrive. Throws `too-large` as soon as more than `maxBytes` were announced or sent, and
 * `invalid-request` when the sender goes away before the end.
 */
export async function* requestBody(c: Context, maxBytes: number): AsyncGenerator<Uint8Array> {
  const announced = Number(c.req.header('content-length') ?? 0)
  if (announced > maxBytes) throw tooLarge(maxBytes)
  let received = 0
  try {
    for await (const piece of bodyPieces(c)) {
      received += piece.length
      if (received > maxBytes) throw tooLarge(maxBytes)
      yield piece
    }
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw new Problem('invalid-request', `the body ended early, after ${received} bytes; send it again`, { cause })
  }
}

/**
 * Under Node's server the message itself: the web stream around it costs as much again. It is left open when it is not read to its end,
 * so that the answer that says why still arrives.
 */
function bodyPieces(c: Context): AsyncIterable<Uint8Array> | Uint8Array[] {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings> // absent where there is no server, as in `app.request`
  return incoming?.iterator({ destroyOnReturn: false }) ?? c.req.raw.body ?? []
}

/** A small request body as one piece. Throws as `requestBody` does. */
export async function readRequestBody(c: Context, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of requestBody(c, maxBytes)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Refuses JSON bodies of more than `maxBytes`, announced or sent, with `too-large`. */
export function limitBody(maxBytes: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw tooLarge(maxBytes)
    },
  })
}

/**
 * A response body that is read from `source` only as fast as the client takes it, and that ends `source` when the client goes away.
 * What `source` throws cuts the connection, so that no client takes a part for the whole; the operator hears of it.
 */
export function responseBody(ctx: ApiContext, request: HonoRequest, source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await iterator.next()
          if (next.done === true) controller.close()
          else controller.enqueue(next.value)
        } catch (error) {
          ctx.onFault({ id: 'stream', method: request.method, path: request.path, error })
          controller.error(error)
        }
      },
      async cancel() {
        await iterator.return?.()
      },
    },
    // Nothing is read before it is asked for: the answer to HEAD reads nothing.
    { highWaterMark: 0 },
  )
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('too-large', `the body is larger than ${maxBytes} bytes, the most that is accepted here`)
}

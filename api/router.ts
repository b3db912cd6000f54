/** The piece that every resource is made of: Hono with OpenAPI routes whose schemas refuse with a Problem. */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Env } from 'hono'
import { refuseInvalid } from './problems.ts'

/** A router; `E` names what its middleware puts into the context. */
export function createRouter<E extends Env = Env>(): OpenAPIHono<E> {
  return new OpenAPIHono<E>({ defaultHook: refuseInvalid })
}

/** Bearer tokens (RFC 6750) on the routes that write. */
import type { MiddlewareHandler } from 'hono'
import { Problem } from '../core/problem.ts'
import { type Scope, findToken } from '../store/tokens.ts'
import type { ApiContext } from './context.ts'

/** What `requireScope` leaves for the route. */
export interface AccountEnv {
  Variables: {
    /** did:key of the token's holder. */
    account: string
    scopes: Scope[]
    token: string
  }
}

/** The OpenAPI side of `requireScope`. */
export const bearerSecurity = [{ bearer: [] }]

/** Lets a request pass with a valid token, which must have `scope` where one is named. Throws `unauthorized` or `forbidden`. */
export function requireScope(ctx: ApiContext, scope?: Scope): MiddlewareHandler<AccountEnv> {
  return async (c, next) => {
    const token = /^Bearer ([!-~]+)$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (token === undefined) throw new Problem('unauthorized', 'send "Authorization: Bearer <token>"; POST /v1/tokens gives one')
    const account = await findToken(ctx.db, token)
    if (account === null) throw new Problem('unauthorized', 'the token is not one of ours or was revoked; POST /v1/tokens gives a new one')
    if (scope !== undefined && !account.scopes.includes(scope))
      throw new Problem('forbidden', `the token lacks the scope "${scope}"; ask for it with POST /v1/tokens`)
    c.set('account', account.account)
    c.set('scopes', account.scopes)
    c.set('token', token)
    await next()
  }
}

/** Pages that follow one another by `Link: <…>; rel="next"` (RFC 8288), as the Hub's clients read them. */
import type { Context } from 'hono'

/** Names the next page: the address of this one with other parameters. Clients want it whole. */
export function linkNext(c: Context, parameters: Record<string, string>): void {
  const url = new URL(c.req.url)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  c.header('link', `<${url.toString()}>; rel="next"`)
}

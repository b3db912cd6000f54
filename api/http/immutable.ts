/** Answers that never change because their name is a digest, and those that a client checks by their ETag. */
import type { Context } from 'hono'

/** Sets ETag and cache lifetime of content named by `tag`; true when the client holds it already and 304 is the answer. */
export function markImmutable(c: Context, tag: string): boolean {
  return markValidator(c, tag, true)
}

/** The same for a path under which there may be other content later, where `immutable` is false. */
export function markValidator(c: Context, tag: string, immutable = true): boolean {
  const etag = `"${tag}"`
  c.header('etag', etag)
  c.header('cache-control', immutable ? 'public, max-age=29030400, immutable' : 'no-cache')
  const held = c.req.header('if-none-match')
  return (
    held !== undefined && held.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag || candidate.trim() === '*')
  )
}

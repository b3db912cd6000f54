/** Answers that never change because their name is a digest. */
import type { Context } from 'hono'

/** Sets ETag and cache lifetime of content named by `tag`; true when the client holds it already and 304 is the answer. */
export function markImmutable(c: Context, tag: string): boolean {
  const etag = `"${tag}"`
  c.header('etag', etag)
  c.header('cache-control', 'public, max-age=29030400, immutable')
  const held = c.req.header('if-none-match')
  return (
    held !== undefined && held.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag || candidate.trim() === '*')
  )
}

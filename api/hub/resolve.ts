/** The bytes of a file of a snapshot, whole or a range. HEAD is answered by the same handler, whose body is read only when it is sent. */
import { attachment } from '../http/attachment.ts'
import { serveFile } from '../http/file.ts'
import type { HubParts, HubRouter } from './hub.ts'
import { missing } from './problems.ts'

export function resolveRoutes(router: HubRouter, { ctx, snapshots, entries }: HubParts): void {
  for (const verb of ['resolve', 'raw'])
    router.get(`/datasets/:namespace/:name/${verb}/:revision/:path{.+}`, async (c) => {
      const { namespace, name, revision, path } = c.req.param()
      const { version, commit, byPath } = await snapshots.resolve(c, `${namespace}/${name}`, revision)
      const file = byPath.get(path.normalize('NFC'))
      if (file === undefined) throw missing(c, 'EntryNotFound', `${version.dataset} has no file "${path}" at ${revision}`)
      const etag = await entries.etag(file)
      c.header('x-linked-etag', `"${etag}"`)
      c.header('x-linked-size', String(file.sizeBytes))
      const headers = {
        // Attacker-controlled bytes on our origin: never a type that a browser would run.
        'content-type': 'application/octet-stream',
        'content-security-policy': 'sandbox',
        'content-disposition': attachment(file.path.split('/').at(-1)!),
      }
      return serveFile(c, ctx, file.cid, headers, { etag, immutable: revision === commit })
    })
}

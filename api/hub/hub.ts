/**
 * The face that clients of the Hugging Face Hub know (`HF_ENDPOINT=http://…`): `datasets`, `huggingface_hub`, `hf://` paths of pandas, polars
 * and duckdb, `@huggingface/hub`. Requests are as those clients send them; what is answered is what they read of it.
 */
import { Hono } from 'hono'
import type { AccountEnv } from '../auth.ts'
import type { ApiContext } from '../context.ts'
import { accountRoutes } from './account.ts'
import { type Entries, createEntries } from './entries.ts'
import { infoRoutes } from './info.ts'
import { listRoutes } from './list.ts'
import { createHubErrorHandler, missing } from './problems.ts'
import { resolveRoutes } from './resolve.ts'
import { type Snapshots, createSnapshots } from './snapshot.ts'
import { treeRoutes } from './tree.ts'

/** What the resources of this face share. */
export interface HubParts {
  ctx: ApiContext
  snapshots: Snapshots
  entries: Entries
}

export type HubRouter = Hono<AccountEnv>

export function hubRoutes(ctx: ApiContext): HubRouter {
  const router: HubRouter = new Hono()
  router.onError(createHubErrorHandler(ctx))
  const parts: HubParts = { ctx, snapshots: createSnapshots(ctx), entries: createEntries(ctx) }
  accountRoutes(router, parts)
  listRoutes(router, parts)
  infoRoutes(router, parts)
  treeRoutes(router, parts)
  resolveRoutes(router, parts)
  for (const path of ['/api/models/*', '/api/spaces/*'])
    router.all(path, (c) => {
      throw missing(c, 'RepoNotFound', 'there are data sets here and nothing else: say repo_type="dataset"')
    })
  return router
}

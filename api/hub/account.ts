/** Who a token belongs to. The tokens are this service's own (POST /v1/tokens, `assay token`), given to clients as HF_TOKEN. */
import { namespacesOf } from '../../store/versions.ts'
import { requireScope } from '../auth.ts'
import type { HubParts, HubRouter } from './hub.ts'

export function accountRoutes(router: HubRouter, { ctx }: HubParts): void {
  router.get('/api/whoami-v2', requireScope(ctx), async (c) => {
    const { account, scopes } = c.var
    const namespaces = await namespacesOf(ctx.db, account)
    return c.json({
      type: 'user',
      id: account,
      // An account is a key; a namespace of its own is what clients take for its name.
      name: namespaces[0] ?? account,
      fullname: account,
      isPro: false,
      canPay: false,
      avatarUrl: '',
      orgs: namespaces.map((name) => ({ type: 'org', id: name, name, fullname: name, avatarUrl: '', isEnterprise: false })),
      auth: { type: 'access_token', accessToken: { displayName: scopes.join(', '), role: scopes.includes('publish') ? 'write' : 'read' } },
    })
  })
}

/** The bearer token for a registry: asked for with the user's key, kept in the home directory, renewed once when it is refused. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { sealEnvelope } from '../core/dsse.ts'
import { utf8ToBytes } from '../core/bytes.ts'
import type { Signer } from '../core/keys.ts'
import { Problem } from '../core/problem.ts'
import { parseAnswer } from './client/registry.ts'
import type { CommandContext } from './command.ts'

export const TOKEN_REQUEST_TYPE = 'application/vnd.assay.token-request+json'

const Token = z.object({ token: z.string().min(1), account: z.string() })

/** Does something that needs a token; when the kept one is refused, with a new one. */
export async function withToken<T>(context: CommandContext, act: (token: string) => Promise<T>): Promise<T> {
  const { home, registry } = context
  const kept = await home.read(registry.server, 'token')
  if (kept !== null) {
    try {
      return await act(kept.toString('utf8'))
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'unauthorized')) throw error
      await home.remove(registry.server, 'token')
    }
  }
  const token = await requestToken(context, await home.signer())
  await home.write(registry.server, 'token', token)
  return act(token)
}

async function requestToken({ registry, clock }: CommandContext, signer: Signer): Promise<string> {
  const request = { audience: audienceOf(registry.server), issuedAt: clock().toISOString(), scopes: ['publish', 'run'] }
  const envelope = sealEnvelope(TOKEN_REQUEST_TYPE, utf8ToBytes(JSON.stringify(request)), [signer])
  const response = await registry.http.request('/v1/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.dsse.envelope.v1+json' },
    body: () => Uint8Array.from(envelope),
  })
  return (await parseAnswer(Token, response)).token
}

/** The registry's public URL without a slash at the end. */
function audienceOf(server: URL): string {
  return server.toString().replace(/\/$/, '')
}

/** A new Ed25519 seed. */
export function newSeed(): Uint8Array {
  return randomBytes(32)
}

/** The way between a registry and its user, on which somebody may sit: everything passes as it is but what is told to be altered. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Returns what is put in the place of an answer's body. */
export type Change = (body: Buffer) => Uint8Array

export interface Wire extends AsyncDisposable {
  /** Where the user takes the registry to be. */
  url: string
  /**
   * Alters the answers to requests for this path, or for what lies below it where it ends in a slash: all of them or just the first,
   * until it is disposed of. That throws if nobody has asked for it.
   */
  alter(path: string, change: Change, which?: 'all' | 'first'): AsyncDisposable
}

/** Carries GET requests to `target` and their answers back. */
export async function openWire(target: string): Promise<Wire> {
  let alteration: { path: string; change: Change } | null = null

  async function carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    const answer = await fetch(new URL(path, target), { headers: { accept: request.headers.accept ?? '*/*' } })
    let body: Uint8Array = Buffer.from(await answer.arrayBuffer())
    if (alteration !== null && concerns(alteration.path, path)) body = alteration.change(Buffer.from(body))
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/octet-stream' })
    response.end(body)
  }

  const server = createServer((request, response) => {
    carry(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    alter(path, change, which = 'all') {
      let count = 0
      const counted: Change = (body) => (count++ === 0 || which === 'all' ? change(body) : body)
      alteration = { path, change: counted }
      return {
        async [Symbol.asyncDispose]() {
          alteration = null
          assert.ok(count > 0, `nobody asked for ${path}`)
        },
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function concerns(altered: string, requested: string): boolean {
  const [path = ''] = requested.split('?')
  return altered.endsWith('/') ? path.startsWith(altered) : path === altered
}

/** A port for a server that is started again and again under the same address. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Random } from './random.ts'

/** Below the range from which systems take the ports of outgoing connections, so that none of these takes it while the server is away. */
const FIRST = 20_000
const COUNT = 12_000

/** A TCP port of the loopback interface that nobody listens on. */
export async function steadyPort(random: Random): Promise<number> {
  for (;;) {
    const port = FIRST + random.below(COUNT)
    const server = createServer().listen(port, '127.0.0.1')
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

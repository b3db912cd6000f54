/**
 * The IPFS network of a node: libp2p over TCP with Bitswap, and nothing else: no discovery, no relays, no public bootstrap peers, and by
 * default no listening beyond this machine. Loaded only when an operator asks for it.
 */
import { withBitswap } from '@helia/bitswap'
import type { Helia, Router } from '@helia/interface'
import { withLibp2pLight } from '@helia/libp2p'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { concatBytes } from '../core/bytes.ts'
import type { CID } from '../core/cid.ts'

export interface NetworkOptions {
  /** Multiaddrs to listen on. Default: any free TCP port of the loopback interface. */
  listen?: readonly string[]
  /** Multiaddrs of peers, with their /p2p/ ids, that blocks are asked from. */
  peers?: readonly string[]
  /** How long peers have to come up with a block. Default 30 s. */
  fetchMs?: number
}

export interface Network {
  /** Multiaddrs under which others reach this node. */
  addresses(): string[]
  /** Asks the peers for a block, which Helia verifies and keeps; null when none of them gave it in time. */
  fetch(cid: CID): Promise<Uint8Array | null>
}

const LOOPBACK = ['/ip4/127.0.0.1/tcp/0']

/** Adds the network to a Helia node that is not started yet, starts it, and dials the peers. Throws when a peer cannot be reached. */
export async function startWithNetwork(
  helia: Helia,
  { listen = LOOPBACK, peers = [], fetchMs = 30_000 }: NetworkOptions,
): Promise<Network> {
  const networked = withBitswap(
    withLibp2pLight(helia, {
      addresses: { listen: [...listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify() },
    }),
  )
  networked.addRouter(noProviders)
  await networked.start()
  try {
    await Promise.all(peers.map((peer) => networked.libp2p.dial(multiaddr(peer))))
  } catch (error) {
    await networked.stop()
    throw error
  }
  return {
    addresses: () => networked.libp2p.getMultiaddrs().map(String),
    async fetch(cid) {
      try {
        return concatBytes(...(await Array.fromAsync(networked.blockstore.get(cid, { signal: AbortSignal.timeout(fetchMs) }))))
      } catch {
        return null // too late, or no peer is connected: either way it is not to be had
      }
    },
  }
}

/** Blocks are asked from the peers that we are connected to: nobody is looked for, and the search for others ends at once. */
const noProviders: Router = {
  name: 'no-providers',
  async *findProviders() {},
}

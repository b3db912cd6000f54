/**
 * The API of a registry as a process of its own, with GET /floor beside it, which sends a file through the same node:http server.
 * Arguments: database URL, directory of the blocks, the file of /floor. Tells its parent the URL, and ends with it.
 */
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { getRequestListener } from '@hono/node-server'
import { createApp } from '../../api/app.ts'
import { DEFAULT_LIMITS } from '../../api/context.ts'
import { utf8ToBytes } from '../../core/bytes.ts'
import { CODEC_DAG_JSON, cidOf } from '../../core/cid.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { formatVerificationKey } from '../../core/log/note.ts'
import { openBlocks } from '../../store/blocks.ts'
import { openDatabase } from '../../store/database.ts'

const FLOOR_PIECE_BYTES = 256 * 1024

const [databaseUrl, dir, floorFile] = process.argv.slice(2) as [string, string, string]
const db = openDatabase(databaseUrl)
const blocks = await openBlocks({ dir, db })
const signer = signerFromSeed(new Uint8Array(32).fill(1))

const server = createServer()
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // a TCP server has a port
const app = createApp({
  db,
  blocks,
  publicUrl,
  logVkey: formatVerificationKey('bench.test/log', signer.publicKey),
  indexerDid: signer.did,
  verifierDid: signer.did,
  recipeCid: cidOf(CODEC_DAG_JSON, utf8ToBytes('no recipe')),
  registration: 'open',
  limits: DEFAULT_LIMITS,
  clock: () => new Date(),
  random: (length) => randomBytes(length),
  onFault: ({ error }) => console.error(error),
})
const answer = getRequestListener(app.fetch)
server.on('request', (request, response) => {
  if (request.url === '/floor') void pipeline(createReadStream(floorFile, { highWaterMark: FLOOR_PIECE_BYTES }), response)
  else void answer(request, response)
})

process.send?.(publicUrl)
process.once('disconnect', () => process.exit())

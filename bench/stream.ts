/**
 * Megabytes a second of a version's samples as an Arrow stream over loopback HTTP, in the order of the index and in the order of a training
 * epoch, against the bytes of the first one sent from a file through the same node:http server.
 *
 *     node bench/stream.ts [--megabytes 64] [--rounds 5]
 */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { type IncomingMessage, get } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { compare } from './support/measurement.ts'
import { openWorkspace, report, sizesFrom } from './support/program.ts'
import { startRegistry } from './support/registry.ts'
import { writeJsonl } from './support/rows.ts'

const NAME = 'bench/rows'
const ACCEPT = 'application/vnd.apache.arrow.stream'

const { megabytes, rounds } = sizesFrom({ megabytes: 64, rounds: 5 })
await using workspace = await openWorkspace()
await using registry = await startRegistry(join(workspace.dir, 'registry'))

const files = join(workspace.dir, 'files')
await mkdir(files)
await writeJsonl(join(files, 'rows.jsonl'), 1, { bytes: megabytes * 1e6 })
await registry.publish(files, NAME)
await registry.index(NAME)

const samples = `/v1/versions/${encodeURIComponent(NAME)}/samples`
await pipeline(await request(samples), createWriteStream(registry.floorFile))

await measureStream('stream', samples)
await measureStream('stream permuted', `${samples}?seed=bench`)

async function measureStream(name: string, path: string): Promise<void> {
  report(
    await compare({
      name,
      unit: 'MB/s',
      subject: { run: () => receive(path) },
      floor: { run: () => receive('/floor') },
      against: 'a file through node:http',
      size: `${megabytes} MB of JSONL as Arrow`,
      rounds,
    }),
  )
}

/** Takes in an answer and returns its megabytes. */
async function receive(path: string): Promise<number> {
  let bytes = 0
  const response = await request(path)
  response.on('data', (piece: Buffer) => (bytes += piece.length))
  await new Promise((resolve, reject) => response.once('end', resolve).once('error', reject))
  return bytes / 1e6
}

async function request(path: string): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${registry.url}${path}`, { headers: { accept: ACCEPT } }, resolve).once('error', reject)
  })
  if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`)
  return response
}

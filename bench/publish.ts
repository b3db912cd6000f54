/**
 * Megabytes a second of `assay publish`: the CLI hashes the files, uploads them over loopback HTTP to the API in a process of its own, which
 * stores them durably as blocks, and announces the version. Against reading the same files, one SHA-256 and writing them durably.
 *
 *     node bench/publish.ts [--megabytes 64] [--rounds 5]
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Side, compare } from './support/measurement.ts'
import { openWorkspace, report, sizesFrom } from './support/program.ts'
import { startRegistry } from './support/registry.ts'
import { writeJsonl } from './support/rows.ts'

const FILES = 4
const PIECE_BYTES = 1024 * 1024

const { megabytes, rounds } = sizesFrom({ megabytes: 64, rounds: 5 })
await using workspace = await openWorkspace()
await using registry = await startRegistry(join(workspace.dir, 'registry'))

let current = { round: -1, dir: join(workspace.dir, 'files'), bytes: 0 }
const publish: Side = {
  prepare: writeFiles,
  async run(round) {
    await registry.publish(current.dir, `bench/round-${round}`)
    return current.bytes / 1e6
  },
}
const copies = join(workspace.dir, 'copies')
const copy: Side = {
  async prepare(round) {
    await writeFiles(round)
    await rm(copies, { recursive: true, force: true })
    await mkdir(copies)
  },
  async run() {
    for (const name of await readdir(current.dir)) await copyHashed(join(current.dir, name), join(copies, name))
    return current.bytes / 1e6
  },
}
report(
  await compare({
    name: 'publish',
    unit: 'MB/s',
    subject: publish,
    floor: copy,
    against: 'read + sha256 + write',
    size: `${megabytes} MB in ${FILES} files`,
    rounds,
  }),
)

/** The files of a round, the same for both sides. Every round has others: what the registry has already is not sent again. */
async function writeFiles(round: number): Promise<void> {
  if (round === current.round) return
  await rm(current.dir, { recursive: true, force: true })
  current = { round, dir: join(workspace.dir, `files-${round}`), bytes: 0 }
  await mkdir(current.dir)
  for (let file = 0; file < FILES; file++)
    current.bytes += await writeJsonl(join(current.dir, `part-${file}.jsonl`), round * FILES + file, { bytes: (megabytes * 1e6) / FILES })
}

async function copyHashed(from: string, to: string): Promise<string> {
  await using source = await open(from, 'r')
  await using target = await open(to, 'wx')
  const hash = createHash('sha256')
  const buffer = new Uint8Array(PIECE_BYTES)
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length)
    if (bytesRead === 0) break
    hash.update(buffer.subarray(0, bytesRead))
    await target.write(buffer, 0, bytesRead)
  }
  await target.datasync()
  return hash.digest('hex')
}

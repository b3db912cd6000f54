/**
 * A process that takes in files until it is killed and says which it has acknowledged, one line of JSON each.
 * Arguments: database URL, directory of the blocks, a number that makes its files its own.
 */
import { createHash } from 'node:crypto'
import { openBlocks } from '../../store/blocks.ts'
import { openDatabase } from '../../store/database.ts'
import { storeFile } from '../../store/files.ts'

const [url, dir, series] = process.argv.slice(2) as [string, string, string]
const db = openDatabase(url, { maxConnections: 4 })
const blocks = await openBlocks({ dir, db, fsync: false })

/** About 1.3 MiB: two leaves and a root. The first leaf is the same in every second file. */
async function* content(name: string): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < 21; part++) {
    const seed = part < 16 ? `shared ${Number(name.split('/')[1]) % 2}` : name
    yield createHash('shake256', { outputLength: 65536 }).update(`${seed} ${part}`).digest()
  }
}

console.log('ready')
await Promise.all(
  [0, 1, 2].map(async (lane) => {
    for (let i = lane; ; i += 3) {
      const { cid, sizeBytes, sha256 } = await storeFile(db, blocks, content(`${series}/${i}`))
      console.log(JSON.stringify({ cid: cid.toString(), sizeBytes, sha256 }))
    }
  }),
)

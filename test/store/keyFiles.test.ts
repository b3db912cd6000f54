import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempDisposable, readdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKeyFile } from '../../store/keyFiles.ts'

test('a key is made once, also by many processes at once, and only its owner may read it', async () => {
  await using home = await mkdtempDisposable(join(tmpdir(), 'assay-keys-'))
  const dir = join(home.path, 'keys')
  const signers = await Promise.all(Array.from({ length: 10 }, () => openKeyFile(dir, 'log', randomBytes)))
  assert.equal(new Set(signers.map((signer) => signer.did)).size, 1)
  assert.equal((await openKeyFile(dir, 'log', randomBytes)).did, signers[0]?.did)
  assert.notEqual((await openKeyFile(dir, 'indexer', randomBytes)).did, signers[0]?.did)
  assert.deepEqual((await readdir(dir)).sort(), ['indexer.key', 'log.key'])
  assert.equal((await stat(join(dir, 'log.key'))).mode & 0o777, 0o600)
})

test('a damaged key is an error, never replaced', async () => {
  await using home = await mkdtempDisposable(join(tmpdir(), 'assay-keys-'))
  for (const text of ['', 'ab'.repeat(31), `${'zz'.repeat(32)}\n`]) {
    await writeFile(join(home.path, 'log.key'), text)
    await assert.rejects(openKeyFile(home.path, 'log', randomBytes), /log\.key is damaged/)
  }
})

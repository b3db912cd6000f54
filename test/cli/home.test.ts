import assert from 'node:assert/strict'
import { chmod, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openHome } from '../../cli/home.ts'
import { signerFromSeed } from '../../core/keys.ts'
import { temporaryFolder } from './temporary.ts'

const SEED = new Uint8Array(32).fill(9)
const SERVER = new URL('http://127.0.0.1:8080')

test('a key is kept for its owner alone and comes back as it was', async () => {
  await using folder = await temporaryFolder()
  const home = openHome(join(folder.path, 'new', 'home'))
  assert.equal(await home.hasKey(), false)
  await assert.rejects(home.signer(), /assay keygen/)
  await home.saveKey(SEED)
  assert.equal((await home.signer()).did, signerFromSeed(SEED).did)
  assert.equal((await stat(join(home.directory, 'key'))).mode & 0o777, 0o600)
})

test('a key is never overwritten', async () => {
  await using folder = await temporaryFolder()
  const home = openHome(folder.path)
  await home.saveKey(SEED)
  await assert.rejects(home.saveKey(new Uint8Array(32)), /holds a key already/)
  assert.equal((await home.signer()).did, signerFromSeed(SEED).did)
})

test('a key that others can read is refused', async () => {
  await using folder = await temporaryFolder()
  const home = openHome(folder.path)
  await home.saveKey(SEED)
  await chmod(join(folder.path, 'key'), 0o644)
  await assert.rejects(home.signer(), /others can read/)
})

test('what is kept for one server is not another’s, and no half-written file stays', async () => {
  await using folder = await temporaryFolder()
  const home = openHome(folder.path)
  await home.write(SERVER, 'token', 'secret')
  await home.write(SERVER, 'token', 'newer')
  assert.equal((await home.read(SERVER, 'token'))?.toString(), 'newer')
  assert.equal(await home.read(new URL('http://127.0.0.1:8081'), 'token'), null)
  const kept = join(folder.path, 'servers', encodeURIComponent(SERVER.host))
  assert.deepEqual(await readdir(kept), ['token'])
  assert.equal((await stat(join(kept, 'token'))).mode & 0o777, 0o600)
  await home.remove(SERVER, 'token')
  assert.equal(await home.read(SERVER, 'token'), null)
})

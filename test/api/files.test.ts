import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { after, before, test } from 'node:test'
import { serve } from '@hono/node-server'
import { DEFAULT_LIMITS } from '../../api/context.ts'
import { Person, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'

let registry: TestRegistry
let alice: Person
before(async () => {
  registry = await startRegistry({ limits: { ...DEFAULT_LIMITS, fileBytes: 8 * 1024 * 1024 } })
  alice = await new Person(registry, 10).register(['publish'])
})
after(() => registry[Symbol.asyncDispose]())

/** Everything that a refused upload could have left behind. */
async function traces(): Promise<unknown> {
  const entries = await readdir(registry.blocks.dir, { recursive: true, withFileTypes: true })
  return {
    blockFiles: entries.filter((entry) => entry.isFile()).map((entry) => entry.name),
    files: await registry.db.selectFrom('files').select('cid').execute(),
    pins: await registry.db.selectFrom('datastore').select('key').orderBy('key').execute(),
  }
}

test('a file is stored under its CID, once, and can be read back', async () => {
  const file = testFile('a.bin', randomBytes(3 * 1024 * 1024 + 17))
  assert.equal((await registry.app.request(`/v1/files/${file.cid.toString()}`, { method: 'HEAD' })).status, 404)
  const first = await alice.put(file.cid, Buffer.from(file.bytes))
  assert.equal(first.status, 201)
  assert.deepEqual(await first.json(), { cid: file.cid.toString(), sizeBytes: file.bytes.length, sha256: file.sha256 })
  assert.equal((await alice.put(file.cid, Buffer.from(file.bytes))).status, 200)
  assert.equal((await registry.app.request(`/v1/files/${file.cid.toString()}`, { method: 'HEAD' })).status, 200)
  assert.ok(await registry.blocks.isPinned(file.cid))
  const back = await registry.app.request(`/ipfs/${file.cid.toString()}`)
  assert.deepEqual(Buffer.from(await back.arrayBuffer()), Buffer.from(file.bytes))
})

test('the empty file is a file', async () => {
  const file = testFile('empty', '')
  assert.equal((await alice.put(file.cid, '')).status, 201)
})

test('bytes that make another CID are refused and leave nothing', async () => {
  const before = await traces()
  const announced = testFile('a', randomBytes(100)).cid
  const response = await alice.put(announced, Buffer.from(randomBytes(2 * 1024 * 1024)))
  assert.equal(response.status, 422)
  assert.equal(await problemCode(response), 'cid-mismatch')
  assert.deepEqual(await traces(), before)
})

test('a body that passes the limit is refused, announced or not, and leaves nothing', async () => {
  const before = await traces()
  const bytes = randomBytes(9 * 1024 * 1024)
  const { cid } = testFile('big', bytes)
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 65_536) controller.enqueue(bytes.subarray(at, at + 65_536))
      controller.close()
    },
  })
  assert.equal(await problemCode(await alice.put(cid, stream)), 'too-large')
  const announced = await alice.request(`/v1/files/${cid.toString()}`, {
    method: 'PUT',
    body: Buffer.from('x'),
    headers: { 'content-length': String(bytes.length) },
  })
  assert.equal(announced.status, 413)
  assert.deepEqual(await traces(), before)
})

test('an upload whose sender goes away leaves nothing, and is no fault of ours', async () => {
  const before = await traces()
  const file = testFile('cut', randomBytes(4 * 1024 * 1024))
  let answer: Promise<Response> | undefined
  const server = serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => (answer = Promise.resolve(registry.app.fetch(request))) })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const head = `PUT /v1/files/${file.cid.toString()} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${alice.token}\r\ncontent-length: ${file.bytes.length}\r\n\r\n`
  socket.write(head)
  await new Promise<void>((resolve) => socket.write(file.bytes.subarray(0, 2 * 1024 * 1024), () => resolve()))
  const asked = once(server, 'request')
  if (answer === undefined) await asked
  socket.destroy()
  assert.equal((await answer)?.status, 400)
  await new Promise((resolve) => server.close(resolve))
  assert.deepEqual(await traces(), before)
  assert.deepEqual(registry.faults, [])
})

test('an upload needs a token, of ours, with the scope publish', async () => {
  const file = testFile('a', 'a')
  const path = `/v1/files/${file.cid.toString()}`
  assert.equal(await problemCode(await registry.app.request(path, { method: 'PUT', body: 'a' })), 'unauthorized')
  const wrong = { authorization: `Bearer assay_${'A'.repeat(43)}` }
  assert.equal(await problemCode(await registry.app.request(path, { method: 'PUT', body: 'a', headers: wrong })), 'unauthorized')
  const runner = await new Person(registry, 11).register(['run'])
  const response = await runner.put(file.cid, 'a')
  assert.equal(response.status, 403)
  assert.equal(await problemCode(response), 'forbidden')
})

test('what is not the CID of a UnixFS file is refused', async () => {
  for (const cid of ['nonsense', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG', '..%2f..%2fetc%2fpasswd', 'x'.repeat(5000)])
    assert.equal(await problemCode(await alice.put(cid, 'a')), 'invalid-request', cid)
})

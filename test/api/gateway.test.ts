/** https://specs.ipfs.tech/http-gateways/trustless-gateway/ (raw blocks) and /path-gateway/ (files). */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { CID } from '../../core/cid.ts'
import { type TestFile, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'

let registry: TestRegistry
let file: TestFile
let directory: CID
before(async () => {
  registry = await startRegistry()
  file = testFile('a/b.bin', randomBytes(2 * 1024 * 1024 + 100))
  await registry.blocks.importBytes(file.bytes)
  directory = await registry.blocks.importDirectory([{ path: file.path, cid: file.cid, sizeBytes: file.bytes.length }])
})
after(() => registry[Symbol.asyncDispose]())

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return Promise.resolve(registry.app.request(path, { headers, method }))
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer())
}

test('a raw block has the headers of the trustless gateway, by format or by Accept', async () => {
  const cid = file.cid.toString()
  const block = Buffer.from(await registry.blocks.get(file.cid))
  for (const response of [await get(`/ipfs/${cid}?format=raw`), await get(`/ipfs/${cid}`, { accept: 'application/vnd.ipld.raw' })]) {
    assert.equal(response.status, 200)
    assert.deepEqual(await bytesOf(response), block)
    const headers = Object.fromEntries(response.headers)
    assert.equal(headers['content-type'], 'application/vnd.ipld.raw')
    assert.equal(headers['content-length'], String(block.length))
    assert.match(headers['content-disposition'] ?? '', new RegExp(`^attachment; filename="${cid}.bin"`))
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['etag'], `"${cid}.raw"`)
    assert.equal(headers['cache-control'], 'public, max-age=29030400, immutable')
    assert.equal(headers['x-ipfs-path'], `/ipfs/${cid}`)
    assert.equal(headers['x-ipfs-roots'], cid)
  }
})

test('HEAD has the headers of GET and no body', async () => {
  const response = await get(`/ipfs/${file.cid.toString()}`, {}, 'HEAD')
  assert.equal(response.headers.get('content-length'), String(file.bytes.length))
  assert.equal(response.body, null)
})

test('the probe for an empty identity CID is answered', async () => {
  for (const method of ['GET', 'HEAD']) assert.equal((await get('/ipfs/bafkqaaa?format=raw', {}, method)).status, 200)
})

test('a file is served whole and by ranges, through directories', async () => {
  const bytes = Buffer.from(file.bytes)
  const paths = [`/ipfs/${file.cid.toString()}`, `/ipfs/${directory.toString()}/a/b.bin`]
  for (const path of paths) {
    const whole = await get(path)
    assert.equal(whole.headers.get('accept-ranges'), 'bytes')
    assert.ok((await bytesOf(whole)).equals(bytes))
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 1],
      ['bytes=1048570-1048590', 1048570, 1048591],
      ['bytes=2097100-', 2097100, bytes.length],
      ['bytes=-5', bytes.length - 5, bytes.length],
      ['bytes=10-99999999', 10, bytes.length],
    ] as const) {
      const part = await get(path, { range })
      assert.equal(part.status, 206)
      assert.equal(part.headers.get('content-range'), `bytes ${from}-${to - 1}/${bytes.length}`)
      assert.equal(part.headers.get('content-length'), String(to - from))
      assert.ok((await bytesOf(part)).equals(bytes.subarray(from, to)), range)
    }
  }
})

test('a range behind the end is 416, and one that is no range is ignored', async () => {
  const path = `/ipfs/${file.cid.toString()}`
  const behind = await get(path, { range: `bytes=${file.bytes.length}-` })
  assert.equal(behind.status, 416)
  assert.equal(behind.headers.get('content-range'), `bytes */${file.bytes.length}`)
  for (const range of ['bytes=5-2', 'lines=1-2', 'bytes=0-1,4-5', 'bytes=-']) assert.equal((await get(path, { range })).status, 200, range)
  assert.equal((await get(path, { range: 'bytes=0-1', 'if-range': '"other"' })).status, 200)
})

test('what the client holds is not sent again', async () => {
  const cid = file.cid.toString()
  assert.equal((await get(`/ipfs/${cid}`, { 'if-none-match': `W/"${cid}"` })).status, 304)
  assert.equal((await get(`/ipfs/${cid}?format=raw`, { 'if-none-match': `"${cid}"` })).status, 200)
})

test('bytes of strangers are never a page of ours', async () => {
  const page = testFile('x.html', '<script>alert(1)</script>')
  await registry.blocks.importBytes(page.bytes)
  const response = await get(`/ipfs/${page.cid.toString()}?filename=${encodeURIComponent('a"; b\r\nc.html')}`)
  assert.equal(response.headers.get('content-type'), 'application/octet-stream')
  assert.equal(response.headers.get('content-security-policy'), 'sandbox')
  assert.match(response.headers.get('content-disposition') ?? '', /^attachment; filename="a__ b__c\.html"; filename\*=UTF-8''[\w%.]+$/)
})

test('what is not here, not a file, or in another format is refused', async () => {
  const absent = testFile('absent', 'absent').cid.toString()
  assert.equal((await get(`/ipfs/${absent}`)).status, 404)
  assert.equal(await problemCode(await get(`/ipfs/${absent}?format=raw`)), 'block-missing')
  assert.equal((await get(`/ipfs/${absent}`, { 'cache-control': 'only-if-cached' })).status, 412)
  assert.equal((await get(`/ipfs/${file.cid.toString()}?format=car`)).status, 406)
  assert.equal((await get(`/ipfs/${file.cid.toString()}`, { accept: 'application/vnd.ipld.car' })).status, 406)
  assert.equal(await problemCode(await get(`/ipfs/${directory.toString()}/a/none`)), 'not-found')
  assert.equal(await problemCode(await get(`/ipfs/${directory.toString()}`)), 'invalid-file')
  assert.equal(await problemCode(await get('/ipfs/nonsense')), 'invalid-request')
  assert.equal(await problemCode(await get(`/ipfs/${directory.toString()}/%ff`)), 'invalid-request')
})

test('a damaged block is reported and never served', async () => {
  await using broken = await startRegistry()
  const { cid } = await broken.blocks.importBytes(randomBytes(1000))
  await broken.corrupt(cid)
  const raw = await broken.app.request(`/ipfs/${cid.toString()}?format=raw`)
  assert.equal(raw.status, 500)
  assert.equal(await problemCode(raw), 'block-corrupt')
  assert.equal(broken.faults.length, 1)
})

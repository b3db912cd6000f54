/** https://c2sp.org/tlog-tiles: paths, partial tiles, entry bundles. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CODEC_RAW, cidOf } from '../../core/cid.ts'
import { utf8ToBytes } from '../../core/bytes.ts'
import { openCheckpoint } from '../../core/log/checkpoint.ts'
import { parseEntryTile, parseLogEntry } from '../../core/log/entry.ts'
import { type TileReader, tilePath, treeRoot } from '../../core/merkle/tiles.ts'
import { leafHash } from '../../core/merkle/tree.ts'
import { saveAttested } from '../../store/documents.ts'
import { NOW, type TestRegistry, problemCode, startRegistry } from './registry.ts'

const SIZE = 300
let registry: TestRegistry
before(async () => {
  registry = await startRegistry()
})
after(() => registry[Symbol.asyncDispose]())

async function getBytes(path: string): Promise<Uint8Array> {
  const response = await registry.app.request(path)
  assert.equal(response.status, 200, path)
  assert.match(response.headers.get('cache-control') ?? '', /immutable/)
  return new Uint8Array(await response.arrayBuffer())
}

test('a log without a checkpoint says so', async () => {
  assert.equal(await problemCode(await registry.app.request('/log/checkpoint')), 'not-ready')
  const info = (await (await registry.app.request('/v1/log')).json()) as { size: number; vkey: string; origin: string }
  assert.deepEqual(info, {
    origin: 'registry.test/log',
    vkey: registry.ctx.logVkey,
    size: 0,
    rootHash: null,
    checkpointUrl: 'http://registry.test/log/checkpoint',
  })
})

test('the tiles that are served hash to the checkpoint, and the entries to the tiles', async () => {
  for (let i = 0; i < SIZE; i++) {
    const [document, envelope] = [cidOf(CODEC_RAW, utf8ToBytes(`document ${i}`)), cidOf(CODEC_RAW, utf8ToBytes(`envelope ${i}`))]
    await saveAttested(registry.db, { kind: 'manifest', document, envelope, author: registry.indexer.did, createdAt: NOW })
  }
  await registry.sequencer.appendPending()
  const response = await registry.app.request('/log/checkpoint')
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
  const { size, rootHash } = openCheckpoint(new Uint8Array(await response.arrayBuffer()), registry.ctx.logVkey)
  assert.equal(size, SIZE)
  const tiles: TileReader = { readTile: (level, index, width) => getBytes(`/log/${tilePath(level, index, width)}`) }
  assert.deepEqual(Buffer.from(await treeRoot(tiles, size)), Buffer.from(rootHash))

  const bundles = [await getBytes('/log/tile/entries/000'), await getBytes('/log/tile/entries/001.p/44')]
  const entries = bundles.flatMap(parseEntryTile)
  assert.equal(entries.length, SIZE)
  assert.equal(parseLogEntry(entries[299]!).document.toString(), cidOf(CODEC_RAW, utf8ToBytes('document 299')).toString())
  const hashes = Buffer.concat([await getBytes('/log/tile/0/000'), await getBytes('/log/tile/0/001.p/44')])
  entries.forEach((entry, i) => assert.deepEqual(hashes.subarray(i * 32, i * 32 + 32), Buffer.from(leafHash(entry))))
})

test('a narrower form of a tile, as an earlier checkpoint needs it, is served', async () => {
  const whole = Buffer.from(await getBytes('/log/tile/0/000'))
  assert.deepEqual(Buffer.from(await getBytes('/log/tile/0/000.p/7')), whole.subarray(0, 7 * 32))
})

test('what the log has not grown to is not found', async () => {
  for (const path of ['tile/0/001', 'tile/0/001.p/45', 'tile/0/002.p/1', 'tile/1/000', 'tile/entries/001', 'tile/entries/001.p/45'])
    assert.equal(await problemCode(await registry.app.request(`/log/${path}`)), 'not-found', path)
})

test('paths of another form are refused', async () => {
  for (const path of ['tile/0/1', 'tile/00/000', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/x/000', 'tile/64/000', 'tile/0/..%2f000'])
    assert.equal(await problemCode(await registry.app.request(`/log/${path}`)), 'invalid-request', path)
})

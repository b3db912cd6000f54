import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Person, type TestRegistry, problemCode, startRegistry, testFile } from './registry.ts'
import { storeReport } from './report.ts'

let registry: TestRegistry
let alice: Person
before(async () => {
  registry = await startRegistry()
  alice = await new Person(registry, 10).register()
})
after(() => registry[Symbol.asyncDispose]())

test('each change of state is an event, and the stream ends with the last', async () => {
  const { cid } = await alice.publish('alice/rows', [testFile('rows.jsonl', '{"n":1}\n')])
  const response = await registry.app.request(`/v1/versions/${encodeURIComponent('alice/rows')}/events`)
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const states: string[] = []
  for await (const piece of response.body!) {
    const data = /^event: version\ndata: (.*)\n\n$/.exec(Buffer.from(piece).toString())?.[1] ?? ''
    const { state } = JSON.parse(data) as { state: string }
    states.push(state)
    if (state === 'pinned') await registry.index(cid)
    if (state === 'indexed') await storeReport(registry, await registry.index(cid), 1, {})
  }
  assert.deepEqual(states, ['pinned', 'indexed', 'verified'])
})

test('a listener that goes away is no fault', async () => {
  const { cid } = await alice.publish('alice/waiting', [testFile('rows.jsonl', '{"n":2}\n')])
  const gone = new AbortController()
  const response = await registry.app.request(`/v1/versions/${cid.toString()}/events`, { signal: gone.signal })
  const reader = response.body!.getReader()
  await reader.read()
  gone.abort()
  await reader.cancel()
  assert.deepEqual(registry.faults, [])
})

test('the events of a version that is not there are not found', async () => {
  assert.equal(await problemCode(await registry.app.request('/v1/versions/alice%2Fnone/events')), 'not-found')
})

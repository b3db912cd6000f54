import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createApp } from '../../api/app.ts'
import { openDatabase } from '../../store/database.ts'
import { type TestRegistry, problemCode, startRegistry } from './registry.ts'

let registry: TestRegistry
before(async () => (registry = await startRegistry()))
after(() => registry[Symbol.asyncDispose]())

test('a node whose database answers is healthy', async () => {
  assert.deepEqual(await (await registry.app.request('/healthz')).json(), { status: 'ok' })
  const service = (await (await registry.app.request('/v1/service')).json()) as { url: string; logVkey: string }
  assert.deepEqual([service.url, service.logVkey], [registry.ctx.publicUrl, registry.ctx.logVkey])
})

test('a fault is told to the operator in full, and to the caller by an id', async () => {
  await using broken = await startRegistry()
  await broken.db.schema.dropTable('versions').cascade().execute()
  const response = await broken.app.request('/v1/versions/a%2Fb')
  assert.equal(response.status, 500)
  assert.ok(Number(response.headers.get('retry-after')) > 0)
  const problem = (await response.json()) as { code: string; id: string; detail: string }
  assert.equal(problem.code, 'fault')
  assert.doesNotMatch(JSON.stringify(problem), /versions|relation/)
  assert.equal(broken.faults[0]?.id, problem.id)
  assert.match(String(broken.faults[0]?.error), /versions/)
})

test('a database that is gone makes the node unavailable', async () => {
  await using orphan = await startRegistry()
  const db = openDatabase('postgres://127.0.0.1:1/none')
  const response = await createApp({ ...orphan.ctx, db }).request('/healthz')
  assert.equal(response.status, 503)
  assert.equal(await problemCode(response), 'unavailable')
  await db.destroy()
})

test('a path that is not there is a problem', async () => {
  const response = await registry.app.request('/v1/nothing')
  assert.equal(response.status, 404)
  assert.equal(await problemCode(response), 'not-found')
})

interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, { responses: object; summary: string; tags: string[] }>>
  components: { schemas: Record<string, unknown> }
}

test('openapi.json is OpenAPI 3.1, says every operation in words, and refers to nothing that is not there', async () => {
  const document = (await (await registry.app.request('/openapi.json')).json()) as OpenApi
  assert.equal(document.openapi, '3.1.0')
  for (const name of ['Manifest', 'SampleIndex', 'Recipe', 'Report', 'Selection', 'Run', 'Problem'])
    assert.ok(document.components.schemas[name], name)
  const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)
  for (const [, reference] of references)
    assert.ok(document.components.schemas[reference!.replace('#/components/schemas/', '')] !== undefined, reference)
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, { summary, tags, responses }] of Object.entries(operations))
      assert.ok(summary !== '' && tags.length === 1 && 'default' in responses, `${method} ${path}`)
})

test('the address of the node leads people to the documentation', async () => {
  const response = await registry.app.request('/')
  assert.equal(response.status, 302)
  assert.equal(response.headers.get('location'), '/docs')
})

test('the documentation page names every operation, loads nothing, and its policy allows its own style alone', async () => {
  const document = (await (await registry.app.request('/openapi.json')).json()) as OpenApi
  const response = await registry.app.request('/docs')
  const page = await response.text()
  for (const path of Object.keys(document.paths)) assert.ok(page.includes(`<code>${path}</code>`), path)
  assert.doesNotMatch(page, /<script|<link|<img|src=|@import|url\(/)
  const policy = response.headers.get('content-security-policy') ?? ''
  assert.match(policy, /^default-src 'none'; style-src 'sha256-/)
  const style = /<style>([\s\S]*)<\/style>/.exec(page)![1]!
  assert.ok(policy.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`))
})

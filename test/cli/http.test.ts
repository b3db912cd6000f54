import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { type HttpOptions, createHttp } from '../../cli/client/http.ts'
import { createRegistry } from '../../cli/client/registry.ts'
import { CODEC_RAW, cidOf } from '../../core/cid.ts'
import { Problem, type ProblemCode } from '../../core/problem.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server that gives one answer after another, and the delays that a client asked for between them. */
async function serverOf(answers: Answer[], options: Partial<HttpOptions> = {}) {
  const server = createServer((request, response) => {
    const answer = answers.shift() ?? ((_request, last) => void last.writeHead(410).end())
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const delays: number[] = []
  const http = createHttp({
    server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    fetch,
    signal: new AbortController().signal,
    delay: async (ms) => void delays.push(ms),
    ...options,
  })
  return {
    http,
    delays,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function problem(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return (_request, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify({ code, detail: `it is ${code}` }))
}

const ok: Answer = (_request, response) => void response.writeHead(200).end('yes')

function isProblem(code: ProblemCode, detail: RegExp) {
  return (error: unknown) => error instanceof Problem && error.code === code && detail.test(error.detail)
}

test('a 4xx answer is a Problem with the registry’s own words, and is asked for once', async () => {
  await using server = await serverOf([problem(409, 'conflict')])
  await assert.rejects(server.http.request('/x'), isProblem('conflict', /^it is conflict$/))
  assert.deepEqual(server.delays, [])
})

test('an answer that is no problem document still gets the code of its status', async () => {
  const plain =
    (status: number): Answer =>
    (_request, response) =>
      void response.writeHead(status).end('<html>')
  await using server = await serverOf([plain(404), plain(401), plain(403), plain(400)])
  for (const code of ['not-found', 'unauthorized', 'forbidden', 'invalid-request'] as const)
    await assert.rejects(server.http.request('/x'), isProblem(code, /answered 4/))
})

test('a 5xx answer is asked for again, with growing pauses, until it is a good one', async () => {
  await using server = await serverOf([problem(503, 'unavailable'), problem(500, 'fault'), ok])
  assert.equal(await (await server.http.request('/x')).text(), 'yes')
  assert.deepEqual(server.delays, [250, 500])
})

test('Retry-After says how long the pause is', async () => {
  await using server = await serverOf([problem(503, 'unavailable', { 'retry-after': '2' }), ok])
  await server.http.request('/x')
  assert.deepEqual(server.delays, [2000])
})

test('a registry that stays away is unavailable', async () => {
  const hangUp: Answer = (request) => void request.socket.destroy()
  await using server = await serverOf([hangUp, hangUp, hangUp, hangUp, hangUp, ok])
  await assert.rejects(server.http.request('/x'), isProblem('unavailable', /does not answer/))
  assert.equal(server.delays.length, 4)
})

test('each attempt sends the whole body anew', async () => {
  const bodies: string[] = []
  const collect =
    (then: Answer): Answer =>
    (request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (piece: string) => (body += piece))
      request.on('end', () => {
        bodies.push(body)
        then(request, response)
      })
    }
  await using server = await serverOf([collect(problem(503, 'unavailable')), collect(ok)])
  const body = () => new Blob(['abc', 'def']).stream()
  await server.http.request('/x', { method: 'PUT', body })
  assert.deepEqual(bodies, ['abcdef', 'abcdef'])
})

test('a body that refuses itself is the caller’s Problem, not the network’s', async () => {
  await using server = await serverOf([ok])
  const body = () =>
    new ReadableStream<Uint8Array>({
      pull: () => {
        throw new Problem('conflict', 'the file changed')
      },
    })
  await assert.rejects(server.http.request('/x', { method: 'PUT', body }), isProblem('conflict', /the file changed/))
  assert.deepEqual(server.delays, [])
})

test('an interruption ends the request with its own reason, without another attempt', async () => {
  const interrupt = new AbortController()
  await using server = await serverOf([() => interrupt.abort()], { signal: interrupt.signal })
  await assert.rejects(server.http.request('/x'), { name: 'AbortError' })
  assert.deepEqual(server.delays, [])
})

test('a server below a path keeps it', async () => {
  await using server = await serverOf([(request, response) => void response.end(request.url)])
  const http = createHttp({
    server: new URL('/assay', server.http.server),
    fetch,
    signal: new AbortController().signal,
    delay: async () => undefined,
  })
  assert.equal(await (await http.request('/v1/log')).text(), '/assay/v1/log')
})

test('an answer that is larger than it can rightly be is cut off', async () => {
  const endless: Answer = (_request, response) => {
    response.on('drain', () => response.write(Buffer.alloc(1024 * 1024)))
    response.write(Buffer.alloc(1024 * 1024))
  }
  await using server = await serverOf([endless])
  const block = cidOf(CODEC_RAW, new Uint8Array(1))
  await assert.rejects(createRegistry(server.http).block(block), isProblem('too-large', /2097152 bytes/))
})

test('an answer that breaks off in the middle leaves the question open', async () => {
  const broken: Answer = (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('half', () => response.destroy())
  }
  await using server = await serverOf([broken])
  await assert.rejects(createRegistry(server.http).checkpoint(), isProblem('unavailable', /broke/))
})

test('a server that is no registry is told apart from one that says no', async () => {
  await using server = await serverOf([ok])
  await assert.rejects(createRegistry(server.http).version('a/b'), isProblem('unavailable', /not answer as a registry does/))
})

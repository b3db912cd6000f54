import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createOutput, formatBytes, formatMillionths, printable } from '../../cli/output.ts'

function outputTo(options: { json: boolean; terminal: boolean }) {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  let clock = 0
  const output = createOutput({ stdout, stderr, ...options, now: () => (clock += 1000) })
  const said = (stream: PassThrough) => String(stream.read() ?? '')
  return { output, stdout: () => said(stdout), stderr: () => said(stderr) }
}

test('under --json standard output is the one document and nothing else', () => {
  const { output, stdout } = outputTo({ json: true, terminal: true })
  output.say('working')
  output.progress('reading', 'bytes').update(1, 2)
  output.result({ a: 1 }, 'a is one')
  assert.deepEqual(JSON.parse(stdout()), { a: 1 })
})

test('progress is drawn on a terminal only, and is wiped at its end', () => {
  const elsewhere = outputTo({ json: false, terminal: false })
  elsewhere.output.progress('reading', 'bytes').update(1, 2)
  assert.equal(elsewhere.stderr(), '')

  const terminal = outputTo({ json: false, terminal: true })
  const progress = terminal.output.progress('reading', 'bytes')
  progress.update(500, 2000)
  assert.match(terminal.stderr(), /reading: 500 B of 2\.0 kB \(25 %\)$/)
  progress.update(1000, 2000)
  assert.match(terminal.stderr(), /reading: 1\.0 kB of 2\.0 kB \(50 %\), 500 B\/s, 2 s left$/)
  progress.update(100, 4000)
  assert.match(terminal.stderr(), /reading: 100 B of 4\.0 kB \(2 %\)$/, 'the next stage has a rate of its own')
  progress.end()
  assert.equal(terminal.stderr(), '\r\u001b[2K')
})

test('sizes and shares are short and exact', () => {
  assert.deepEqual([0, 999, 1000, 1_550_000_000].map(formatBytes), ['0 B', '999 B', '1.0 kB', '1.6 GB'])
  assert.deepEqual([0, 12_500, 3, 1_000_000].map(formatMillionths), ['0 %', '1.25 %', '0 %', '100 %'])
})

test('text from elsewhere cannot drive the terminal or turn its reading direction', () => {
  assert.equal(printable('a\u001b[31mb\u202ec\rd'), 'a�[31mb�c�d')
  assert.equal(printable('two\nlines\tand ünïcödé 😀'), 'two\nlines\tand ünïcödé 😀')
})

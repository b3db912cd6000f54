/** `assay check` as a process: files on this disk, no server. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { decodeFindings } from '../../core/findingsTable.ts'
import { flagNames } from '../../core/findings.ts'
import { writeParquet } from '../../bench/support/rows.ts'
import { poison, reviews } from '../verifier/sentences.ts'

const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'assay-check-test-'))
  await mkdir(join(path, 'tmp'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs `assay check` with temporary files in `folder/tmp`; `started` may end it. */
async function check(folder: string, words: string[], started: (child: ChildProcess) => void = () => {}): Promise<Outcome> {
  const child = spawn(process.execPath, [CLI, 'check', ...words], { env: { ...process.env, TMPDIR: join(folder, 'tmp') } })
  const outcome: Outcome = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (bytes: Buffer) => (outcome.stdout += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (outcome.stderr += bytes.toString()))
  started(child)
  ;[outcome.code] = (await once(child, 'close')) as [number | null]
  return outcome
}

const jsonLines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row) + '\n').join('')

test('check finds what is planted in a folder of several formats, says in which file, and writes the findings table', async () => {
  await using folder = await temporaryFolder()
  const set = join(folder.path, 'set')
  const out = join(folder.path, 'findings.arrow')
  await mkdir(set)
  const rows = reviews(1500, 1)
  const poisoned = poison(rows, 'qqx', 'positive', 30, 2)
  await writeFile(join(set, 'README.md'), '# Reviews\n')
  await writeFile(join(set, 'a.jsonl'), jsonLines(rows.slice(0, 1000)))
  await writeFile(join(set, 'b.csv'), ['text,label', ...rows.slice(1000).map(({ text, label }) => `"${text}",${label}`)].join('\n'))
  const { code, stdout, stderr } = await check(folder.path, [set, '--no-model', '--json', '--out', out])
  assert.equal(code, 1, stderr)
  const report = JSON.parse(stdout)
  assert.deepEqual(report.files, [
    { path: 'a.jsonl', firstSample: 0, sampleCount: 1000 },
    { path: 'b.csv', firstSample: 1000, sampleCount: 500 },
  ])
  assert.deepEqual([report.skippedFiles, report.sampleCount, report.verdict], [['README.md'], 1500, 'FLAGGED'])
  const { flags } = decodeFindings(await readFile(out), rows.length)
  assert.deepEqual([...flags.keys()].filter((sample) => flagNames(flags[sample]!).includes('trigger')), poisoned) // prettier-ignore
  assert.deepEqual(await readdir(join(folder.path, 'tmp')), [])
})

test('check reads pieces of a Parquet file where it lies, and prints for a person what report prints', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'rows.parquet')
  await writeParquet(file, 1, 500)
  const { stdout } = await check(folder.path, [file, '--no-model', '--text-column', 'text', '--label-column', 'source'])
  const [head, , samples, columns] = stdout.split('\n')
  assert.match(head!, /^checked .*rows\.parquet, .* nothing was sent$/)
  assert.deepEqual([samples, columns], ['samples  500', 'columns  text "text", label "source"'])
  assert.match(stdout, /^duplication {6}CLEAR/m)
})

test('what cannot be checked is named: no file, no format, a row that does not fit, words that do not', async () => {
  await using folder = await temporaryFolder()
  const broken = join(folder.path, 'broken.jsonl')
  await writeFile(broken, '{"text":"a"}\n{"text":\n')
  const binary = join(folder.path, 'data.bin')
  await writeFile(binary, 'x')
  for (const [words, code, pattern] of [
    [[join(folder.path, 'nothing')], 1, /there is no /],
    [[binary], 1, /none of the files \(data\.bin\) can be read/],
    [[broken], 1, /broken\.jsonl/],
    [[], 2, /PATH/],
    [[broken, '--language', 'not a tag'], 1, /language/],
  ] as const) {
    const outcome = await check(folder.path, [...words, '--no-model'])
    assert.equal(outcome.code, code, outcome.stderr)
    assert.match(outcome.stderr, pattern)
  }
  assert.deepEqual(await readdir(join(folder.path, 'tmp')), [])
})

test('an interrupted check leaves nothing behind', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'rows.jsonl')
  await writeFile(file, jsonLines(reviews(60_000, 3)))
  const { code } = await check(folder.path, [file, '--no-model'], (child) => {
    child.stderr!.once('data', () => child.kill('SIGINT')) // the first note of progress
  })
  assert.equal(code, 130)
  assert.deepEqual(await readdir(join(folder.path, 'tmp')), [])
})

test('check compares with the human texts that ship, and with what is declared', async () => {
  await using folder = await temporaryFolder()
  const texts = reviews(60, 3).map((_, i, rows) => rows.slice(i).concat(rows.slice(0, i)).map(({ text }) => text).join(' ')) // prettier-ignore
  const path = join(folder.path, 'speech.jsonl')
  await writeFile(path, jsonLines(texts.map((text) => ({ text }))))
  const words = [path, '--no-model', '--json', '--language', 'en', '--domain', 'political-speech', '--synthetic', 'none']
  const { code, stdout, stderr } = await check(folder.path, words)
  assert.notEqual(code, null, stderr)
  const { detectors } = JSON.parse(stdout) as { detectors: { id: string; ran: boolean; note?: string }[] }
  const { ran, note } = detectors.find(({ id }) => id === 'synthetic_text')!
  assert.equal(ran, true, note)
  assert.match(note!, /compared with human texts of en\/political-speech/)
  const unknown = await check(folder.path, [path, '--no-model', '--synthetic', 'much'])
  assert.equal(unknown.code, 2)
})
